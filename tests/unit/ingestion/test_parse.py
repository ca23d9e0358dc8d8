"""Each format as text: nothing of a real document is lost, and what cannot be read says why."""

from datetime import datetime

import mammoth  # noqa: F401 - imported here, so that its warnings belong to no test
import pypdfium2
import pytest
from tests.fakes.documents import docx, paragraph, pdf, xlsx

from ingestion.documents.validate import validate
from ingestion.errors import DocumentError
from ingestion.markup.number_format import shown
from ingestion.parse import Parsed, decoded, format_of, normalised, parse


def parsed(raw: str | bytes, format: str) -> Parsed:
    return parse(raw.encode() if isinstance(raw, str) else raw, format, f"folder/name.{format}")


def test_markdown_is_kept_as_it_was_written() -> None:
    text = "# Title\n\nSome *text* with {% tags %}.\n\n```\n# no heading\n```\n\nTwo\n---\n\nEnd."

    document = parsed(text, "markdown")

    assert document.text == text
    assert document.title == "Title"
    assert [(h.level, h.text, document.text[h.start]) for h in document.headings] == [
        (1, "Title", "#"),
        (2, "Two", "T"),
    ]


def test_a_front_matter_gives_the_title_and_is_no_text() -> None:
    document = parsed("---\ntitle: Leave\ntags: [a]\n---\n# First\n\nText.\n", "markdown")

    assert document.title == "Leave"
    assert document.text == "# First\n\nText."


def test_a_page_that_is_only_front_matter_keeps_it_as_text() -> None:
    document = parsed("---\ntitle: Moved\nredirect_to: /new\n---\n", "markdown")

    assert document.text == "title: Moved\nredirect_to: /new"


def test_a_broken_front_matter_is_no_reason_to_lose_a_page() -> None:
    assert parsed("---\ntitle: [\n---\nText.", "markdown").text == "Text."


PAGE = """<html><head><title>Site | Travel</title><style>p {}</style></head><body>
<nav>Home News</nav><main><h1>Travel <em>policy</em></h1>
<p>Book early, see <a href="/x">rates</a> and <a href="https://gsa.gov">GSA</a>.</p>
<dl><dt>Per diem</dt><dd>Paid by day</dd></dl>
<table><tr><th>City</th><th>Rate</th></tr><tr><td>Z&uuml;rich</td><td>90</td></tr></table>
<pre><code>npm install_it</code></pre><h2>Empty</h2></main>
<footer>Imprint</footer><script>evil()</script></body></html>"""


def test_html_keeps_its_content_and_leaves_out_the_frame() -> None:
    document = parsed(PAGE, "html")

    assert document.title == "Travel *policy*"
    for kept in ("rates", "[GSA](https://gsa.gov)", "Per diem", "Paid by day", "npm install_it"):
        assert kept in document.text
    for left_out in ("Home", "Imprint", "evil", "p {}", "/x"):
        assert left_out not in document.text
    assert "| City | Rate |\n| --- | --- |\n| Zürich | 90 |" in document.text
    [table] = document.tables
    assert document.text[table.start : table.header_end] == "| City | Rate |\n"


def test_html_without_a_heading_goes_by_its_title() -> None:
    assert parsed("<title>A\n B</title><body><p>Text", "html").title == "A B"


def test_a_small_main_part_does_not_hide_the_rest_of_a_page() -> None:
    document = parsed("<body><article>Short</article><p>The long rest of the page</p>", "html")

    assert "The long rest" in document.text


def test_docx_keeps_paragraphs_and_tables() -> None:
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("City", "Rate"))
    row = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Bern", "80"))
    table = f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{row}</w:tr></w:tbl>"

    document = parsed(docx(paragraph("Rates by city") + table), "docx")

    assert document.text.startswith("Rates by city")
    assert "| City | Rate |\n| --- | --- |\n| Bern | 80 |" in document.text
    assert document.title == "name"


def test_a_docx_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.parsers.package.MAX_UNZIPPED_BYTES", 100_000)

    with pytest.raises(DocumentError, match="unpacks to more than 100,000 bytes"):
        parsed(docx(paragraph("x"), {"word/bomb.xml": "0" * 200_000}), "docx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_office_file_with_xml_entities_is_refused(encoding: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'.encode(encoding)

    with pytest.raises(DocumentError, match="XML entities"):
        parsed(docx(paragraph("x"), {"word/x.xml": bomb}), "docx")
    with pytest.raises(DocumentError, match="XML entities"):
        parsed(xlsx({"a": [["x"]]}, {"xl/x.xml": bomb}), "xlsx")


def test_a_workbook_gives_a_heading_per_sheet_and_a_table_per_block_of_rows() -> None:
    rates = [
        ["Rates of 2026"],
        ["City", "Rate", "Since"],
        ["Bern | BE", 80.5, 46023],
        ["Zürich\nand around", 0.1 + 0.2, None],
        [],
        ["", "Class", "Days"],
        ["", "B", 1e6],
    ]

    document = parsed(xlsx({"Rates": rates, "Empty": [], "Notes": [["Ask Ada."]]}), "xlsx")

    assert document.title == "name"
    assert document.text == (
        "## Rates\n\nRates of 2026\n\n"
        "| City | Rate | Since |\n| --- | --- | --- |\n"
        "| Bern \\| BE | 80.5 | 46023 |\n| Zürich and around | 0.3 |  |\n\n"
        "| Class | Days |\n| --- | --- |\n| B | 1000000 |\n\n"
        "## Notes\n\nAsk Ada."
    )
    assert [heading.text for heading in document.headings] == ["Rates", "Notes"]
    assert len(document.tables) == 2


def test_dates_and_truths_of_a_workbook_read_as_in_a_spreadsheet() -> None:
    values = (datetime(2026, 3, 1), datetime(2026, 3, 1, 9, 30), True)

    assert [shown(value, "General") for value in values] == [
        "2026-03-01",
        "2026-03-01 09:30",
        "TRUE",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"City,Rate\nBern,80\n",
        'City;Rate\r\n"Bern";80\r\n'.encode("utf-16"),
        b"City\tRate\rBern\t80",
        b'\n"City"|"Rate"\nBern|80\n',
    ],
)
def test_csv_is_a_table_whatever_its_delimiter(raw: bytes) -> None:
    document = parsed(raw, "csv")

    assert document.text == "| City | Rate |\n| --- | --- |\n| Bern | 80 |"
    assert len(document.tables) == 1


@pytest.mark.parametrize(
    ("raw", "rows"),
    [
        ("City;Rate\nBern;80,5\nBasel;81,5", 4),  # decimal commas
        ('a,b\n"x, y\nz",1', 3),  # a line feed within a cell
        ("\tMon\tTue\nAda\t1\t2", 3),  # no name above the first column
    ],
)
def test_csv_keeps_its_cells_whole(raw: str, rows: int) -> None:
    lines = parsed(raw, "csv").text.splitlines()

    assert len(lines) == rows
    assert len({line.count("|") for line in lines}) == 1


def test_a_pdf_keeps_where_each_page_starts() -> None:
    document = parsed(pdf("The first page", "The second page"), "pdf")

    assert document.text == "The first page\n\nThe second page"
    assert document.pages == (0, 16)
    assert pypdfium2.PYPDFIUM_INFO


@pytest.mark.parametrize("format", ["pdf", "docx", "xlsx"])
def test_a_broken_file_is_refused_with_a_reason(format: str) -> None:
    with pytest.raises(DocumentError, match=r"is cut short|cannot be read as"):
        parsed(b"%PDF-1.4 PK\x03\x04 rubbish", format)


def test_a_pdf_that_was_cut_short_is_not_taken_for_a_shorter_one() -> None:
    with pytest.raises(DocumentError, match="it is cut short"):
        parsed(pdf("The first page", "The second page")[:-40], "pdf")


def test_a_pdf_without_text_is_called_a_scan() -> None:
    with pytest.raises(DocumentError, match="2 pages without text: a scan"):
        validate(parsed(pdf("", ""), "pdf"))


def test_html_nested_too_deeply_is_refused() -> None:
    with pytest.raises(DocumentError, match="nested too deeply"):
        parsed("<div>" * 10_000 + "text" + "</div>" * 10_000, "html")


@pytest.mark.parametrize(
    "raw",
    [
        "Überstunden – ja".encode("utf-8-sig"),
        "Überstunden – ja".encode("utf-16"),
        "Überstunden – ja".encode(),
        "Überstunden – ja".encode("cp1252"),
    ],
)
def test_text_is_decoded_whatever_its_encoding(raw: bytes) -> None:
    assert "berstunden" in decoded(raw)
    assert "\ufffd" not in decoded(raw)


def test_text_is_normalised_before_spans_point_into_it() -> None:
    assert normalised("\r\nU\u0308ber\r\nzwei\x00\x0b\rdrei\x0cvier\ud800 \n") == (
        "Über\nzwei\ndrei\nvier\ufffd"
    )


def test_a_json_row_gives_title_and_text() -> None:
    assert parsed('{"_id": "1", "title": "T", "text": " a\\ud800b "}', "jsonl") == Parsed(
        "T", "a\ufffdb", metadata={"title": "T"}
    )
    with pytest.raises(DocumentError, match="must be strings"):
        parsed('{"_id": "1", "text": ["a"]}', "jsonl")


def test_an_unsupported_format_names_the_supported_ones() -> None:
    assert format_of("a/B.MD") == "markdown"
    with pytest.raises(DocumentError, match=r"format \.odg is not supported; supported: \.md"):
        format_of("a/b.odg")
    with pytest.raises(DocumentError, match="format without a suffix"):
        format_of("Makefile")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" .\n—", "it has no text"),
        ("\ufffd" * 20 + "abc", "mostly unreadable characters"),
        ("MÃ¼ller fÃ¤hrt Ã¼ber", "mostly mojibake"),
    ],
)
def test_text_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        validate(Parsed("t", text))


@pytest.mark.parametrize("text", ["yes", "Zürich – São Paulo, Ângela Ãvila", "漢字"])
def test_ordinary_text_passes(text: str) -> None:
    validate(Parsed("t", text))
