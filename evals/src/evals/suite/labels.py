"""Labels name a document and a span of its text, never a chunk: they outlive re-chunking. Pure.

Texts are compared as words, so white space, case, Markdown's marks, table rules and punctuation
do not count; numbers stay whole ("1,200", "2026-03-01"), so 5 is never found in 15 or in 12.5.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_MARKS = str.maketrans("", "", "\\`*")  # Markdown's, which stand inside words
_WORD = re.compile(r"\w+(?:(?<=\d)[.,:/-](?=\d)\w+)*")
FEWEST_SHARED_WORDS = 4  # below it, half of a span could be any passage's words


@dataclass(frozen=True)
class Label:
    """Where an answer stands: a document's path in its source, and a span of its text."""

    path: str
    span: str


def words(text: str) -> list[str]:
    """The words and numbers of a text, case folded, compatibility forms unified (NFKC)."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).translate(_MARKS).casefold())


def contains(text: str, value: str) -> bool:
    """Whether the words of `value` stand in `text`, in one run."""
    needle = _joined(value)
    return bool(needle.strip()) and needle in _joined(text)


@lru_cache(maxsize=20_000)  # the same chunks are looked through for every probe
def _joined(text: str) -> str:
    return f" {' '.join(words(text))} "


def overlaps(text: str, span: str) -> bool:
    """Whether `text` holds the span, or at least half of it in one run, cut by a chunk's edge."""
    if contains(text, span):
        return True
    theirs, ours = words(text), words(span)
    shared = SequenceMatcher(None, theirs, ours, autojunk=False).find_longest_match().size
    return shared >= max(FEWEST_SHARED_WORDS, len(ours) / 2)


def found(labels: Iterable[Label], passages: Iterable[tuple[str, str]]) -> bool:
    """Whether any passage, as (path, text), is of a label's document and overlaps its span."""
    texts = list(passages)
    return any(
        path == label.path and overlaps(text, label.span)
        for label in labels
        for path, text in texts
    )
