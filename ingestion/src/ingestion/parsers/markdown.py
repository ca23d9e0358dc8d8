"""Markdown, kept as it was written, but for its front matter and its comments."""

import re
from collections.abc import Iterator
from dataclasses import replace

from ingestion.dates import first_date
from ingestion.markup import front_matter
from ingestion.markup.hidden import is_hidden_markup
from ingestion.markup.structure import blocks, in_lower_case, line_starts, structured
from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised

_COMMENT_LINE = re.compile(r"^\[(?://|comment)\]: *# *[(\"'].*[)\"'] *$\n?", re.MULTILINE | re.I)


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
    """Text without comments and hidden HTML blocks, except in code; and how many there were."""
    if "<" not in text and "]: #" not in text and "]:#" not in text:
        return text, 0
    lines, tokens = line_starts(text), blocks(text)
    ranges = [
        (token.type, lines[token.map[0]], lines[token.map[1]]) for token in tokens if token.map
    ]
    code = [(start, end) for kind, start, end in ranges if kind in ("fence", "code_block")]
    cuts = [*_comments(text, code)]
    for kind, start, end in ranges:
        if kind == "html_block" and is_hidden_markup(text[start:end]):
            cuts.append((start, end))
    cuts += [
        match.span() for match in _COMMENT_LINE.finditer(text) if not _within(match.start(), code)
    ]
    kept, last, count = [], 0, 0
    for start, end in sorted(cuts):
        if end > last:
            kept.append(text[last : max(start, last)])
            last, count = end, count + 1
    return "".join([*kept, text[last:]]), count


def _comments(text: str, code: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Comments that are closed and do not stand in code."""
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            return
        line = text.rfind("\n", 0, start) + 1
        if _within(start, code) or text.count("`", line, start) % 2:
            start = text.find("<!--", start + 4)
            continue
        yield start, end + 3
        start = text.find("<!--", end + 3)


def _within(position: int, ranges: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in ranges)
