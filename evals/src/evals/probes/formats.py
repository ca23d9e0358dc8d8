"""Pages as files: a page written in a small part of Markdown, in each format that ingestion reads.

The bytes do not depend on day or machine, so a file that did not change is not synced again.
"""

import io
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from html import escape

LINE = 90  # characters of a PDF's line
LINES = 52  # of a PDF's page
WORD_XML = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE_XML = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_XML = "http://schemas.openxmlformats.org/package/2006"


def blocks(page: str) -> Iterator[str | list[list[str]]]:
    """Title, then paragraphs as strings and tables as rows of cells, header first."""
    for block in page.strip().split("\n\n"):
        if block.startswith("|"):
            rows = [line.strip("| ").split(" | ") for line in block.splitlines()]
            yield [rows[0], *rows[2:]]
        else:
            yield block.removeprefix("# ")


def as_markdown(page: str) -> bytes:
    """The page as it was written."""
    return f"{page.strip()}\n".encode()


def as_text(page: str) -> bytes:
    """Paragraphs of one line each."""
    return "\n\n".join(_lines(page)).encode()


def as_html(page: str) -> bytes:
    """A page with a bar of links and a footer around its main part."""
    title, *rest = blocks(page)
    main = "\n".join(
        f"<p>{escape(block)}</p>" if isinstance(block, str) else _html_table(block)
        for block in rest
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{escape(str(title))}</title></head>\n<body>\n"
        '<nav><a href="/">Home</a> <a href="/news">News</a></nav>\n'
        f"<main>\n<h1>{escape(str(title))}</h1>\n{main}\n</main>\n"
        "<footer>Printed on recycled paper</footer>\n</body>\n</html>\n"
    ).encode()


def as_pdf(page: str) -> bytes:
    """Plain lines in Helvetica; letters outside Windows-1252 are lost, so there are none."""
    lines = [line for text in _lines(page) for line in (*textwrap.wrap(text, LINE), "")]
    sheets = [lines[at : at + LINES] for at in range(0, len(lines), LINES)]
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(sheets)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(sheets)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Title (%s) >>" % _pdf_string(lines[0]),
    ]
    for sheet in sheets:
        shown = b"\n".join(b"(%s) Tj T*" % _pdf_string(line) for line in sheet)
        content = b"BT /F1 11 Tf 14 TL 60 780 Td\n%s\nET" % shown
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (len(objects) + 2),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    out, starts = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        starts.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(objects) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\n" % size
        + b"startxref\n%d\n%%%%EOF\n" % len(out)
    )


def as_docx(page: str) -> bytes:
    """A Word package of the least parts: a heading, paragraphs and tables."""
    title, *rest = blocks(page)
    body = _word_paragraph(str(title), '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>')
    body += "".join(
        _word_paragraph(block) if isinstance(block, str) else _word_table(block) for block in rest
    )
    kinds = "".join(
        f'<Override PartName="/word/{part}.xml" ContentType="application/'
        f'vnd.openxmlformats-officedocument.wordprocessingml.{kind}+xml"/>'
        for part, kind in (("document", "document.main"), ("styles", "styles"))
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE_XML}/content-types"><Default Extension='
        '"rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f"{kinds}</Types>",
        "_rels/.rels": _word_link("officeDocument", "word/document.xml"),
        "word/_rels/document.xml.rels": _word_link("styles", "styles.xml"),
        "word/document.xml": f'<w:document xmlns:w="{WORD_XML}"><w:body>{body}</w:body>'
        "</w:document>",
        "word/styles.xml": f'<w:styles xmlns:w="{WORD_XML}"><w:style w:type="paragraph" '
        'w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:  # stored: zlib's bytes differ between its builds
        for name, xml in parts.items():
            declared = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{xml}'
            package.writestr(zipfile.ZipInfo(name), declared)  # dated 1980
    return out.getvalue()


FORMATS: dict[str, Callable[[str], bytes]] = {
    "md": as_markdown,
    "html": as_html,
    "pdf": as_pdf,
    "docx": as_docx,
    "txt": as_text,
}


def _lines(page: str) -> Iterator[str]:
    for block in blocks(page):
        yield from [block] if isinstance(block, str) else map("   ".join, block)


def _html_table(rows: list[list[str]]) -> str:
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _pdf_string(text: str) -> bytes:
    return text.translate({ord(mark): f"\\{mark}" for mark in "\\()"}).encode("cp1252", "replace")


def _word_paragraph(text: str, style: str = "") -> str:
    return f'<w:p>{style}<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _word_table(rows: list[list[str]]) -> str:
    lines = ("".join(f"<w:tc>{_word_paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{line}</w:tr>" for line in lines) + "</w:tbl>"


def _word_link(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{PACKAGE_XML}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE_XML}/{kind}" Target="{target}"/></Relationships>'
    )
