"""What the second extractor reads, and what it leaves out."""

import io
import zipfile

import pytest
from tests.fakes.documents import xlsx

from ingestion.errors import DocumentError
from ingestion.raw import Raw, extract

PAGE = """<!doctype html><title>T</title><body><header>Top</header><nav>Menu<br></nav>
<main><script>code</script><h1>Leave</h1><p>Twenty <b>fi</b>ve&nbsp;days.
<table><tr><th>Day<th>Hours</tr><tr><td>Monday</td><td>9 <i>to</i> 5</td></tr></table>
<div role=navigation>More</div></main><footer>Imprint</footer>"""


def test_a_page_gives_its_main_part_and_its_rows() -> None:
    raw = extract(PAGE.encode(), "html")

    assert " ".join(raw.text.split()) == "Leave Twenty five days. Day Hours Monday 9 to 5"
    assert raw.rows == (("Day", "Hours"), ("Monday", "9 to 5"))


def test_a_page_without_a_main_part_leaves_navigation_and_footer_out() -> None:
    raw = extract(b"<nav><nav>a</nav>b</nav><p>text</p><footer>f</footer></nav>", "html")

    assert raw.text == "text"


def test_markdown_gives_the_rows_of_its_tables_and_no_front_matter() -> None:
    raw = extract(
        b"---\ntitle: x\n---\n\nA | b\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\nend", "markdown"
    )

    assert raw.rows == (("a", "b"), ("1", "2"))
    assert "title" not in raw.text


def test_a_word_document_is_read_without_its_fallbacks() -> None:
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = (
        "<w:p><w:r><w:t>One</w:t><w:tab/><w:t>two</w:t></w:r></w:p>"
        "<w:Fallback><w:p><w:r><w:t>One</w:t></w:r></w:p></w:Fallback>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as zipped:
        xml = f'<w:document xmlns:w="{w}"><w:body>{body}</w:body></w:document>'
        zipped.writestr("word/document.xml", xml)

    assert extract(package.getvalue(), "docx") == Raw("One\ttwo\na\nb", (("a", "b"),))


def test_spreadsheets_give_the_rows_and_a_text_as_long_as_the_parsers() -> None:
    sheets = extract(xlsx({"a": [["Ada", "Day"], [], ["Bob", 46023, "n"]]}), "xlsx")
    rows = extract(b"Ada;Day\r\n;;\r\nBob;1,5\r\n", "csv")

    assert sheets == Raw(
        "| Ada | Day |\n| Bob | 46023 | n |", (("Ada", "Day"), (), ("Bob", None, "n"))
    )
    assert rows.text == "| Ada | Day |\n| Bob | 1,5 |"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_decoded_as_it_was_saved(encoding: str) -> None:
    assert extract("Überstunden – ja".encode(encoding), "text").text == "Überstunden – ja"


def test_a_page_is_decoded_as_it_declares() -> None:
    page = '<meta charset="iso-8859-2"><p>Łódź'

    assert extract(page.encode("iso-8859-2"), "html").text == "Łódź"


def test_a_row_of_json_lines_is_title_and_text() -> None:
    assert extract(b'{"_id": "1", "title": "T", "text": "x"}', "jsonl").text == "T\nx"


@pytest.mark.parametrize("format", ["pdf", "docx", "jsonl"])
def test_what_cannot_be_read_is_a_reason(format: str) -> None:
    with pytest.raises(DocumentError, match="the second extractor cannot read it"):
        extract(b"neither", format)
