"""What each format must and must not give: one row per case, and a new case is one line.

A row is a file's name, its bytes, the strings that must appear in its text, and those that must
not. "title:", "note:" and "table:" rows look at the title, the notes and the rows of tables.
"""

from collections.abc import Callable

import mammoth  # noqa: F401 - imported here, so that its warnings belong to no test
import pytest
from tests.parsers.found import FOUND
from tests.parsers.rows import ROWS as FIRST_ROWS
from tests.parsers.rows import Row
from tests.parsers.table import faults

from ingestion.errors import DocumentError
from ingestion.markup.structure import structured
from ingestion.parse import parse
from ingestion.parsers import NAMES, format_of

ROWS: list[Row] = [*FIRST_ROWS, *FOUND]


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{number}-{row[0]}") for number, row in enumerate(ROWS)]
)
def test_a_document_gives_what_it_says_and_no_more(row: Row) -> None:
    assert faults(row, parse, format_of(row[0])) == []


def test_every_format_has_a_row() -> None:
    assert {format_of(file) for file, *_ in ROWS} == set(NAMES) - {"jsonl"}
    assert len(ROWS) >= 150


@pytest.mark.parametrize(("file", "raw"), [row[:2] for row in ROWS if row[0].endswith("pdf")])
def test_tables_of_a_pdf_stand_where_it_says(file: str, raw: bytes) -> None:
    parsed = parse(raw, "pdf", file)

    assert len(parsed.tables) == parsed.text.count("| --- |\n")
    for table in parsed.tables:
        again = structured(parsed.text[table.start : table.end], "", "").tables
        assert [(each.start, each.end) for each in again] == [(0, table.end - table.start)]


@pytest.mark.parametrize(
    ("file", "raw", "reason"),
    [
        ("a.pptx", b"PK", "cannot be read as pptx"),
        ("a.epub", b"PK", "cannot be read as epub"),
        ("a.ipynb", b"[]", "cannot be read as ipynb"),
        ("a.json", b"{", "cannot be read as json"),
        ("a.eml", b"no headers", "none of the headers"),
        ("a.xml", b"<a>", "cannot be read as xml"),
        ("a.xml", b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "XML entities"),
        ("a.docx", b"\xd0\xcf\x11\xe0 old", "encrypted, or of an old format"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(file: str, raw: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        parse(raw, format_of(file), file)


@pytest.mark.parametrize(
    "repeated",
    [
        lambda n: "a.md" and ("<!-- x " * n),
        lambda n: "`" * n + "<!--" * n,
        lambda n: "-" * n + "\n" + "a: b\n" * n,
        lambda n: "[//]: # (" * n,
    ],
)
def test_hostile_markdown_is_read_in_time(repeated: Callable[[int], str]) -> None:
    assert parse(repeated(5_000).encode(), "markdown", "a.md").text
