"""Skipped cells, raised text and formulas of a Word document, written as mammoth reads them."""

import zipfile
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_V = "{urn:schemas-microsoft-com:vml}"
_NOTES = {"footnote": "word/footnotes.xml", "endnote": "word/endnotes.xml"}
Places = Mapping[str, str]  # style id -> "superscript" or "subscript"


def raised_styles(source: zipfile.ZipFile) -> Places:
    """The styles that raise or lower their text."""
    if "word/styles.xml" not in source.namelist():
        return {}
    styles = ElementTree.fromstring(source.read("word/styles.xml"))  # noqa: S314  # no entities
    found = {}
    for style in styles.iter(f"{_W}style"):
        mark = style.find(f"{_W}rPr/{_W}vertAlign")
        if mark is not None:
            found[str(style.get(f"{_W}styleId"))] = str(mark.get(f"{_W}val"))
    return found


def notes_of(source: zipfile.ZipFile) -> frozenset[tuple[str, str]]:
    """Kind and number of each note that the package has."""
    notes = set()
    for kind, part in _NOTES.items():
        if part in source.namelist():
            root = ElementTree.fromstring(source.read(part))  # noqa: S314  # no entities
            notes |= {(kind, str(note.get(f"{_W}id"))) for note in root.iter(f"{_W}{kind}")}
    return frozenset(notes)


def set_plain(document: Element, raised: Places, notes: frozenset[tuple[str, str]]) -> None:
    """Write skipped cells, raised runs and formulas in the way that mammoth reads."""
    for parent in [*document.iter()]:
        for place, child in enumerate([*parent]):
            if child.tag == f"{_W}tr":
                _set_cells(child)
            elif child.tag == f"{_W}r":
                _set_place(child, raised)
                for kind in _NOTES:
                    for mark in child.findall(f"{_W}{kind}Reference"):
                        if (kind, mark.get(f"{_W}id")) not in notes:
                            child.remove(mark)  # its note is missing
            elif child.tag == f"{_MC}AlternateContent":
                _set_box(child)
            elif child.tag in (f"{_M}oMath", f"{_M}oMathPara"):
                text = _formula(child)
                run = Element(f"{_W}r")
                said = ElementTree.SubElement(run, f"{_W}t")
                said.text, run.tail = text, child.tail
                if parent.tag in (f"{_W}body", f"{_W}tc"):
                    line = Element(f"{_W}p")
                    line.append(run)
                    run = line
                parent[place] = run


def _set_box(content: Element) -> None:
    """A text box as mammoth reads it: as a picture of Word's older kind."""
    boxes = [*content.iter(f"{_W}txbxContent")][:1]
    if boxes and content.find(f"{_MC}Fallback") is None:
        back = ElementTree.SubElement(content, f"{_MC}Fallback")
        shape = ElementTree.SubElement(ElementTree.SubElement(back, f"{_W}pict"), f"{_V}shape")
        ElementTree.SubElement(shape, f"{_V}textbox").append(boxes[0])


def _set_cells(row: Element) -> None:
    """Empty cells in place of those that a row skips before its first and after its last one."""
    for name, at_end in (("gridBefore", False), ("gridAfter", True)):
        skipped = row.find(f"{_W}trPr/{_W}{name}")
        value = str(skipped.get(f"{_W}val")) if skipped is not None else ""
        if not value.isdecimal() or int(value) > 63:
            continue
        for _ in range(int(value)):
            cell = Element(f"{_W}tc")
            ElementTree.SubElement(cell, f"{_W}p")
            first = next((i for i, each in enumerate(row) if each.tag == f"{_W}tc"), len(row))
            row.insert(len(row) if at_end else first, cell)


def _set_place(run: Element, raised: Places) -> None:
    """State that a run is raised or lowered where its style or its position does so."""
    properties = run.find(f"{_W}rPr")
    if properties is None or properties.find(f"{_W}vertAlign") is not None:
        return
    style, position = properties.find(f"{_W}rStyle"), properties.find(f"{_W}position")
    place = raised.get(str(style.get(f"{_W}val"))) if style is not None else None
    if position is not None:
        height = str(position.get(f"{_W}val"))
        is_far = height.lstrip("-").isdecimal() and abs(int(height)) >= 4
        place = ("subscript" if height.startswith("-") else "superscript") if is_far else place
    if place in ("superscript", "subscript"):
        ElementTree.SubElement(properties, f"{_W}vertAlign", {f"{_W}val": place})


def _formula(element: Element) -> str:
    """A formula in one line: powers by ^, indices by _, fractions by a stroke."""
    parts = {each.tag.removeprefix(_M): each for each in element}
    kind = element.tag.removeprefix(_M)
    if kind == "f":
        return f"{_grouped(parts.get('num'))}/{_grouped(parts.get('den'))}"
    if kind in ("sSup", "sSub", "sSubSup"):
        low = f"_{_grouped(parts['sub'])}" if "sub" in parts else ""
        high = f"^{_grouped(parts['sup'])}" if "sup" in parts else ""
        return f"{_grouped(parts.get('e'))}{low}{high}"
    if kind == "rad":
        return f"√({_formula(parts['e'])})" if "e" in parts else ""
    if kind == "d":
        return f"({', '.join(_formula(each) for each in element if each.tag == f'{_M}e')})"
    if element.tag in (f"{_M}t", f"{_W}t"):
        return element.text or ""
    return "".join(map(_formula, element))


def _grouped(element: Element | None) -> str:
    text = _formula(element).strip() if element is not None else ""
    return text if len(text) < 2 or text.strip("-−").isalnum() else f"({text})"
