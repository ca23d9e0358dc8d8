"""Rows of cells -> a Markdown table."""

from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """A cell on one line; a bar in it does not end it."""
    return " ".join(text.split()).replace("|", "\\|")


def table(rows: Sequence[Iterable[str]]) -> str:
    """A table with the first row as its header; short rows are filled up."""
    filled = [[cell(text) for text in row] for row in rows]
    width = max((len(row) for row in filled), default=0)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in filled]
    if lines:
        lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)
