"""Office files and PDFs made by hand, byte for byte the same each time."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape


def docx(body: str, extra: dict[str, str | bytes] | None = None) -> bytes:
    """A Word document with this XML as its body; `extra` parts by name."""
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
    return _zipped({**parts, **(extra or {})})


def paragraph(text: str) -> str:
    """A paragraph of a Word document."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[str | float | None]]],
    extra: dict[str, str | bytes] | None = None,
) -> bytes:
    """A workbook with these rows in each sheet; texts are shared strings, as Excel writes them."""
    types = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    excel = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    texts: dict[str, int] = {}
    parts: dict[str, str | bytes] = {}
    for number, rows in enumerate(sheets.values(), 1):
        data = "".join(
            f"<row>{''.join(_cell(value, texts) for value in row)}</row>" for row in rows
        )
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{excel}"><sheetData>{data}</sheetData></worksheet>'
        )
    numbers = range(1, len(sheets) + 1)
    names = zip(numbers, sheets, strict=True)
    return _zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{types}/content-types">'
            f'<Default Extension="rels" ContentType="{types}/relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            '<Override PartName="/xl/sharedStrings.xml" '
            f'ContentType="{kind}.sharedStrings+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{types}/relationships"><Relationship Id="r" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{excel}" xmlns:r="{office}"><sheets>'
            + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in names)
            + "</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{types}/relationships">'
            + "".join(
                f'<Relationship Id="r{n}" Type="{office}/worksheet" '
                f'Target="worksheets/sheet{n}.xml"/>'
                for n in numbers
            )
            + f'<Relationship Id="s" Type="{office}/sharedStrings" Target="sharedStrings.xml"/>'
            "</Relationships>",
            "xl/sharedStrings.xml": f'<sst xmlns="{excel}">'
            + "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
            + "</sst>",
            **parts,
            **(extra or {}),
        }
    )


def _cell(value: str | float | None, texts: dict[str, int]) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'
    return f"<c><v>{value!r}</v></c>"


def _zipped(parts: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


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
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    return (
        f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF"
    ).encode()
