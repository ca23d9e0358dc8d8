"""A Word document as Markdown, tables included."""

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import mammoth  # type: ignore[import-untyped]  # it ships no types

from ingestion.markup.convert import markdown_of
from ingestion.markup.structure import structured
from ingestion.parsers import package
from ingestion.parsers.document import Parsed
from ingestion.text import normalised

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFF = ("0", "false", "off")
_DOCUMENT = "word/document.xml"
_WITH_TEXT = (_DOCUMENT, "word/footnotes.xml", "word/endnotes.xml")


def parse(raw: bytes, name: str) -> Parsed:
    """Headings, paragraphs, lists, tables and notes; hidden and deleted text is left out."""
    with package.opened(raw) as source:
        cleaned, hidden = _cleaned(source)
    without_images = mammoth.images.img_element(lambda image: {"src": ""})
    html = mammoth.convert_to_html(io.BytesIO(cleaned), convert_image=without_images).value
    parsed = structured(normalised(markdown_of(html)), "", name)
    notes = (f"hidden or deleted pieces of text left out: {hidden}",) if hidden else ()
    return replace(parsed, notes=notes)


def _cleaned(source: zipfile.ZipFile) -> tuple[bytes, int]:
    """The same package without hidden text, and how many pieces of text that was."""
    copy, hidden = io.BytesIO(), 0
    with zipfile.ZipFile(copy, "w") as target:
        for part in source.namelist():
            content = source.read(part)
            if part in _WITH_TEXT:
                document = ElementTree.fromstring(content)  # noqa: S314  # no entities
                hidden += _drop_hidden(document)
                content = ElementTree.tostring(document)
            target.writestr(part, content)
    return copy.getvalue(), hidden


def _drop_hidden(document: ElementTree.Element) -> int:
    """Remove hidden runs and what was deleted or moved away; keep what was moved here."""
    count = 0
    for parent in [*document.iter()]:
        for child in [*parent]:
            if child.tag in (f"{_W}del", f"{_W}moveFrom") or (
                child.tag == f"{_W}r" and _is_hidden(child)
            ):
                count += any(text.text for text in child.iter() if text.tag in _TEXTS)
                parent.remove(child)
            elif child.tag == f"{_W}moveTo":
                child.tag = f"{_W}ins"  # the name that mammoth reads
    return count


_TEXTS = (f"{_W}t", f"{_W}delText")


def _is_hidden(run: ElementTree.Element) -> bool:
    for name in ("vanish", "webHidden", "specVanish"):
        mark = run.find(f"{_W}rPr/{_W}{name}")
        if mark is not None and mark.get(f"{_W}val") not in _OFF:
            return True
    return False
