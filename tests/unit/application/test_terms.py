import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.language import language_of
from application.terms import (
    asks_for_value,
    content_terms,
    is_heading,
    phrases,
    sentences,
    values,
)


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "The fee is approx. 40 euros, i.e. No. 3 on the list, set by Dr. Example of St. Mary.",
            1,
        ),
        ("It was J. K. Example who came. He left.", 2),
        ("Die Garantie beträgt 36 Monate. Übrigens ist der Versand gratis.", 2),
        ("Der Vertrag endet am 3. März 2026. Er wird nicht verlängert.", 2),
        ("Das gilt z.B. Montags, vgl. Nr. 4 der Ordnung.", 1),
        ("Le prix est fixe. Écrivez-nous.", 2),
        ("Цена 40 евро. Она включает доставку.", 2),
        ("保修期为三十六个月。请保存发票。运费由买方承担。", 3),
        ("保証期間は三十六か月です。「はい」と答える？", 2),
        ("الضمان ثلاث سنوات؟ نعم بالطبع. السعر ثابت.", 3),
        ("वारंटी तीन साल है। कृपया रसीद रखें।", 2),
        ("1. Measure the gas. 2. Open the cover.", 2),
        ("Use version 3. The next one is unstable.", 2),
        ("Nobody answers No. That is all.", 2),
        ("It opens at 9 a.m. The gate is shut before.", 2),
    ],
)
def test_a_sentence_ends_where_a_reader_of_its_language_ends_it(text: str, expected: int) -> None:
    assert len(texts(text)) == expected, texts(text)


def test_a_fence_of_code_is_one_sentence_and_its_comments_are_no_headings() -> None:
    fence = "```bash\n# the limit must be 40 bar\npumpctl set-limit 40\n\nexit\n```"
    assert texts(f"Set the limit. Then check.\n\n{fence}\n\nDone.") == [
        "Set the limit.",
        "Then check.",
        fence,
        "Done.",
    ]
    assert not is_heading(fence)


def test_a_fence_that_is_never_closed_ends_with_the_text() -> None:
    assert texts("Run:\n\n~~~\n# a\n\n# b") == ["Run:", "~~~\n# a\n\n# b"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kündigungsfrist", unicodedata.normalize("NFD", "Kündigungsfrist")),
        ("Die Verträge der Mieter und die Kosten", "Der Vertrag ist für den Mieter ohne Kosten"),
        ("Les contrats de la maison", "Le contrat des maisons est là"),
        ("Los contratos de la casa", "El contrato de las casas"),
        ("保修期多长", "保修期"),
        ("договоры", "договор"),
        ("l’école est la même", "une école qui est là"),
    ],
)
def test_two_ways_to_write_a_word_share_its_term(one: str, other: str) -> None:
    assert content_terms(one) & content_terms(other)


def test_scripts_without_spaces_give_pairs_of_characters() -> None:
    assert content_terms("保修期") == {"保修", "修期"}
    assert {"보증", "36"} <= content_terms("보증 36개월")
    assert content_terms("한") == {"한"}
    assert len(content_terms("การรับประกัน")) > 5


def test_stop_words_are_left_out_in_the_text_s_own_language() -> None:
    assert content_terms("Wie lange ist die Frist für den Mieter?") == {"frist", "miet"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5 °C", {"-5"}),
        ("below −15 °C", {"-15"}),
        ("from 2-5 days", {"2-5"}),
        ("2,5 litres", {"2.5"}),
        ("1,200 and 1.200,50", {"1200", "1200.50"}),
        ("10\u00a0000 or 10\u202f000", {"10000"}),
        ("2 x 10⁶ turns, 1e6", {"2000000", "1000000"}),
        ("Der Preis ist 1.200 Euro und nicht mehr", {"1200"}),
        ("The rate is 1.200 on this day", {"1.200"}),
        ("15 % off", {"15%"}),
        ("P-010 and E-09", {"p-010", "e-09"}),
        ("nothing", set()),
    ],
)
def test_a_value_keeps_its_sign_and_its_decimal_mark(text: str, expected: set[str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many days of leave do I get?", "en"),
        ("Wie viele Tage Urlaub habe ich?", "de"),
        ("Combien de jours de congé est-ce que j'ai ?", "fr"),
        ("¿Cuántos días de vacaciones tengo en el año?", "es"),
        ("Quanti giorni di ferie ho con il contratto?", "it"),
        ("Quantos dias de férias eu tenho?", "pt"),
        ("Hoeveel dagen verlof heb ik?", "nl"),
        ("保修期多长？", "zh"),
        ("保証期間はどのくらいですか", "ja"),
        ("보증 기간은 얼마입니까?", "ko"),
        ("Noor El-Rashidi", "en"),
        ("", "en"),
        ("The letter α is Greek", "en"),
    ],
)
def test_the_language_is_told_by_script_and_stop_words(text: str, language: str) -> None:
    assert language_of(text) == language


@settings(deadline=None)
@given(st.text())
def test_any_text_has_terms_values_and_sentences_that_cover_it(text: str) -> None:
    content_terms(text), values(text), language_of(text)
    spans = sentences(text)
    assert all(text[a:b] == text[a:b].strip() for a, b in spans)
    assert sum(len(text[a:b].split()) for a, b in spans) >= len(text.split())
