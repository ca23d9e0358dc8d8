"""Labels find their span in any chunking, and nothing that merely looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.suite.labels import Label, contains, found, overlaps, words

PAGE = """# Leave

Staff in Zürich are given 27.5 days of annual leave a year, of which at most 5 may be
carried over.   Leave is requested
in the portal, ten working days before it starts, and approved by the team lead.

| city | days |
| --- | --- |
| Lyon | 30 |
"""
LABEL = Label("hr/leave.md", "requested in the portal, ten working days before it starts")


def chunks(size: int, overlap: int = 0) -> list[tuple[str, str]]:
    return [("hr/leave.md", PAGE[at : at + size]) for at in range(0, len(PAGE), size - overlap)]


@pytest.mark.parametrize(("size", "overlap"), [(400, 0), (120, 20), (60, 0), (1000, 0)])
def test_a_label_is_found_in_every_chunking(size: int, overlap: int) -> None:
    assert found([LABEL], chunks(size, overlap))


@given(size=st.integers(80, 400), overlap=st.integers(0, 40))
def test_a_label_is_found_wherever_a_chunk_is_cut(size: int, overlap: int) -> None:
    assert found([LABEL], chunks(size, overlap))


def test_a_span_of_another_document_is_not_found() -> None:
    assert not found([LABEL], [("hr/other.md", PAGE)])


def test_another_passage_of_the_same_document_is_not_enough() -> None:
    assert not found([LABEL], [("hr/leave.md", PAGE[:95])])


def test_any_label_is_enough() -> None:
    assert found([Label("gone.md", "no such text at all"), LABEL], chunks(400))


def test_white_space_case_and_table_rules_do_not_count() -> None:
    assert overlaps(PAGE, "CARRIED over. Leave is")
    assert overlaps(PAGE, "Lyon 30")


@pytest.mark.parametrize("value", ["27.5", "27.5 days", "zürich", "5", "30"])
def test_a_value_is_found_as_whole_words(value: str) -> None:
    assert contains(PAGE, value)


@pytest.mark.parametrize("value", ["7.5", "27", "7", "ürich", "3", "", "carried leave"])
def test_a_part_of_a_word_or_number_is_not_the_value(value: str) -> None:
    assert not contains(PAGE, value)


def test_numbers_and_dates_stay_whole() -> None:
    assert words("EUR 1,200.50 on 2026-03-01, 10:30, v2.3!") == [
        "eur",
        "1,200.50",
        "on",
        "2026-03-01",
        "10:30",
        "v2.3",
    ]


def test_compatibility_forms_are_one() -> None:
    assert words("ﬁle\u00a0№ １２") == words("file no 12")


def test_marks_of_markdown_do_not_count() -> None:
    assert words("**Set** `retry\\_limit` to *3*") == words("Set retry_limit to 3")


def test_half_of_a_short_span_is_not_enough() -> None:
    assert not overlaps("thirty days of notice", "thirty days in advance")


def test_a_few_words_of_a_long_span_are_not_enough() -> None:
    span = "Leave is requested in the portal, ten working days before it starts, by the employee"
    assert not overlaps("Equipment is requested in the portal, by the team lead", span)
    assert overlaps("in the portal, ten working days before it starts", span)


def test_nothing_is_held_by_no_text() -> None:
    assert not contains("", "")
    assert not contains("words", " ")
