"""Words, values and sentences of a text: what evidence and citations compare."""

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import snowballstemmer  # type: ignore[import-untyped]  # it ships no types

WORD = re.compile(r"\w+(?:['’]\w+)?")
VALUE = re.compile(r"(?<!\w)(?=[\w./:,-]*\d)\w+(?:[./:,-]\w+)*%?")  # holds a digit
VALUE_QUESTION = re.compile(
    r"\b(when|how (many|much|long|often|soon|quickly|late|early|far|old|big|large|high|fast)"
    r"|(what|which|at what) (time|date|day|month|year|number|amount|percentage|version|price))\b",
    re.IGNORECASE,
)
BOUNDARY = re.compile(
    r"\n\s*\n"  # a paragraph's end
    r"|\n(?=\s*(?:[-*+•|#>]|\d+[.)]\s))"  # before a list item, table row, heading or quotation
    r"|(?:(?<=[.!?])|(?<=[.!?]\*\*))\s+(?=[\"'“(\[*]*[A-Z0-9])"  # a sentence's end
)
TABLE_RULE = re.compile(r"\|[\s|:-]+")
LINE_END = re.compile(r"\n(?=\S)")
WRAPPED_AT = 70  # characters; a shorter line that a new one follows is a row of its own, as in PDF

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
    return set(_stems(text))


def phrases(text: str) -> set[tuple[str, str]]:
    """Pairs of stems that follow each other."""
    return set(pairwise(_stems(text)))


def values(text: str) -> set[str]:
    """Numbers, dates, amounts and codes: tokens with a digit, without separators of thousands."""
    return {value.replace(",", "").lower() for value in VALUE.findall(text)}


def _stems(text: str) -> list[str]:
    words = (word.lower() for word in WORD.findall(text))
    return [stem(word) for word in words if word not in STOPWORDS]


def asks_for_value(question: str) -> bool:
    """Whether a number, a date or a time would answer."""
    return VALUE_QUESTION.search(question) is not None


def sentences(text: str) -> list[Span]:
    """Spans of sentences, table rows and list items, without the white space around them."""
    cuts = {0, len(text), *(match.start() for match in BOUNDARY.finditer(text))}
    cuts |= {match.start() for match in LINE_END.finditer(text) if not _is_wrapped(text, match)}
    spans = []
    for start, end in pairwise(sorted(cuts)):
        piece = text[start:end]
        if stripped := piece.strip():
            first = start + piece.index(stripped)
            spans.append(Span(first, first + len(stripped)))
    return spans


def _is_wrapped(text: str, line_end: re.Match[str]) -> bool:
    """Whether a sentence goes on in the next line."""
    length = line_end.start() - (text.rfind("\n", 0, line_end.start()) + 1)
    return length >= WRAPPED_AT or text[line_end.end()].islower()


def is_table_row(text: str) -> bool:
    """Whether `text` is a row of a Markdown table."""
    return text.startswith("|")


def is_table_rule(text: str) -> bool:
    """Whether `text` is the line of dashes below the header of a Markdown table."""
    return TABLE_RULE.fullmatch(text) is not None


def is_heading(text: str) -> bool:
    """Whether `text` announces what follows: a Markdown heading, or a question."""
    return text.startswith("#") or text.rstrip("*_").endswith("?")
