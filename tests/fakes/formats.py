"""Documents of each binary format, built for the table of `test_parsers.py`."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any

from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches
from tests.fakes.documents import docx, paragraph


def workbook(*sheets: Mapping[str, Any]) -> bytes:
    """Sheets of `rows`, `formats` and `merged` by cell, `hidden` rows and columns, `state`."""
    book = Workbook()
    book.remove(book.active)
    for number, given in enumerate(sheets, 1):
        sheet = book.create_sheet(given.get("name", f"Sheet{number}"))
        for row in given.get("rows", ()):
            sheet.append(row)
        for place, number_format in given.get("formats", {}).items():
            sheet[place].number_format = number_format
        for merged in given.get("merged", ()):
            sheet.merge_cells(merged)
        for row in given.get("hidden_rows", ()):
            sheet.row_dimensions[row].hidden = True
        for column in given.get("hidden_columns", ()):
            sheet.column_dimensions[column].hidden = True
        sheet.sheet_state = given.get("state", "visible")
    if all(sheet.sheet_state != "visible" for sheet in book.worksheets):
        book.create_sheet("Empty")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def one_cell(value: object, number_format: str) -> bytes:
    """A workbook with one formatted value below the header "Value"."""
    rows = [["Name", "Value"], ["a", value]]
    return workbook({"rows": rows, "formats": {"B2": number_format}})


def run(text: str, properties: str = "") -> str:
    """A run of a Word document."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def word(*runs: str) -> bytes:
    """A Word document with one paragraph of these runs."""
    return docx(f"<w:p>{''.join(runs)}</w:p>")


def word_table(*rows: Sequence[tuple[str, str] | str]) -> bytes:
    """A Word document with a table; a cell is its text, or its text and properties."""
    lines = []
    for row in rows:
        cells = [(each, "") if isinstance(each, str) else each for each in row]
        lines.append(
            "".join(
                f"<w:tc><w:tcPr>{properties}</w:tcPr>"
                f"{text if text[:1] == '<' else paragraph(text)}</w:tc>"
                for text, properties in cells
            )
        )
    return docx("<w:tbl>" + "".join(f"<w:tr>{line}</w:tr>" for line in lines) + "</w:tbl>")


FIELDS = {
    "typed": "/FT/Tx/T(policy)/V(PN-4471)",
    "ticked": "/FT/Btn/T(b)/V/Yes/AS/Yes/AP<</N<</Yes 90 0 R/Off 90 0 R>>>>",
    "open": "/FT/Btn/T(c)/V/Off/AS/Off/AP<</N<</Yes 90 0 R/Off 90 0 R>>>>",
    "chosen": "/FT/Ch/Ff 131072/T(d)/Opt[(Basel)(Bern)(Chur)]/V(Bern)",
    "secret": "/FT/Tx/Ff 8192/T(e)/V(hunter2)",
    "hidden": "/FT/Tx/F 2/T(f)/V(unseen)",
    "empty": "/FT/Tx/T(g)",
    "unicode": "/FT/Tx/T(h)/V<FEFF005A00FC0072006900630068>",
}


def pages(*contents: str, fields: Mapping[str, str] | None = None, rotate: int = 0) -> bytes:
    """A PDF of these content streams; `fields` of the first page, by kind, with their places.

    F1 is Helvetica; Im1 a picture of one pixel, Fm1 an empty form.
    """
    fields = fields or {}
    numbers = [100 + 2 * i for i in range(len(contents))]
    widgets = [50 + i for i in range(len(fields))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    form = f"/AcroForm<</Fields[{' '.join(f'{w} 0 R' for w in widgets)}]>>" if fields else ""
    objects = {
        1: f"<</Type/Catalog/Pages 2 0 R{form}>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(contents)}>>",
        3: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        4: "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray"
        "/BitsPerComponent 8/Length 1>>stream\nA\nendstream",
        90: "<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 0>>stream\n\nendstream",
    }
    for widget, (kind, place) in zip(widgets, fields.items(), strict=True):
        objects[widget] = f"<</Type/Annot/Subtype/Widget/Rect[{place}]{FIELDS[kind]}>>"
    for i, (number, content) in enumerate(zip(numbers, contents, strict=True)):
        annotations = (
            f"/Annots[{' '.join(f'{w} 0 R' for w in widgets)}]" if widgets and not i else ""
        )
        objects[number] = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Rotate {rotate}"
            f"/Resources<</Font<</F1 3 0 R>>/XObject<</Im1 4 0 R>>>>{annotations}"
            f"/Contents {number + 1} 0 R>>"
        )
        length = len(content.encode("cp1252"))
        objects[number + 1] = f"<</Length {length}>>stream\n{content}\nendstream"
    body, offsets = "%PDF-1.7\n", {}
    for number in sorted(objects):
        offsets[number] = len(body.encode("cp1252"))
        body += f"{number} 0 obj{objects[number]}\nendobj\n"
    table = "0 1\n0000000000 65535 f \n"
    table += "".join(f"{n} 1\n{offset:010} 00000 n \n" for n, offset in sorted(offsets.items()))
    start = len(body.encode("cp1252"))
    trailer = f"trailer<</Size {max(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
    return f"{body}xref\n{table}{trailer}".encode("cp1252")


def at(x: float, y: float, text: str, before: str = "", size: float = 12) -> str:
    """A piece of text at a place; `before` are operators that hold for it alone."""
    text = text.replace("(", r"\(").replace(")", r"\)")
    return f"q {before} BT /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET Q\n"


def grid(xs: Sequence[float], ys: Sequence[float]) -> str:
    """Rules along these places."""
    level = "".join(f"{xs[0]} {y} m {xs[-1]} {y} l S\n" for y in ys)
    return level + "".join(f"{x} {ys[0]} m {x} {ys[-1]} l S\n" for x in xs)


def cells(xs: Sequence[float], top: float, *rows: Sequence[str], feed: float = 20) -> str:
    """Rows of texts, each at the place of its column; "" draws nothing."""
    return "".join(
        at(x, top - i * feed, text)
        for i, row in enumerate(rows)
        for x, text in zip(xs, row, strict=True)
        if text
    )


def slides(*given: Mapping[str, Any]) -> bytes:
    """A presentation of slides with `title`, `text`, `notes`, `table`, `merged`, `hidden`."""
    deck = Presentation()
    for each in given:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = each.get("title", "")
        slide.placeholders[1].text = each.get("text", "")
        if rows := each.get("table"):
            size = Inches(1)
            frame = slide.shapes.add_table(len(rows), len(rows[0]), size, Inches(4), size, size)
            for i, row in enumerate(rows):
                for j, text in enumerate(row):
                    frame.table.cell(i, j).text = text
            for first, last in each.get("merged", ()):
                frame.table.cell(*first).merge(frame.table.cell(*last))
        if each.get("notes"):
            slide.notes_slide.notes_text_frame.text = each["notes"]
        if each.get("hidden"):
            slide._element.set("show", "0")
        if each.get("raised"):
            text, mark = each["raised"]
            run = slide.placeholders[1].text_frame.paragraphs[0]
            run.text = text
            raised = run.add_run()
            raised.text = mark
            raised._r.get_or_add_rPr().set("baseline", "30000")
    file = io.BytesIO()
    deck.save(file)
    return file.getvalue()


def mail(subject: str, text: str, html: str = "", **attachments: bytes) -> bytes:
    """An e-mail; `notes_txt=b"x"` attaches notes.txt."""
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "Ada <ada@example.com>"
    message["To"], message["Date"] = "bob@example.com", "Mon, 02 Mar 2026 09:30:00 +0100"
    if text:
        message.set_content(text)
    if html:
        (message.add_alternative if text else message.set_content)(html, subtype="html")
    for name, content in attachments.items():
        file = ".".join(name.rsplit("_", 1))
        message.add_attachment(content, "application", "octet-stream", filename=file)
    return message.as_bytes()


def book(*chapters: str, title: str = "The Book") -> bytes:
    """An EPUB with these bodies of XHTML; the last one is not in the reading order."""
    items = "".join(
        f'<item id="c{i}" href="text/c%20{i}.xhtml" media-type="application/xhtml+xml"/>'
        for i in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{i}"/>' for i in reversed(range(len(chapters))))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("mimetype", "application/epub+zip")
        package.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/a.opf"/></rootfiles></container>',
        )
        package.writestr(
            "OEBPS/a.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            f"<dc:title>{title}</dc:title><dc:date>2026-03-01</dc:date></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for i, body in enumerate(chapters):
            package.writestr(
                f"OEBPS/text/c {i}.xhtml",
                '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
                f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>',
            )
    return file.getvalue()


def notebook(*cells: Mapping[str, Any]) -> bytes:
    """A Jupyter notebook of Python with these cells."""
    metadata = {"language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": cells}).encode()
