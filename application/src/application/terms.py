"""Words, values and sentences of a text: what evidence and citations compare."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import snowballstemmer  # type: ignore[import-untyped]  # it ships no types

WORD = re.compile(r"\w+(?:['’]\w+)?")
VALUE = re.compile(r"(?<!\w)(?=[\w./:,-]*\d)\w+(?:[./:,-]\w+)*%?")  # holds a digit
NAME = re.compile(r"(?<=[^.!?:\s] )[A-Z][\w-]+")  # capitalised inside a sentence
BLOCK_END = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+|#>]|\d+[.)]\s))")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'“(\[]?[A-Z0-9])")

STOPWORDS = frozenset(
    """
    a about after all also an and any are as at be because been before being both but by can could
    did do does doing down during each few for from further get give given had has have having he
    her here hers him his how i if in into is it its itself just like long many may me might more
    most much must my need no nor not now of off often on once one only or other our ours out over
    own per please same say says shall she should so some such take tell than that the their them
    then there these they this those through to too under until up use used using very was we were
    what when where which while who whom whose why will with within would you your yours
    """.split()  # noqa: SIM905 - a list of strings would be a hundred lines
)

_stemmer = snowballstemmer.stemmer("english")


class Span(NamedTuple):
    """A piece of a text, by its characters."""

    start: int
    end: int


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """English Snowball stem of a lower-case word."""
    return str(_stemmer.stemWord(word))


def content_terms(text: str) -> set[str]:
    """Stems of the words that carry meaning."""
    words = (word.lower() for word in WORD.findall(text))
    return {stem(word) for word in words if word not in STOPWORDS}


def values(text: str) -> set[str]:
    """Numbers, dates, amounts and codes: tokens with a digit, without separators of thousands."""
    return {value.replace(",", "").lower() for value in VALUE.findall(text)}


def specifics(text: str) -> set[str]:
    """Stems of what a question is specific about: its values, and names inside its sentences."""
    return values(text) | {stem(name.lower()) for name in NAME.findall(text)}


def sentences(text: str) -> list[Span]:
    """Spans of sentences, table rows and list items, without the white space around them."""
    cuts = sorted(
        {0, len(text)}
        | {match.start() for match in BLOCK_END.finditer(text)}
        | {match.start() for match in SENTENCE_END.finditer(text)}
    )
    spans = []
    for start, end in pairwise(cuts):
        piece = text[start:end]
        if stripped := piece.strip():
            first = start + piece.index(stripped)
            spans.append(Span(first, first + len(stripped)))
    return spans


def is_table_row(text: str) -> bool:
    """Whether `text` is a row of a Markdown table."""
    return text.startswith("|")


def is_heading(text: str) -> bool:
    """Whether `text` is a Markdown heading."""
    return text.startswith("#")
