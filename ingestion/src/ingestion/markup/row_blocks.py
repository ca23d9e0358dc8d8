"""Rows of a sheet -> Markdown: a table for each run of rows without an empty one between them."""

from collections.abc import Iterable, Sequence
from itertools import groupby, takewhile

from ingestion.markup.table import cell, table

Row = Sequence[str]


def as_markdown(rows: Iterable[Iterable[str]]) -> str:
    """Tables and notes, an empty line between them."""
    cleaned = ([" ".join(text.split()) for text in row] for row in rows)
    return "\n\n".join(_block(list(block)) for filled, block in groupby(cleaned, any) if filled)


def _block(rows: list[Row]) -> str:
    """A table with its first row as header; rows of one cell above it, a title or note, are text.

    Columns that are empty on either side are left out.
    """
    notes = [cell("".join(row)) for row in takewhile(lambda row: sum(map(bool, row)) == 1, rows)]
    rows = rows[len(notes) :]
    lines = ""
    if rows:
        first = min(next(i for i, text in enumerate(row) if text) for row in rows if any(row))
        stop = max(max(i for i, text in enumerate(row) if text) + 1 for row in rows)
        lines = table([[*row, *[""] * (stop - len(row))][first:stop] for row in rows])
    return "\n\n".join(filter(None, ("\n".join(notes), lines)))
