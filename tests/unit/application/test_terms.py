from application.terms import content_terms, sentences, specifics, values


def texts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_sentences_end_at_full_stops_list_items_and_table_rows() -> None:
    text = "One is here. Two is there.\n\n- item a\n- item b\n\n| x | y |\n| 1 | 2 |\n"
    assert texts(text) == [
        "One is here.",
        "Two is there.",
        "- item a",
        "- item b",
        "| x | y |",
        "| 1 | 2 |",
    ]


def test_a_line_wrapped_in_the_middle_of_a_sentence_does_not_end_it() -> None:
    assert texts("Leave is paid\nin full.") == ["Leave is paid\nin full."]


def test_terms_of_two_forms_of_a_word_are_one() -> None:
    assert content_terms("refunds") == content_terms("the refund")


def test_values_are_numbers_dates_and_codes_whatever_their_separators() -> None:
    assert values("E4042 cost $1,200.50 on 2026-03-01, 15% up") == {
        "e4042",
        "1200.50",
        "2026-03-01",
        "15%",
    }


def test_a_question_is_specific_about_names_inside_it_but_not_about_its_first_word() -> None:
    assert specifics("What does Plus cost in Porto?") == {"plus", "porto"}
