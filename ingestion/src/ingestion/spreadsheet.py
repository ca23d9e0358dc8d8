"""XLSX and CSV -> Markdown: a heading per sheet, a table per block of rows. Pure functions."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import groupby, islice, takewhile
from statistics import median

from python_calamine import CalamineWorkbook, SheetTypeEnum

DELIMITERS = ",;\t|"
ROWS_TO_TELL_THE_DELIMITER = 50
MAX_CELL_CHARACTERS = 100_000_000  # csv's own limit of 131,072 is for the whole process anyway

Row = Sequence[str]


def csv_as_markdown(text: str) -> str:
    """The rows of a CSV file, whatever of `DELIMITERS` stands between its cells."""
    return _as_markdown(_csv_rows(text, _delimiter(text)))


def xlsx_as_markdown(raw: bytes) -> str:
    """Every sheet of a workbook that has a value, below its name; formulas as their last value."""
    with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as workbook:
        sheets = (
            (sheet.name, _as_markdown(map(_shown, row) for row in _rows(workbook, sheet.name)))
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet  # a chart has no cells
        )
        return "\n\n".join(f"## {name}\n\n{text}" for name, text in sheets if text)


def _rows(workbook: CalamineWorkbook, sheet: str) -> Iterator[Sequence[object]]:
    return workbook.get_sheet_by_name(sheet).iter_rows()


def _csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str:
    """The one that cuts the first rows into the most cells; a decimal comma is not in each row."""

    def cells(delimiter: str) -> tuple[int, float]:
        rows = islice(filter(None, _csv_rows(text, delimiter)), ROWS_TO_TELL_THE_DELIMITER)
        widths = [len(row) for row in rows] or [0]
        return min(widths), median(widths)

    return max(DELIMITERS, key=cells)


def _as_markdown(rows: Iterable[Iterable[str]]) -> str:
    """A table for each run of rows without an empty one between them."""
    cleaned = ([_cell(cell) for cell in row] for row in rows)
    return "\n\n".join(_block(list(block)) for filled, block in groupby(cleaned, any) if filled)


def _block(rows: list[Row]) -> str:
    """A table with its first row as header; rows of one cell above it, a title or note, are text.

    Columns that are empty on either side are left out.
    """
    notes = ["".join(row) for row in takewhile(lambda row: sum(map(bool, row)) == 1, rows)]
    rows = rows[len(notes) :]
    lines = []
    if rows:
        first = min(next(i for i, cell in enumerate(row) if cell) for row in rows if any(row))
        stop = max(max(i for i, cell in enumerate(row) if cell) + 1 for row in rows)
        filled = ([*row, *[""] * (stop - len(row))][first:stop] for row in rows)
        lines = [f"| {' | '.join(row)} |" for row in filled]
        lines.insert(1, "|" + " --- |" * (stop - first))
    return "\n\n".join(filter(None, ("\n".join(notes), "\n".join(lines))))


def _cell(text: str) -> str:
    """A cell on one line; a bar in it does not end it."""
    return " ".join(text.split()).replace("|", "\\|")


def _shown(value: object) -> str:
    """A cell's value much as a spreadsheet shows it: 15 digits, dates in ISO form."""
    match value:
        case bool():
            return str(value).upper()
        case float():
            return str(int(value)) if value.is_integer() else f"{value:.15g}"
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
    return str(value)
