"""Markdown, kept as it was written, but for its front matter and its comments."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace

from ingestion.dates import first_date
from ingestion.markup import front_matter
from ingestion.markup.inline_html import Cut, cuts_of, with_marks
from ingestion.markup.structure import blocks, in_lower_case, line_starts, structured
from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised

_COMMENT_LINE = re.compile(
    r"^\[(?://|comment)\]: *(?:#|<>) *[(\"'].*[)\"'] *$\n?", re.MULTILINE | re.I
)


def parse(raw: bytes, name: str) -> Parsed:
    """Markdown with the title and date of its front matter, which is left out of the text.

    A page that is a front matter alone, such as a redirect, keeps it as its text.
    """
    front = front_matter.split(normalised(decoded(raw)))
    text, hidden = without_hidden(front.body.strip())
    text = text.strip() or front.block.strip()
    parsed = structured(text, str(front.fields.get("title") or "").strip(), name)
    notes = [front.note] if front.note else []
    if hidden:
        notes.append(f"hidden parts left out: {hidden}")
    return replace(
        parsed,
        stated_at=first_date(front.fields),
        metadata=in_lower_case(front.fields),
        notes=tuple(notes),
    )


def without_hidden(text: str) -> tuple[str, int]:
    """Text as a reader sees it, and how many hidden parts it had.

    Comments and hidden HTML go, except in code; tables of HTML and raised text become Markdown.
    """
    if "<" not in text and "]: #" not in text and "]:" not in text:
        return text, 0
    code = _code(text)
    cuts: list[Cut] = [(start, end, "") for start, end in _comments(text, code)]
    cuts += cuts_of(text, code)
    inside = _finder(code)
    cuts += [
        (*match.span(), "") for match in _COMMENT_LINE.finditer(text) if not inside(match.start())
    ]
    kept, last, count = [], 0, 0
    for start, end, instead in sorted(cuts):
        if end > last and start >= last:
            kept += [text[last:start], instead]
            last, count = end, count + (not instead)
    text = "".join([*kept, text[last:]])
    return with_marks(text, _code(text)) if "<su" in text.lower() else text, count


def _code(text: str) -> list[tuple[int, int]]:
    """Where the blocks of code are."""
    lines = line_starts(text)
    return [
        (lines[token.map[0]], lines[token.map[1]])
        for token in blocks(text)
        if token.map and token.type in ("fence", "code_block")
    ]


def _finder(ranges: list[tuple[int, int]]) -> Callable[[int], bool]:
    """A test whether a position is in one of the ranges, which do not overlap."""
    ordered = sorted(ranges)
    starts = [start for start, _ in ordered]

    def is_inside(position: int) -> bool:
        number = bisect_right(starts, position) - 1
        return number >= 0 and position < ordered[number][1]

    return is_inside


def _comments(text: str, code: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Comments that are closed and do not stand in code."""
    inside = _finder(code)
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            return
        line = text.rfind("\n", 0, start) + 1
        if inside(start) or text.count("`", line, start) % 2:
            start = text.find("<!--", start + 4)
            continue
        yield start, end + 3
        start = text.find("<!--", end + 3)
