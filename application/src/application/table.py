"""Table rows as a reader needs them: every cell with its column's name."""

import re
from collections.abc import Iterator
from itertools import pairwise

from application.terms import Span, is_table_row

PIPE = re.compile(r"(?<!\\)\|")


def cells(row: str, start: int = 0) -> list[Span]:
    """Spans of a Markdown row's cells, without white space; `start` is the row's own offset."""
    bars = [match.start() for match in PIPE.finditer(row)]
    if not bars or row[: bars[0]].strip():
        bars.insert(0, -1)
    if row[bars[-1] + 1 :].strip():
        bars.append(len(row))
    spans = []
    for left, right in pairwise(bars):
        cell = row[left + 1 : right]
        first = left + 1 + len(cell) - len(cell.lstrip())
        spans.append(Span(start + first, start + first + len(cell.strip())))
    return spans


def in_pairs(row: str, header: str, first: int = 0, last: int | None = None) -> str:
    """Cells `first` to `last` of a row as "column: cell; ...", led by the row's first cell.

    A row without a header, or with another number of cells, keeps its cells without names.
    """
    found = _texts(row)
    names = _texts(header) if is_table_row(header) else []
    if len(names) != len(found):
        names = [""] * len(found)
    wanted = list(range(first, len(found) if last is None else last))
    if first > 0:
        wanted.insert(0, 0)
    pairs = [(names[i], found[i]) for i in wanted if found[i]]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in pairs)


def groups(row: str, longest: int) -> Iterator[tuple[int, int]]:
    """Runs of a row's cells, as first and last, so that no run is longer than `longest` characters.

    A row that is wide would be cut in the middle otherwise, and its last cells could not be shown.
    """
    spans = cells(row)
    first = 0
    for place, span in enumerate(spans):
        if place > first and span.end - spans[first].start > longest:
            yield first, place
            first = place
    if spans:
        yield first, len(spans)


def _texts(row: str) -> list[str]:
    return [row[start:end].replace("\\|", "|") for start, end in cells(row)]
