"""Each format as text: nothing of a real document is lost, and what cannot be read says why."""

import io
import zipfile

import mammoth  # noqa: F401 - imported here, so that its warnings belong to no test
import pypdfium2
import pytest

from ingestion.errors import DocumentError
from ingestion.parse import Parsed, decoded, format_of, normalised, parse
from ingestion.validate import validate


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


def docx(body: str, extra: dict[str, str] | None = None) -> bytes:
    types = "http://schemas.openxmlformats.org/package/2006"
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{types}/content-types">'
        f'<Default Extension="rels" ContentType="{types}/relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{types}/relationships"><Relationship Id="r" '
        f'Type="{office}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in {**parts, **(extra or {})}.items():
            package.writestr(name, content)
    return file.getvalue()


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_docx_keeps_paragraphs_and_tables() -> None:
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("City", "Rate"))
    row = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Bern", "80"))
    table = f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{row}</w:tr></w:tbl>"

    document = parsed(docx(paragraph("Rates by city") + table), "docx")

    assert document.text.startswith("Rates by city")
    assert "| City | Rate |\n| --- | --- |\n| Bern | 80 |" in document.text
    assert document.title == "name"


def test_a_docx_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.parse.MAX_UNZIPPED_BYTES", 100_000)

    with pytest.raises(DocumentError, match="unpacks to more than 100,000 bytes"):
        parsed(docx(paragraph("x"), {"word/bomb.xml": "0" * 200_000}), "docx")


def test_a_docx_with_xml_entities_is_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'

    with pytest.raises(DocumentError, match="XML entities"):
        parsed(docx(paragraph("x"), {"word/x.xml": bomb}), "docx")


def pdf(*pages: str) -> bytes:
    """A PDF made by hand: one line of Helvetica per page."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for i, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET"
        objects.append(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]"
            f"/Resources<</Font<</F1 3 0 R>>>>/Contents {5 + 2 * i} 0 R>>"
        )
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    body = "%PDF-1.4\n" + "".join(f"{n} 0 obj{o}\nendobj\n" for n, o in enumerate(objects, 1))
    return f"{body}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\n%%EOF".encode()


def test_a_pdf_keeps_where_each_page_starts() -> None:
    document = parsed(pdf("The first page", "The second page"), "pdf")

    assert document.text == "The first page\n\nThe second page"
    assert document.pages == (0, 16)
    assert pypdfium2.PYPDFIUM_INFO


@pytest.mark.parametrize("format", ["pdf", "docx"])
def test_a_broken_file_is_refused_with_a_reason(format: str) -> None:
    with pytest.raises(DocumentError, match=r"is not a readable PDF|cannot be read as docx"):
        parsed(b"%PDF-1.4 PK\x03\x04 rubbish", format)


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
    with pytest.raises(DocumentError, match=r"format \.xlsx is not supported; supported: \.md"):
        format_of("a/b.xlsx")
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
