"""A Word document as Markdown, tables included."""

import io
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import mammoth  # type: ignore[import-untyped]  # it ships no types

from ingestion.markup import word_layout
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
    copy, hidden, styles = io.BytesIO(), 0, _hidden_styles(source)
    raised, notes = word_layout.raised_styles(source), word_layout.notes_of(source)
    with zipfile.ZipFile(copy, "w") as target:
        for part in source.namelist():
            content = source.read(part)
            if part in _WITH_TEXT:
                document = ElementTree.fromstring(content)  # noqa: S314  # no entities
                hidden += _drop_hidden(document, styles)
                word_layout.set_plain(document, raised, notes)
                content = ElementTree.tostring(document)
            target.writestr(part, content)
    return copy.getvalue(), hidden


def _hidden_styles(source: zipfile.ZipFile) -> frozenset[str]:
    """Styles whose text is hidden."""
    if "word/styles.xml" not in source.namelist():
        return frozenset()
    styles = ElementTree.fromstring(source.read("word/styles.xml"))  # noqa: S314  # no entities
    hidden = (style.get(f"{_W}styleId") for style in styles.iter(f"{_W}style") if _vanishes(style))
    return frozenset(filter(None, hidden))


def _drop_hidden(document: ElementTree.Element, styles: frozenset[str]) -> int:
    """Remove hidden runs and what was deleted or moved away; keep what was moved here."""
    count = 0
    for parent in [*document.iter()]:
        is_ghost = parent.tag == f"{_W}p" and _style(parent, "pPr", "pStyle") in styles
        for child in [*parent]:
            is_hidden = child.tag == f"{_W}r" and (
                _vanishes(child) or _style(child, "rPr", "rStyle") in styles or is_ghost
            )
            if child.tag in (f"{_W}del", f"{_W}moveFrom") or is_hidden:
                count += any(text.text for text in child.iter() if text.tag in _TEXTS)
                parent.remove(child)
            elif child.tag == f"{_W}moveTo":
                child.tag = f"{_W}ins"  # the name that mammoth reads
    return count


_TEXTS = (f"{_W}t", f"{_W}delText")


def _vanishes(element: ElementTree.Element) -> bool:
    color, shade = (element.find(f"{_W}rPr/{_W}{name}") for name in ("color", "shd"))
    is_white = color is not None and str(color.get(f"{_W}val")).upper() == "FFFFFF"
    if is_white and shade is None and element.find(f"{_W}rPr/{_W}highlight") is None:
        return element.tag == f"{_W}r"
    mark = element.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val") not in _OFF


def _style(element: ElementTree.Element, properties: str, name: str) -> str | None:
    style = element.find(f"{_W}{properties}/{_W}{name}")
    return None if style is None else style.get(f"{_W}val")
