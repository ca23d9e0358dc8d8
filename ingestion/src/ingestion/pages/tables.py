"""Tables of a PDF page: by their rules, or by the gaps that stand below each other.

pdfplumber finds them too, but needs 105 ms of processor time for a page, so that a document of 300
pages would break the limit of a parser. Reading a page here takes about 41 ms in all.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from ingestion.pages.chars import Box, Char, Shape
from ingestion.pages.lines import Line, Piece, lines_of, text_of

NEAR = 3.0  # points; rules that are nearer are one
MAX_RULES = 1500
LEAST_ROWS = 3  # without rules
MOST_IN_A_CELL = 28  # characters on average; columns of prose have more
SHORT_COLUMN = 14  # characters on average, of which one column makes a table of longer ones
LINE_FEED = 2.6  # line heights between two rows of a table without rules
_BULLET = re.compile(
    r"[•◦▪●○■□–—*·\-]|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]|\d{1,3}(?:\.\d+)+\.?|\[[x ]\]"
)


@dataclass(frozen=True)
class PageTable:
    """Rows of cells, and the characters of the page that they hold."""

    rows: list[list[str]]
    numbers: frozenset[int]


def tables_of(chars: Sequence[Char], shapes: Sequence[Shape]) -> list[PageTable]:
    """The tables of a page; no character is in two of them."""
    taken: set[int] = set()
    tables = []
    for table in [*_ruled(chars, shapes)]:
        if not taken & table.numbers:
            tables.append(table)
            taken |= table.numbers
    left = [i for i in range(len(chars)) if i not in taken]
    return [*tables, *_unruled(lines_of(chars, left))]


def _ruled(chars: Sequence[Char], shapes: Sequence[Shape]) -> Iterator[PageTable]:
    level, upright = _rules(shapes)
    if len(level) + len(upright) > MAX_RULES:
        return
    for across, down in _grids(level, upright):
        xs, ys = _merged([rule[0] for rule in down]), _merged([rule[1] for rule in across])
        if len(xs) < 3 or len(ys) < 3:
            continue
        cells: dict[tuple[int, int], list[int]] = {}
        for i, char in enumerate(chars):
            if not char.text.strip() or char.is_hidden:
                continue
            column, row = _between(xs, char.middle[0]), _between(ys, char.middle[1])
            if column is not None and row is not None:
                cells.setdefault((len(ys) - 2 - row, column), []).append(i)
        spans = _spans(xs, ys, across, down)
        said: dict[tuple[int, int], list[int]] = {}
        for place, numbers in cells.items():
            said.setdefault(spans[place], []).extend(numbers)
        texts = {origin: text_of(chars, numbers) for origin, numbers in said.items()}
        starts = {column for _, column in texts}  # others repeat or are empty
        rows = [
            [texts.get(spans[(row, column)], "") for column in sorted(starts)]
            for row in sorted({origin[0] for origin in texts})
        ]
        if len(texts) > 2 and len(rows) > 1 and len(starts) > 1:
            yield PageTable(rows, frozenset(i for each in cells.values() for i in each))


def _rules(shapes: Sequence[Shape]) -> tuple[list[Box], list[Box]]:
    """Level and upright rules."""
    level, upright = [], []
    for shape in shapes:
        for left, bottom, right, top in shape.lines:
            if top - bottom <= NEAR and right - left > 2 * NEAR:
                level.append((left, (bottom + top) / 2, right, (bottom + top) / 2))
            elif right - left <= NEAR and top - bottom > NEAR:
                upright.append(((left + right) / 2, bottom, (left + right) / 2, top))
    return level, upright


def _grids(level: list[Box], upright: list[Box]) -> Iterator[tuple[list[Box], list[Box]]]:
    """Groups of rules that cross or touch."""
    group = list(range(len(level) + len(upright)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for j, (x, low, _, high) in enumerate(upright):
        for i, (left, y, right, _) in enumerate(level):
            if left - NEAR <= x <= right + NEAR and low - NEAR <= y <= high + NEAR:
                group[root(i)] = root(len(level) + j)
    groups: dict[int, tuple[list[Box], list[Box]]] = {}
    for i, rule in enumerate([*level, *upright]):
        groups.setdefault(root(i), ([], []))[i >= len(level)].append(rule)
    yield from sorted(groups.values(), key=lambda each: -max((r[1] for r in each[0]), default=0))


def _merged(values: list[float]) -> list[float]:
    """Places in order; near ones are one."""
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > NEAR:
            places.append(value)
    return places


def _between(places: list[float], value: float) -> int | None:
    return next((i for i in range(len(places) - 1) if places[i] <= value < places[i + 1]), None)


def _spans(
    xs: list[float], ys: list[float], across: list[Box], down: list[Box]
) -> dict[tuple[int, int], tuple[int, int]]:
    """For each row and column, the first one of its cell: a missing rule joins two."""
    rows, columns = len(ys) - 1, len(xs) - 1
    spans = {(row, column): (row, column) for row in range(rows) for column in range(columns)}
    for row in range(rows):
        y = (ys[rows - row] + ys[rows - row - 1]) / 2
        top = ys[rows - row]
        for column in range(columns):
            x = (xs[column] + xs[column + 1]) / 2
            if column and not any(
                abs(r[0] - xs[column]) <= NEAR and r[1] <= y <= r[3] for r in down
            ):
                spans[(row, column)] = spans[(row, column - 1)]
            elif row and not any(abs(r[1] - top) <= NEAR and r[0] <= x <= r[2] for r in across):
                spans[(row, column)] = spans[(row - 1, column)]
    return spans


def _unruled(lines: list[Line]) -> Iterator[PageTable]:
    """Runs of lines with the same gaps."""
    run: list[Line] = []
    for line in [*lines, None]:
        if line is not None and run and run[-1].middle - line.middle > LINE_FEED * line.height:
            yield from _table_of(run)
            run = []
        if line is not None and (len(line.pieces) > 1 or _continues(run, line)):
            run.append(line)
            continue
        yield from _table_of(run)
        run = []


def _continues(run: list[Line], line: Line) -> bool:
    """Whether a line of one piece is the rest of a cell: it stands below one, close to it."""
    if not run:
        return False
    columns = _columns([each for each in run if len(each.pieces) > 1])
    piece = line.pieces[0]
    column = _column(columns, piece)
    is_near = run[-1].middle - line.middle < 1.5 * line.height
    return (
        len(columns) > 1
        and is_near
        and column is not None
        and (column > 0 or piece.box[2] <= columns[0][1] + NEAR)
    )


def _columns(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Left and right of each column: what no piece covers stands between two."""
    edges = sorted((p.box[0], p.box[2]) for line in lines for p in line.pieces)
    least = 0.4 * mean(line.height for line in lines) if lines else 0
    columns: list[tuple[float, float]] = []
    for left, right in edges:
        if columns and left < columns[-1][1] + least:
            columns[-1] = columns[-1][0], max(columns[-1][1], right)
        else:
            columns.append((left, right))
    return columns


def _column(columns: list[tuple[float, float]], piece: Piece) -> int | None:
    found = [
        i for i, (left, right) in enumerate(columns) if piece.box[0] < right and piece.box[2] > left
    ]
    return found[0] if len(found) == 1 else None


def _table_of(run: list[Line]) -> Iterator[PageTable]:
    run = [*run]
    while run and len(run[-1].pieces) == 1 and len(run) > 1 and not _continues(run[:-1], run[-1]):
        run.pop()
    full = [line for line in run if len(line.pieces) > 1]
    columns = _columns(full)
    if len(full) < LEAST_ROWS or len(columns) < 2:
        return
    rows: list[list[str]] = []
    for line in run:
        row = [""] * len(columns)
        for piece in line.pieces:
            place = _column(columns, piece)
            if place is None:
                return
            row[place] = f"{row[place]} {piece.text}".strip()
        if len(line.pieces) == 1 and rows:
            rows[-1] = [" ".join(filter(None, pair)) for pair in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
    if _is_table(rows):
        yield PageTable(rows, frozenset(i for line in run for p in line.pieces for i in p.numbers))


def _is_table(rows: list[list[str]]) -> bool:
    """Whether rows are no list with bullets and no prose in columns."""
    by_column = [[row[i] for row in rows if row[i]] for i in range(len(rows[0]))]
    if len(by_column) == 2 and all(map(_BULLET.fullmatch, by_column[0])):
        return False
    lengths = [mean(map(len, cells)) for cells in by_column if cells]
    filled = sum(1 for row in rows for cell in row if cell) / (len(rows) * len(rows[0]))
    return filled >= 0.5 and (mean(lengths) <= MOST_IN_A_CELL or min(lengths) <= SHORT_COLUMN)
