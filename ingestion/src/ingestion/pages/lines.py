"""Characters of a page -> lines, and pieces of a line with a gap between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ingestion.pages.chars import Box, Char

GAP = 0.85  # of a line's height, from which two words stand in different columns
SPACE = 0.15  # of a line's height, from which two characters are different words


@dataclass(frozen=True)
class Piece:
    """Characters of a line that stand together: their numbers on the page, and their text."""

    numbers: tuple[int, ...]
    text: str
    box: Box


@dataclass(frozen=True)
class Line:
    """Pieces of a line from left to right."""

    pieces: tuple[Piece, ...]
    height: float
    middle: float


def lines_of(chars: Sequence[Char], numbers: Iterable[int]) -> list[Line]:
    """The lines of some characters, from the top down."""
    seen = [i for i in numbers if chars[i].text.strip() and not chars[i].is_hidden]
    seen.sort(key=lambda i: (-chars[i].middle[1], chars[i].box[0]))
    lines, current, level = [], list[int](), 0.0
    for i in seen:
        middle, height = chars[i].middle[1], chars[i].height
        if current and level - middle > 0.5 * max(height, 1):
            lines.append(_line(chars, current))
            current = []
        level = middle if not current else (level * len(current) + middle) / (len(current) + 1)
        current.append(i)
    return [*lines, *([_line(chars, current)] if current else [])]


def text_of(chars: Sequence[Char], numbers: Iterable[int]) -> str:
    """The text of some characters in reading order, in one line."""
    return " ".join(
        " ".join(piece.text for piece in line.pieces) for line in lines_of(chars, numbers)
    )


def _line(chars: Sequence[Char], numbers: list[int]) -> Line:
    numbers.sort(key=lambda i: chars[i].box[0])
    height = max(1.0, median(chars[i].height for i in numbers))
    pieces, current = [], [numbers[0]]
    for i in numbers[1:]:
        if chars[i].box[0] - chars[current[-1]].box[2] > GAP * height:
            pieces.append(_piece(chars, current, height))
            current = []
        current.append(i)
    pieces.append(_piece(chars, current, height))
    return Line(tuple(pieces), height, sum(chars[i].middle[1] for i in numbers) / len(numbers))


def _piece(chars: Sequence[Char], numbers: list[int], height: float) -> Piece:
    text, last = "", None
    for i in numbers:
        if last is not None and chars[i].box[0] - last > SPACE * height:
            text += " "
        text += chars[i].text.strip()
        last = chars[i].box[2]
    boxes = [chars[i].box for i in numbers]
    box = (
        min(b[0] for b in boxes), min(b[1] for b in boxes),
        max(b[2] for b in boxes), max(b[3] for b in boxes),
    )  # fmt: skip
    return Piece(tuple(numbers), text, box)
