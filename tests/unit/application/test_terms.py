from application.terms import asks_for_value, content_terms, phrases, sentences, values


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


def test_phrases_skip_the_words_between_that_carry_nothing() -> None:
    assert phrases("lead of the team") == phrases("leads teams")


def test_a_question_of_how_many_asks_for_a_value_and_one_of_who_does_not() -> None:
    assert asks_for_value("How many days do I have?")
    assert not asks_for_value("Who signs?")


def test_short_lines_are_rows_of_their_own_as_in_the_tables_of_a_pdf() -> None:
    assert texts("Support hours 07:00\nVisits per year 4") == [
        "Support hours 07:00",
        "Visits per year 4",
    ]
