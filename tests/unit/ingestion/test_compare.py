"""The parser and the second reader see the same, and the comparison notices where they do not."""

from datetime import UTC, datetime

import pytest
from tests.fakes.formats import word_table

from contracts.index import ChunkPayload, DocumentManifest
from ingestion import compare
from ingestion.compare import Indexed, differences
from ingestion.errors import DocumentError
from ingestion.parse import format_of, parse
from ingestion.raw import Raw, extract

from .test_parsers import ROWS

SPANS = b"<table><tr><th>Grade<th>Role<th>Pay<tr><td rowspan=2>G7<td>Clerk<td>30<tr><td>Lead<td>42</table>"


def findings(raw: Raw, text: str, title: str = "") -> list[tuple[str, str]]:
    """Kind and detail of each finding about a document with this text in the index."""
    place = {"tenant": "t", "source": "s", "document_id": "s/a", "version": "v", "run_id": "r"}
    manifest = DocumentManifest(
        **place, path="a", title=title, format="html", text_sha256="", characters=len(text),
        chunks=1, raw_bytes=1, committed_at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    chunk = ChunkPayload(**place, ordinal=0, text=text, start=0, end=len(text), headings=[])
    return [(each.kind, each.detail) for each in differences(raw, Indexed(manifest, [chunk]))]


@pytest.mark.parametrize(
    ("file", "raw"),
    [pytest.param(*row[:2], id=f"{number}-{row[0]}") for number, row in enumerate(ROWS)],
)
def test_the_audit_finds_nothing_wrong_with_what_the_parser_reads(
    file: str, raw: str | bytes
) -> None:
    content = raw.encode() if isinstance(raw, str) else raw
    parsed = parse(content, format_of(file), file)

    found = findings(extract(content, format_of(file)), parsed.text, parsed.title)

    assert [
        each for each in found if each[0] != "shape"
    ] == []  # of a few words, lengths say little


@pytest.mark.parametrize(
    ("format", "raw", "text"),
    [
        ("html", SPANS, "| Grade | Role | Pay |\n| G7 | Clerk | 30 |\n| Lead | 42 |"),
        ("html", SPANS, "| Grade | Role | Pay |\n| Clerk | G7 | 30 |\n| G7 | Lead | 42 |"),
        ("csv", b"A,B,C\n1,2,3\n4,5,6", "| A | B | C |\n| 1 | 3 | 2 |\n| 4 | 6 | 5 |"),
        ("docx", word_table(["Grade", "Role"], [("G7", '<w:vMerge w:val="restart"/>'), "Clerk"], [("", "<w:vMerge/>"), "Lead"]), "| Grade | Role |\n| G7 | Clerk |\n| Lead |  |"),
    ],
)  # fmt: skip
def test_cells_in_the_wrong_place_are_found(format: str, raw: bytes, text: str) -> None:
    assert "tables lost" in dict(findings(extract(raw, format), text))


def test_rows_are_looked_up_in_time_linear_in_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []
    letters = compare._letters
    monkeypatch.setattr(compare, "_letters", lambda text: counted.append(1) or letters(text))

    def work(rows: int) -> int:
        counted.clear()
        raw = "\n".join(f"name {i},value {i}" for i in range(rows)).encode()
        assert not dict(findings(extract(raw, "csv"), parse(raw, "csv", "a.csv").text)).get(
            "tables lost"
        )
        return len(counted)

    assert work(4000) < 5 * work(1000)


@pytest.mark.parametrize(
    "text",
    [
        "a | b\n|" + " " * 200_000,
        "a | b\n" + "|" * 200_000,
        "a | b\n" + "-|" * 100_000,
        "a | b\n--|--\n" * 10_000,
        "---\n" + "a: b\n" * 20_000,
    ],
)
def test_hostile_markdown_is_read_in_linear_time(text: str) -> None:
    assert extract(text.encode(), "markdown").text  # a quadratic reader would take hours


def test_a_format_without_a_second_reader_is_not_compared() -> None:
    with pytest.raises(DocumentError, match="no second reader of dance"):
        extract(b"x", "dance")
