"""Parsed text -> chunks: spans cut at the token offsets of one tokenisation of the document."""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from tokenizers import Tokenizer

from ingestion.errors import DocumentError, UsageError
from ingestion.parse import PARSERS, Heading, Parsed

MAX_CHUNK_CHARACTERS = 8000  # a run without spaces is one unknown token, however long
PIECE_CHARACTERS = 200_000  # of a text that are tokenised at once
LONG_TOKEN = 1000  # characters; a longer token is cut in halves of at least half of this


@dataclass(frozen=True)
class Chunk:
    """A span of a document, `text == document_text[start:end]`, and what is embedded for it."""

    start: int
    end: int
    text: str
    headings: tuple[str, ...]  # outermost first
    page: int | None
    dense_text: str
    sparse_text: str
    table_header: str = ""  # of the table that the text goes on with, if it opens inside of one


class Chunker(Protocol):
    """Cuts a document into chunks; `name` holds all that decides where, for the collection spec."""

    @property
    def name(self) -> str:
        """E.g. "tokens:size=200,overlap=24;parsers=1"."""

    def chunks(self, parsed: Parsed) -> list[Chunk]:
        """Chunks in order; DocumentError if the document cannot be cut."""


def embedded_text(title: str, headings: Sequence[str], text: str) -> str:
    """What is embedded for a passage: where it stands in its document, then itself."""
    trail = [title, *headings]
    if len(trail) > 1 and trail[0] == trail[1]:
        trail = trail[1:]
    return f"{' > '.join(filter(None, trail))}\n\n{text}".lstrip("\n")


class TokenChunker:
    """Chunks of at most `size` tokens, cut where the document itself has a break.

    A chunk that does not open a section repeats up to `overlap` tokens of the one before. With
    title, headings and the header row of a split table it stays within `max_tokens`.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int, size: int, overlap: int) -> None:
        self._tokenizer = tokenizer
        self._size = size
        self._overlap = overlap
        self._context_tokens = max_tokens - tokenizer.num_special_tokens_to_add(False) - size
        if self._context_tokens < 16 or overlap > size // 2:
            raise UsageError(
                f"Chunks of {size} tokens that overlap by {overlap} do not fit an embedder of "
                f"{max_tokens}: leave 18 tokens for the headings, and overlap by half at most."
            )
        self._context = lru_cache(maxsize=4096)(self._fitted_context)

    @property
    def name(self) -> str:
        """Name, size and overlap, and the parsers' version."""
        return f"tokens:size={self._size},overlap={self._overlap};parsers={PARSERS}"

    def chunks(self, parsed: Parsed) -> list[Chunk]:
        """Chunks in order; between their spans lies white space only."""
        tokens = self._token_starts(parsed.text)
        section_starts = [heading.start for heading in parsed.headings]
        trails = _trails(parsed.headings)
        chunks = []
        for first, stop in self._spans(_Breaks(parsed, tokens), tokens):
            start = tokens[first]
            end = tokens[stop] if stop < len(tokens) else len(parsed.text)
            text = parsed.text[start:end].rstrip()
            headings = trails[bisect_right(section_starts, start)]
            context, used = self._context((parsed.title, *headings))
            header = _split_table_header(parsed, start)
            if header and used + self._count(header) <= self._context_tokens:
                context = f"{context}\n\n{header}"
            embedded = f"{context}\n\n{text}".lstrip()
            page = bisect_right(parsed.pages, start) if parsed.pages else None
            end = start + len(text)
            chunks.append(Chunk(start, end, text, headings, page, embedded, embedded, header))
        return chunks

    def _token_starts(self, text: str) -> "array[int]":
        """Where each token starts; the first at 0, so that what precedes it is in a chunk too.

        A long text is tokenised in pieces, since a tokeniser needs 80 times the memory of its text.
        """
        starts = array("Q", [0])
        for first, last in _pieces(text):
            encoded = self._tokenizer.encode(text[first:last], add_special_tokens=False)
            for start, end in ((first + a, first + b) for a, b in encoded.offsets):
                if start > starts[-1]:
                    starts.append(start)
                if end - start > LONG_TOKEN:
                    starts.extend(
                        range(start + LONG_TOKEN // 2, end - LONG_TOKEN // 2, LONG_TOKEN // 2)
                    )
        return starts

    def _spans(self, breaks: "_Breaks", tokens: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Ranges of tokens, first and one past the last, one per chunk."""
        first = 0
        while True:
            furthest = bisect_left(tokens, tokens[first] + MAX_CHUNK_CHARACTERS)
            limit = max(first + 1, min(first + self._size, furthest))
            if limit >= len(tokens):
                yield first, len(tokens)
                return
            stop = breaks.last_between(first, limit)
            yield first, stop
            first = breaks.first_between(max(first + 1, stop - self._overlap), stop)

    def _fitted_context(self, trail: tuple[str, ...]) -> tuple[str, int]:
        """Title and headings joined, and their tokens; what is too long goes, middle first."""
        parts = list(trail)
        while len(parts) > 2 and self._count(_joined(parts)) > self._context_tokens:
            del parts[1]
        joined = _joined(parts)
        offsets = self._tokenizer.encode(joined, add_special_tokens=False).offsets
        if len(offsets) > self._context_tokens:
            joined = joined[: offsets[self._context_tokens][0]].rstrip()
        return joined, min(len(offsets), self._context_tokens)

    def _count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


class WholeChunker:
    """Each document as one chunk, for benchmarks that score whole documents.

    One that the embedder cannot take whole is refused; with `truncate`, the text of its dense
    vector is cut at the embedder's length, and its sparse vector is still of all of it.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int, truncate: bool) -> None:
        self._tokenizer = tokenizer
        self._limit = max_tokens - tokenizer.num_special_tokens_to_add(False)
        self._truncate = truncate

    @property
    def name(self) -> str:
        """E.g. "whole:truncate=true;parsers=1"."""
        return f"whole:truncate={str(self._truncate).lower()};parsers={PARSERS}"

    def chunks(self, parsed: Parsed) -> list[Chunk]:
        """One chunk; DocumentError if the embedder cannot take it and nothing may be cut."""
        whole = embedded_text(parsed.title, (), parsed.text)
        offsets = self._tokenizer.encode(whole, add_special_tokens=False).offsets
        dense = whole
        if len(offsets) > self._limit:
            if not self._truncate:
                raise DocumentError(
                    f"{len(offsets)} tokens are over the embedder's {self._limit}: "
                    "use --chunker tokens, or --truncate in a benchmark"
                )
            dense = whole[: offsets[self._limit][0]].rstrip()
        page = 1 if parsed.pages else None
        return [Chunk(0, len(parsed.text), parsed.text, (), page, dense, whole)]


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of pieces of a text that end at a line, or else at a space, if there is one."""
    first = 0
    while len(text) - first > PIECE_CHARACTERS:
        furthest = first + PIECE_CHARACTERS
        last = max(text.rfind("\n", first, furthest), 0) or text.rfind(" ", first, furthest)
        last = last if last > first else furthest
        yield first, last
        first = last
    yield first, len(text)


class _Breaks:
    """The tokens at which a document has a break, by the strength of the break."""

    def __init__(self, parsed: Parsed, tokens: Sequence[int]) -> None:
        def at(positions: Iterator[int]) -> "array[int]":
            return array("Q", (bisect_left(tokens, position) for position in positions))

        def after(pattern: str) -> "array[int]":
            return at(match.end() for match in re.finditer(pattern, parsed.text))

        self._text = parsed.text
        self._tokens = tokens
        self._sections = at(heading.start for heading in parsed.headings)
        self._paragraphs = after(r"\n\s*\n")
        self._lines = after(r"\n")
        self._sentences = after(r"[.!?\u3002][\"')\]*_]*\s+")

    def last_between(self, first: int, limit: int) -> int:
        """Where a chunk from `first` should stop: the strongest break that leaves it filled."""
        half = first + max(1, (limit - first) // 2)
        third = first + max(1, (limit - first) // 3)
        for breaks, least in (
            (self._sections, third),
            (self._paragraphs, half),
            (self._lines, half),
            (self._sentences, half),
        ):
            i = bisect_right(breaks, limit) - 1
            if i >= 0 and breaks[i] >= least:
                return breaks[i]
        return next((i for i in range(limit, half, -1) if self._opens_a_word(i)), limit)

    def first_between(self, low: int, stop: int) -> int:
        """Where the chunk after `stop` starts: an overlap from `low` on, or at a new section."""
        i = bisect_left(self._sections, stop)
        if i < len(self._sections) and self._sections[i] == stop:
            return stop
        for breaks in (self._lines, self._sentences):
            i = bisect_left(breaks, low)
            if i < len(breaks) and breaks[i] < stop:
                return breaks[i]
        return next((i for i in range(low, stop) if self._opens_a_word(i)), stop)

    def _opens_a_word(self, token: int) -> bool:
        return self._text[self._tokens[token] - 1].isspace()


def _joined(trail: Sequence[str]) -> str:
    return embedded_text(trail[0], trail[1:], "").rstrip()


def _trails(headings: Sequence[Heading]) -> list[tuple[str, ...]]:
    """The headings above the text before the first heading, and after each, outermost first."""
    open_headings: list[Heading] = []
    trails: list[tuple[str, ...]] = [()]
    for heading in headings:
        open_headings = [outer for outer in open_headings if outer.level < heading.level]
        open_headings.append(heading)
        trails.append(tuple(outer.text for outer in open_headings))
    return trails


def _split_table_header(parsed: Parsed, start: int) -> str:
    """The header row of the table that a chunk at `start` continues, or "".

    At most a chunk's length of it: a header is there to be read with each row.
    """
    i = bisect_right(parsed.tables, start, key=lambda table: table.header_end) - 1
    if i < 0 or start >= parsed.tables[i].end:
        return ""
    header = parsed.text[parsed.tables[i].start : parsed.tables[i].header_end].strip()
    return header if len(header) <= MAX_CHUNK_CHARACTERS else ""
