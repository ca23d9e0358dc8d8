"""XML as text: an element with text is a line that names it; lists of records are tables."""

from collections.abc import Iterator
from xml.etree import ElementTree

from ingestion.markup.marks import mark_of
from ingestion.markup.structure import structured
from ingestion.markup.table import table
from ingestion.parsers.document import Parsed
from ingestion.parsers.package import refuse_entities
from ingestion.text import decoded, normalised

_TITLES = ("title", "name", "subject")


def parse(raw: bytes, name: str) -> Parsed:
    """The text of every element, in order; comments and processing instructions are left out."""
    refuse_entities(raw, doctypes=True)
    text = decoded(raw, is_marked_up=True).lstrip()
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]  # its encoding no longer holds
    root = ElementTree.fromstring(text)  # noqa: S314  # no entities
    first = next((e for e in [*root] if _name(e) in _TITLES and not len(e)), None)
    title = normalised(first.text or "") if first is not None else ""
    return structured(normalised("\n\n".join(_blocks(root))), title, name)


def _blocks(element: ElementTree.Element) -> Iterator[str]:
    children = [*element]
    if _is_mixed(element):
        yield _flat(_sentence(element))
        return
    columns = _columns(children)
    if columns:
        said = [{field.tag: _flat(_sentence(field)) for field in row} for row in children]
        rows = [[row.get(column, "") for column in columns] for row in said]
        yield table([[_local(column) for column in columns], *rows])
        return
    attributes = [
        f"{_local(key)}: {value}" for key, value in element.attrib.items() if value.strip()
    ]
    if not children:
        text = _flat(element.text or "")
        parts = [f"{_name(element)}: {text}" if text else "", *attributes]
        yield from filter(None, [", ".join(filter(None, parts))])
        return
    if attributes:
        yield f"{_name(element)}, {', '.join(attributes)}"
    for child in children:
        yield from _blocks(child)


def _columns(children: list[ElementTree.Element]) -> list[str]:
    """The fields of equal records that hold plain fields only, or []."""
    if len(children) < 2 or len({child.tag for child in children}) > 1:
        return []
    columns: dict[str, None] = {}
    for child in children:
        tags = [field.tag for field in child]
        if not tags or len(tags) != len({*tags}) or child.attrib or (child.text or "").strip():
            return []
        if any(len(field) and not _is_mixed(field) for field in child) or any(
            f.attrib for f in child
        ):
            return []
        columns |= dict.fromkeys(tags)
    return [*columns]


def _is_mixed(element: ElementTree.Element) -> bool:
    """Whether text and elements stand side by side, as in a sentence."""
    tails = any((child.tail or "").strip() for child in element)
    return len(element) > 0 and (tails or bool((element.text or "").strip()))


def _sentence(element: ElementTree.Element) -> str:
    """The text of an element; raised and lowered parts never join a number."""
    said = element.text or ""
    for child in element:
        text, name = _sentence(child), _name(child).lower()
        place = {"sup": "sup", "superscript": "sup", "sub": "sub", "subscript": "sub"}.get(name)
        said += mark_of(place, text.strip(), said, child.tail or "") if place else text
        said += child.tail or ""
    return said


def _flat(text: str) -> str:
    return " ".join(text.split())


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _name(element: ElementTree.Element) -> str:
    return _local(element.tag)
