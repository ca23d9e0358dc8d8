"""What every parser returns: a document as text, and what is known of its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Heading:
    """A heading and where its line starts; level 1 is the outermost."""

    start: int
    level: int
    text: str


@dataclass(frozen=True)
class Table:
    """A Markdown table: `start` to `header_end` is its header row, `end` is the table's end."""

    start: int
    header_end: int
    end: int


@dataclass(frozen=True)
class Parsed:
    """A document as text; every position is a character of `text`."""

    title: str
    text: str
    headings: tuple[Heading, ...] = ()
    tables: tuple[Table, ...] = ()
    pages: tuple[int, ...] = ()  # where each page starts, for formats with pages
    stated_at: datetime | None = None  # the date that the document states of itself
    metadata: Mapping[str, object] = field(default_factory=dict)  # by field, in lower case
    notes: tuple[str, ...] = ()  # what was left out, and which pages could not be read
    unread_pages: tuple[int, ...] = ()  # from 1; pages that show something but have no text


def ranges(numbers: Sequence[int]) -> str:
    """E.g. "2 to 5, 9"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]} to {p[-1]}" for p in parts)
