from datetime import UTC, datetime

import pytest

from ingestion.dates import HEAD, stated_date
from ingestion.parse import parse

JULY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        "Owner: People team. Last updated 2026-07-01.",
        "Updated on 1 July 2026",
        "**Last updated:** July 1, 2026",
        "Edition 7, 2026-07-01",
        "Edition of 2026-07-01.",
        "Price list 3, valid from 2026-07-01.",
        "Published 2024-06-10 by Support, changed 2026-07-01.",
    ],
)
def test_a_document_states_its_date_at_the_head(line: str) -> None:
    assert stated_date(f"# Leave\n\n{line}\n\nText.") == JULY


@pytest.mark.parametrize(
    "line",
    [
        "For devices from between 2022-04-01 and 2026-07-01.",  # a date, but not the document's
        "Warranty, as of 2026-07-01, page 1",  # a running header tells when it was printed
        "Last updated 2026-02-30.",
        "Last updated in summer.",
    ],
)
def test_another_date_is_not_the_documents(line: str) -> None:
    assert stated_date(line) is None


def test_a_date_far_down_is_about_something_else() -> None:
    assert stated_date("x" * HEAD + " The form was updated 2026-07-01.") is None


@pytest.mark.parametrize(
    ("format", "raw"),
    [
        ("markdown", b"---\ntitle: Leave\nupdated: 2026-07-01\n---\nLast updated 2020-01-01."),
        ("markdown", b"---\ndate: 2026-07-01 10:00:00\n---\nDays of leave."),
        ("html", b'<head><meta name="date" content="2026-07-01T08:00Z"></head><p>Leave.'),
        ("html", b"<main><p>Last updated <b>2026-07-01</b>.</p></main>"),
        ("text", b"Leave, published 2026-07-01"),
    ],
)
def test_metadata_goes_before_the_text(format: str, raw: bytes) -> None:
    assert parse(raw, format, "leave").stated_at == JULY


def test_a_document_without_a_date_has_none() -> None:
    assert (
        parse(b"---\ntitle: Leave\n---\nDays of leave.", "markdown", "leave.md").stated_at is None
    )
