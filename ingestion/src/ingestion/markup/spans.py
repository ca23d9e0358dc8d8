"""HTML tables -> tables in which every cell stands in each row and column that it covers."""

import copy
import re

from bs4 import BeautifulSoup, Tag

MAX_COLUMNS = 1000
MAX_CELLS = 200_000  # of one table, after its cells were repeated

Grid = list[dict[int, Tag]]


def set_tables(soup: BeautifulSoup) -> None:
    """Make each table a plain grid with one header row; an inner table becomes text or is freed."""
    for table in reversed(soup.find_all("table")):  # the inner ones first
        outer = table.find_parent(["td", "th"])
        if _is_layout(table):
            _free(table)
        elif outer is not None and not _is_layout(outer.find_parent("table")):
            _as_text(soup, table)
        else:
            _as_grid(soup, table)


def _rows(table: Tag) -> list[Tag]:
    return [row for row in table.find_all("tr") if row.find_parent("table") is table]


def _is_layout(table: Tag | None) -> bool:
    """Whether a table only places things: it says so, or it has one column and holds tables."""
    if table is None:
        return False
    if table.get("role") in ("presentation", "none"):
        return True
    rows = _rows(table)
    if not any(cell.find("table") for row in rows for cell in _cells(row)):
        return False
    has_header = any(cell.name == "th" for row in rows for cell in _cells(row))
    widths = [len(_cells(row)) for row in rows]
    return not has_header and (max(widths, default=0) <= 1 or len(rows) == 1)


def _cells(row: Tag) -> list[Tag]:
    return row.find_all(["td", "th"], recursive=False)


def _free(table: Tag) -> None:
    """Put the content of a table that is no table into the text around it."""
    for row in _rows(table):
        for cell in _cells(row):
            cell.name, cell.attrs = "div", {}
        row.unwrap()
    for part in table.find_all(["tbody", "thead", "tfoot", "colgroup"], recursive=False):
        part.unwrap()
    table.name, table.attrs = "div", {}


def _as_text(soup: BeautifulSoup, table: Tag) -> None:
    """An inner table in one line: its rows by semicolons, its cells by commas."""
    rows = [[" ".join(cell.get_text(" ").split()) for cell in _cells(row)] for row in _rows(table)]
    text = "; ".join(", ".join(filter(None, row)) for row in rows if any(row))
    table.replace_with(soup.new_string(f" {text} "))


def _as_grid(soup: BeautifulSoup, table: Tag) -> None:
    rows = _rows(table)
    grid = _grid(rows)
    filled = [row for row in grid if any(cell.get_text(strip=True) for cell in row.values())]
    width = max((max(row) + 1 for row in filled), default=0)
    titles = []
    while width > 1 and len(filled) > 2 and _is_title(filled[0], width):
        titles.append(filled.pop(0)[0])
    plain = soup.new_tag("table")
    seen: set[int] = set()
    for number, row in enumerate(filled):
        line = soup.new_tag("tr")
        for column in range(width):
            cell = soup.new_tag("td" if number else "th")
            original = row.get(column)
            if original is not None:
                source = copy.copy(original) if id(original) in seen else original
                seen.add(id(original))
                for child in [*(copy.copy(original) if source is original else source).contents]:
                    cell.append(child)
            line.append(cell)
        if number < 2:  # one body: in each body's first row markdownify looks for a head
            part = soup.new_tag("tbody" if number else "thead")
            plain.append(part)
        part.append(line)
    caption = table.find("caption")
    if caption is not None and caption.find_parent("table") is table:
        paragraph = soup.new_tag("p")
        paragraph.string = " ".join(caption.get_text(" ").split())
        table.insert_before(paragraph)
    for title in titles:
        paragraph = soup.new_tag("p")
        paragraph.extend([*title.contents])
        table.insert_before(paragraph)
    table.replace_with(plain)


def _is_title(row: dict[int, Tag], width: int) -> bool:
    """Whether one cell reaches over the whole row: it names the table, and heads no column."""
    return len(row) == width and len({id(cell) for cell in row.values()}) == 1


def _grid(rows: list[Tag]) -> Grid:
    """Cells by row and column, each repeated wherever it reaches."""
    grid: Grid = [{} for _ in rows]
    cells = 0
    ends = _ends_of_parts(rows)
    for number, row in enumerate(rows):
        column = 0
        for cell in _cells(row):
            while column in grid[number]:
                column += 1
            across = min(_span(cell, "colspan"), MAX_COLUMNS)
            last_row = len(rows) if cell.get("rowspan") == "0" else number + _span(cell, "rowspan")
            last_row = min(last_row, ends[number])
            if cells + across * (last_row - number) > MAX_CELLS:
                across, last_row = 1, number + 1
            for below in range(number, last_row):
                for beside in range(column, column + across):
                    grid[below].setdefault(beside, cell)
                    cells += 1
            column += across
    return grid


def _ends_of_parts(rows: list[Tag]) -> list[int]:
    """For each row, where its head, body or foot ends: no cell reaches further."""
    ends = [len(rows)] * len(rows)
    for number in range(len(rows) - 2, -1, -1):
        same = rows[number].parent is rows[number + 1].parent
        ends[number] = ends[number + 1] if same else number + 1
    return ends


def _span(cell: Tag, name: str) -> int:
    digits = re.match(r"\s*(\d{1,5})(?!\d)", str(cell.get(name) or ""))
    return max(1, int(digits[1])) if digits else 1
