"""A workbook as Markdown: a heading per sheet, a table per block of rows, values as shown."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import IO, Any
from xml.etree import ElementTree

from openpyxl import load_workbook  # type: ignore[import-untyped]  # its stubs are another package
from openpyxl.utils import range_boundaries  # type: ignore[import-untyped]  # as above

from ingestion.errors import DocumentError
from ingestion.markup.number_format import shown
from ingestion.markup.row_blocks import as_markdown
from ingestion.markup.structure import structured
from ingestion.parsers import package
from ingestion.parsers.document import Parsed
from ingestion.text import normalised

MAX_CELLS = 5_000_000  # of a workbook, empty ones between values included
MAX_REPEATED = 200_000  # cells of a sheet that a merged range fills
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
NOT_CALCULATED = "(not calculated: {})"


@dataclass
class Layout:
    """What a sheet hides, merges and leaves uncalculated; rows and columns from 1."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)  # column, row, to, to
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)  # without a value


def parse(raw: bytes, name: str) -> Parsed:
    """Every visible sheet that has a value, below its name; the title is the file's name.

    Hidden sheets, rows and columns are left out and counted. A formula that was never calculated
    is shown as such.
    """
    with package.opened(raw) as source:
        layouts = _layouts(source)
    workbook = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    parts, hidden, cells = [], {"sheets": 0, "rows": 0, "columns": 0}, 0
    try:
        for sheet in workbook.worksheets:
            if sheet.sheet_state != "visible":
                hidden["sheets"] += 1
                continue
            layout = layouts.get(sheet.title, Layout())
            rows = dict[int, dict[int, str]]()
            sheet.reset_dimensions()  # a file may state a wrong size
            for row in sheet.iter_rows():
                cells += len(row)
                if cells > MAX_CELLS:
                    raise DocumentError(f"it has over {MAX_CELLS:,} cells: split it")
                filled = {c.column: shown(c.value, _format(c)) for c in row if c.value is not None}
                if filled:
                    rows[next(c.row for c in row if c.value is not None)] = filled
            for (column, number), formula in layout.formulas.items():
                rows.setdefault(number, {}).setdefault(column, NOT_CALCULATED.format(formula))
            text = as_markdown(_visible(rows, layout))
            hidden["rows"] += len(layout.hidden_rows & rows.keys())
            used = {column for row in rows.values() for column in row}
            hidden["columns"] += len(layout.hidden_columns & used)
            if text:
                parts.append(f"## {sheet.title}\n\n{text}")
    finally:
        workbook.close()
    parsed = structured(normalised("\n\n".join(parts)), name, name)
    counted = [f"{count} hidden {what}" for what, count in hidden.items() if count]
    return replace(parsed, notes=(f"left out: {', '.join(counted)}",) if counted else ())


def _format(cell: Any) -> str:
    """The number format of a cell; a workbook may have no styles."""
    try:
        return str(cell.number_format)
    except IndexError:
        return "General"


def _visible(rows: dict[int, dict[int, str]], layout: Layout) -> Iterator[list[str]]:
    """Rows from the first to the last, merged values repeated, without what is hidden.

    A run of empty rows is one empty row. A value merged across one otherwise empty row is a title,
    so it is not repeated.
    """
    budget = MAX_REPEATED
    for left, top, right, bottom in layout.merged:
        value = rows.get(top, {}).get(left)
        is_title = top == bottom and len(rows.get(top, {})) == 1
        size = (right - left + 1) * (bottom - top + 1)
        if not value or is_title or size > budget:
            continue
        budget -= size
        for number in range(top, bottom + 1):
            for column in range(left, right + 1):
                rows.setdefault(number, {}).setdefault(column, value)
    last = 0
    for number in sorted(rows):
        if number in layout.hidden_rows:
            last = number if last == number - 1 else last
            continue
        if number > last + 1:
            yield []
        last = number
        row = {c: text for c, text in rows[number].items() if c not in layout.hidden_columns}
        yield [
            row.get(column, "")
            for column in range(1, max(row, default=0) + 1)
            if column not in layout.hidden_columns
        ]


def _layouts(source: zipfile.ZipFile) -> dict[str, Layout]:
    """The layout of each sheet by its name."""
    names = set(source.namelist())
    book = ElementTree.fromstring(source.read("xl/workbook.xml"))  # noqa: S314  # no entities
    links = ElementTree.fromstring(source.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {link.get("Id"): str(link.get("Target")) for link in links}
    layouts = {}
    for sheet in book.iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part in names:
            with source.open(part) as xml:
                layouts[str(sheet.get("name"))] = _layout(xml)
    return layouts


def _layout(xml: IO[bytes]) -> Layout:
    layout, row, column = Layout(), 0, 0
    for event, node in ElementTree.iterparse(xml, ("start", "end")):  # noqa: S314  # no entities
        if event == "start":
            if node.tag == f"{_MAIN}row":
                row, column = int(node.get("r") or row + 1), 0
                if node.get("hidden") in ("1", "true") or node.get("ht") == "0":
                    layout.hidden_rows.add(row)
            elif node.tag == f"{_MAIN}c":
                column = _column(node.get("r")) or column + 1
            continue
        if node.tag == f"{_MAIN}col" and (
            node.get("hidden") in ("1", "true") or node.get("width") == "0"
        ):
            first, last = int(node.get("min", "1")), min(int(node.get("max", "1")), 16384)
            layout.hidden_columns.update(range(first, last + 1))
        elif node.tag == f"{_MAIN}mergeCell":
            bounds = range_boundaries(str(node.get("ref")))
            if all(bounds):
                layout.merged.append((bounds[0], bounds[1], bounds[2], bounds[3]))
        elif node.tag == f"{_MAIN}c":
            formula, value = node.find(f"{_MAIN}f"), node.find(f"{_MAIN}v")
            if formula is not None and (value is None or not value.text) and node.get("t") != "str":
                layout.formulas[(column, row)] = (
                    f"={formula.text}" if formula.text else "shared formula"
                )
            node.clear()
        elif node.tag == f"{_MAIN}row":
            node.clear()
    return layout


def _column(reference: str | None) -> int:
    letters = re.match("[A-Z]+", reference or "")
    number = 0
    for letter in letters[0] if letters else "":
        number = number * 26 + ord(letter) - 64
    return number
