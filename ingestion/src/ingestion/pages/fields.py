"""The fields of a PDF form: what was typed, ticked or chosen, put where it stands on the page."""

import ctypes
from collections.abc import Iterator
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]  # it ships no types

from ingestion.pages.chars import Char, Page

_UNSEEN = 2 | 32  # annotation flags: hidden, not to be viewed
_PASSWORD = 1 << 13  # field flag
MAX_OPTIONS = 2000


def with_fields(page: Page, form: Any, chars: list[Char]) -> list[Char]:
    """The characters with the values of the page's fields in reading order."""
    fields = [*_fields(page, form)] if form else []
    if not fields:
        return chars
    seen = [(i, char) for i, char in enumerate(chars) if char.text.strip() and not char.is_hidden]
    inserts: list[tuple[int, int, Char]] = []
    for number, field in enumerate(fields):
        index, is_line = _place(field, seen, len(chars))
        is_first = not seen or index <= seen[0][0]
        line = f"{field.text}\n" if is_first else f"\n{field.text}"
        text = line if is_line else f" {field.text} "
        inserts.append((index, number, Char(text, field.box)))
    out, last = [], 0
    for index, _, char in sorted(inserts, key=lambda each: each[:2]):
        out += [*chars[last:index], char]
        last = index
    return [*out, *chars[last:]]


def _place(field: Char, seen: list[tuple[int, Char]], end: int) -> tuple[int, bool]:
    """Before which character a field is read, and whether it makes a line of its own."""
    left, bottom, right, top = field.box
    level = [(i, c) for i, c in seen if bottom - 2 <= c.middle[1] <= top + 2]
    before = [(left - c.box[2], -i) for i, c in level if c.middle[0] < left]
    after = [(c.box[0] - right, i) for i, c in level if c.middle[0] > right]
    is_mark = field.text in ("[x]", "[ ]")
    if after and (not before or (is_mark and min(after)[0] < min(before)[0])):
        return min(after)[1], False
    if before:
        return -min(before)[1] + 1, False
    above = [(c.middle[1], -i) for i, c in seen if c.middle[1] > field.middle[1]]
    if above:
        return -min(above)[1] + 1, True
    return (seen[0][0] if seen else end), True


def _fields(page: Page, form: Any) -> Iterator[Char]:
    """Each field with a value, from the top of the page down."""
    found = []
    for i in range(pdfium.FPDFPage_GetAnnotCount(page.raw.raw)):
        annotation = pdfium.FPDFPage_GetAnnot(page.raw.raw, i)
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) != pdfium.FPDF_ANNOT_WIDGET:
                continue
            if pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
                continue
            box = pdfium.FS_RECTF()
            pdfium.FPDFAnnot_GetRect(annotation, box)
            sides = (box.left, min(box.bottom, box.top), box.right, max(box.bottom, box.top))
            if value := _value(form, annotation):
                found.append(Char(value, page.placed(sides)))
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
    yield from sorted(found, key=lambda field: (-round(field.middle[1] / 4), field.box[0]))


def _value(form: Any, annotation: Any) -> str:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return "[x]" if pdfium.FPDFAnnot_IsChecked(form, annotation) else "[ ]"
    if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        count = min(pdfium.FPDFAnnot_GetOptionCount(form, annotation), MAX_OPTIONS)
        chosen = [n for n in range(count) if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, n)]
        labels = [
            _string(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, number) for number in chosen
        ]
        return ", ".join(labels) or _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
    if kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        if pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
            return ""
        return _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
    return ""


def _string(ask: Any, *arguments: Any) -> str:
    """What PDFium writes into a buffer of the size that it asks for, in UTF-16."""
    size = ask(*arguments, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    ask(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[: max(size - 2, 0)].decode("utf-16-le", "replace").replace("\0", "").strip()
