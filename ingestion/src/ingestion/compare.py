"""A document against its raw text, or against its last version: pure, and every limit is here.

The audit asks for `differences`, the guards for `losses`. The limits were set on 1,064 healthy
documents: both revisions of the sample in four formats, and the three versions of a public
knowledge base (README.md, "The audit").
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.index import ChunkPayload, DocumentManifest
from contracts.status import Finding
from ingestion.raw import Raw, Row, extract

WORDS_FOUND = 0.85  # healthy: .90 and more; a generated list of contents is no text to the parser
FEW_WORDS = 20  # a document with fewer may lose more of them
FEW_WORDS_FOUND = 0.5
ROWS_FOUND = 0.9  # healthy: all of them
MOJIBAKE_SIGNS = 0  # more than the raw text has; healthy: none
SAME_BYTES = 0.75  # of the pin's raw bytes: what was there to be parsed did not shrink as much
LEAST_GROWTH, MOST_GROWTH = 0.5, 1.5  # of a count that should have stayed; healthy: .69 to 1.33
MOST_SHAPES = 64  # of rows, by which cells have no known text
CHUNK_SLACK = 0.5  # a document of one or two chunks may gain or lose one
LEAST_TEXT, MOST_TEXT = 0.5, 2.0  # characters parsed to raw ones; healthy: .91 to 1.43

Kind = Literal["text lost", "tables lost", "mojibake", "shape"]

_CONTINUED = "[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"  # UTF-8's second byte in a legacy encoding
_MOJIBAKE = re.compile(f"[Â-ß]{_CONTINUED}|[à-ï]{_CONTINUED}{{2}}|[\x80-\x9f\ufffd]")


@dataclass(frozen=True)
class Indexed:
    """A document as readers find it: its manifest, and the chunks of the version that it names."""

    manifest: DocumentManifest
    chunks: Sequence[ChunkPayload]
    pinned: DocumentManifest | None = None  # as the newest pin of the index has it

    @property
    def text(self) -> str:
        """The document's text, put together from its chunks; line feeds where one is missing."""
        text = ""
        for chunk in sorted(self.chunks, key=lambda chunk: chunk.ordinal):
            text = text.ljust(chunk.start, "\n")
            text += chunk.text[len(text) - chunk.start :]
        return text


def differences(raw: Raw, indexed: Indexed) -> Iterator[Finding]:
    """What is wrong with a document, one finding for each check that fails."""
    for kind, check in _CHECKS:
        if detail := check(raw, indexed):
            yield Finding(document_id=indexed.manifest.document_id, kind=kind, detail=detail)


def losses(before: str, now: str) -> Iterator[tuple[Kind, str]]:
    """What the text of a document lost since `before`, as the parser gave both; "" loses nothing.

    An edit changes words and cells, so what is compared is how much text and how many rows remain.
    """
    if len(now) < LEAST_GROWTH * len(before):
        yield "text lost", f"{len(now)} characters are left of {len(before)}"
    rows, left = (len(_wanted(extract(text.encode(), "markdown"))) for text in (before, now))
    if left < LEAST_GROWTH * rows:
        yield "tables lost", f"{left} table rows are left of {rows}"
    if detail := _new_mojibake(before, now):
        yield "mojibake", detail.format("before")


def _text_lost(raw: Raw, indexed: Indexed) -> str | None:
    headings = {heading for chunk in indexed.chunks for heading in chunk.headings}
    wanted = _words(raw.text)
    lost = wanted - _words("\n".join((indexed.manifest.title, *headings, indexed.text)))
    limit = WORDS_FOUND if len(wanted) >= FEW_WORDS else FEW_WORDS_FOUND
    if not wanted or 1 - len(lost) / len(wanted) >= limit:
        return None
    return (
        f"{len(lost)} of the {len(wanted)} different words in the source are not in its chunks "
        f"(at least {limit:.0%} must be), e.g. {', '.join(sorted(lost)[:5])}"
    )


def _tables_lost(raw: Raw, indexed: Indexed) -> str | None:
    wanted = _wanted(raw)
    rows = _Rows(line for line in indexed.text.splitlines() if "|" in line)
    lost = [row for row in wanted if row not in rows]
    if len(lost) <= (1 - ROWS_FOUND) * len(wanted):
        return None
    return (
        f"{len(lost)} of the {len(wanted)} table rows in the source are no rows in its chunks, "
        f"e.g. {' | '.join(cell or '?' for cell in lost[0])[:100]}"
    )


def _wanted(raw: Raw) -> list[Row]:
    """The rows with words in two cells or more."""
    return [row for row in raw.rows if sum(1 for cell in row if cell and _letters(cell)) > 1]


class _Rows:
    """Table rows by their cells' places; a look-up takes the time of one row, however many."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rows = [_in_place(_BAR.split(line)) for line in map(_unlinked, lines)]
        self._shapes: dict[tuple[bool, ...], set[tuple[str | None, ...]]] = {}

    def __contains__(self, row: Row) -> bool:
        """Whether a row has the same cells in the same places; None stands for any cell."""
        wanted = _in_place(row)
        shape = tuple(cell is None for cell in wanted)
        if shape not in self._shapes:
            if len(self._shapes) >= MOST_SHAPES:
                return True  # so that a sheet of odd rows cannot take for ever
            self._shapes[shape] = {
                tuple(
                    None if any_cell else cell for cell, any_cell in zip(each, shape, strict=True)
                )
                for each in self._rows
                if len(each) == len(shape)
            }
        return wanted in self._shapes[shape]


_BAR = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")


def _unlinked(line: str) -> str:
    """A line with the texts of its links only."""
    return _LINK.sub(r"\1", line)


def _in_place(cells: Iterable[str | None]) -> tuple[str | None, ...]:
    """The letters and digits of each cell, without empty cells on either side."""
    row = [None if cell is None else _letters(_unlinked(cell)) for cell in cells]
    while row and row[-1] == "":
        row.pop()
    first = next((i for i, cell in enumerate(row) if cell != ""), 0)
    return tuple(row[first:])


def _mojibake(raw: Raw, indexed: Indexed) -> str | None:
    detail = _new_mojibake(unicodedata.normalize("NFC", raw.text), indexed.text)
    return detail and detail.format("in the source")


def _new_mojibake(before: str, now: str) -> str | None:
    """A clause on signs of a wrong encoding that are new in `now`; "{}" says where it was not."""
    signs, healthy = _MOJIBAKE.findall(now), len(_MOJIBAKE.findall(before))
    if len(signs) <= healthy + MOJIBAKE_SIGNS:
        return None
    return f"{len(signs)} signs of a wrong encoding, and {healthy} {{}}, e.g. {signs[0]!r}"


def _shape(raw: Raw, indexed: Indexed) -> str | None:
    """Chunks and characters against the manifest, the raw text, and the newest pin."""
    now, pinned = indexed.manifest, indexed.pinned
    if len(indexed.chunks) != now.chunks:
        return f"it has {len(indexed.chunks)} chunks, and its manifest says {now.chunks}"
    characters = len(raw.text)
    if characters and not LEAST_TEXT <= now.characters / characters <= MOST_TEXT:
        return f"it has {now.characters} characters, and the raw text {characters}"
    if pinned is None or not pinned.characters or not pinned.raw_bytes:
        return None
    if (
        now.characters < LEAST_GROWTH * pinned.characters
        and now.raw_bytes > SAME_BYTES * pinned.raw_bytes
    ):
        return (
            f"it has {now.characters} characters where the newest pin has {pinned.characters}, "
            f"from {now.raw_bytes} raw bytes where it had {pinned.raw_bytes}"
        )
    expected = max(1, pinned.chunks * now.characters / pinned.characters)
    least, most = LEAST_GROWTH * expected - CHUNK_SLACK, MOST_GROWTH * expected + CHUNK_SLACK
    if least <= now.chunks <= most:
        return None
    return f"it has {now.chunks} chunks, and at the newest pin's length of chunk {expected:.0f}"


_CHECKS: tuple[tuple[Kind, Callable[[Raw, Indexed], str | None]], ...] = (
    ("text lost", _text_lost),
    ("tables lost", _tables_lost),
    ("mojibake", _mojibake),
    ("shape", _shape),
)


def _words(text: str) -> set[str]:
    """The words of four letters and more."""
    text = unicodedata.normalize("NFKC", text.replace("™", " ").replace("℠", " "))
    return set(re.findall(r"[^\W\d_]{4,}", text.casefold()))


def _letters(text: str) -> str:
    return "".join(re.findall(r"[^\W_]", unicodedata.normalize("NFKC", text).casefold()))
