"""Excerpts: the sentences of the passages, ranked by how much of the question they speak of.

One ranking serves four needs: the context that the model reads, the evidence that the passages
answer at all, the citations, and the quotation where the model fails.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

from application import table
from application.terms import (
    Span,
    asks_for_value,
    content_terms,
    is_heading,
    is_table_row,
    is_table_rule,
    sentences,
    values,
)
from contracts.answer import Passage

CONTEXT_WEIGHT = 0.3  # of a term that stands only above the sentence
SIMILARITY_WEIGHT = 1.5  # of the cosine, beside the shared terms
RANK_PENALTY = 0.05  # for each passage that ranked higher
VALUE_BONUS = 0.2  # of a sentence with a value, where the question asks for one
SAME_WORDS = 0.6  # of the shorter of two sentences that say the same
STANDS_IN = 0.6  # of an older document's rank, for a newer one's sentence in its place
LONGEST = 400  # characters; a longer sentence or row becomes several excerpts


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One sentence, list item or table row of a passage."""

    passage: Passage
    span: Span  # characters in the passage's text
    heading: str  # the nearest one above it, without marks; may be empty
    lead: str  # the line that it hangs on: a table's header or the start of a list; may be empty
    terms: frozenset[str]
    shown: str  # as the model and a reader see it: a row's cells with their columns' names
    similarity: float = 0.0  # cosine of its vector and the question's
    score: float = 0.0  # about 1 where it holds all terms of the question, rarer ones weighing more

    @property
    def rank(self) -> float:
        """What excerpts are ordered by: shared terms and meaning together.

        Rounded, since the same sentence has a slightly different vector in another batch.
        """
        return round(self.score + SIMILARITY_WEIGHT * self.similarity, 2)

    @property
    def place(self) -> tuple[str, int]:
        """The document, and the offset in its text: decides between equal ranks."""
        return self.passage.document_id, self.passage.start + self.span.start

    @property
    def text(self) -> str:
        """The excerpt's own words."""
        return self.passage.text[self.span.start : self.span.end]


def ranked_excerpts(question: str, passages: Sequence[Passage]) -> list[Excerpt]:
    """Every excerpt of the passages, best first; ties keep the passages' order."""
    asked = content_terms(question)
    found = [(rank, *pair) for rank, p in enumerate(passages) for pair in _excerpts(p)]
    weights = {
        term: math.log((len(found) + 1) / (sum(term in e.terms for _, e, _ in found) + 0.5))
        for term in asked
    }
    total = sum(weights.values()) or 1.0

    bonus = VALUE_BONUS if asks_for_value(question) else 0.0

    def score(rank: int, excerpt: Excerpt, context: set[str]) -> float:
        own = sum(weights[term] for term in asked & excerpt.terms)
        above = sum(weights[term] for term in asked & context - excerpt.terms)
        valued = bonus if values(excerpt.text) else 0.0
        return (own + CONTEXT_WEIGHT * above) / total - RANK_PENALTY * rank + valued

    scored = [replace(e, score=score(rank, e, context)) for rank, e, context in found]
    return sorted(scored, key=lambda excerpt: -excerpt.score)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Excerpts, best first, and those left out because a newer document says otherwise."""

    excerpts: list[Excerpt]
    superseded: list[tuple[Excerpt, Excerpt]]  # the older one, and the newer in its place


def reranked(
    question: str,
    excerpts: Sequence[Excerpt],
    similarities: Sequence[float],
    dates: Mapping[str, datetime],
) -> Ranking:
    """The excerpts by shared terms and meaning together, best first.

    Where a newer document, by `dates`, says the same thing with other values, the older excerpt is
    left out. Where the best one is of an older document, what the newest says instead is first.
    """
    compared = [replace(e, similarity=s) for e, s in zip(excerpts, similarities, strict=True)]
    compared.sort(key=lambda excerpt: (-excerpt.rank, excerpt.place))
    if not compared:
        return Ranking([], [])
    asked = content_terms(question)
    best = _current(_best(compared), compared, dates, asked)
    superseded = []
    for old in compared:
        new = _current(old, compared, dates, asked)
        if new is not old and _says_otherwise(old, new):
            superseded.append((old, new))
    gone = [old for old, _ in superseded]
    kept = [excerpt for excerpt in compared if not any(excerpt is old for old in gone)]
    return Ranking(sorted(kept, key=lambda excerpt: excerpt is not best), superseded)


def _best(ranked: Sequence[Excerpt]) -> Excerpt:
    """The best excerpt of the document with several good ones: one alone may be good by chance."""
    by_document: dict[str, list[float]] = {}
    for excerpt in ranked:
        by_document.setdefault(excerpt.passage.document_id, []).append(excerpt.rank)
    name = max(by_document, key=lambda name: _together(by_document[name]))
    return next(excerpt for excerpt in ranked if excerpt.passage.document_id == name)


def _current(
    best: Excerpt, excerpts: Sequence[Excerpt], dates: Mapping[str, datetime], asked: set[str]
) -> Excerpt:
    """`best`, or what the newest document says in its place."""
    dated = [excerpt for excerpt in excerpts if excerpt.passage.document_id in dates]

    def date(excerpt: Excerpt) -> datetime:
        return dates[excerpt.passage.document_id]

    while best in dated:
        newer = [
            excerpt
            for excerpt in dated
            if date(excerpt) > date(best)
            and excerpt.rank >= STANDS_IN * best.rank
            and _same_thing(excerpt, best, asked)
        ]
        if not newer:
            break
        row = _key(best)
        best = max(newer, key=lambda e: (date(e), _key(e) == row, e.rank))
    return best


def _says_otherwise(old: Excerpt, new: Excerpt) -> bool:
    """Whether nearly all words of both are the same, and their values are not.

    Two rows say the same thing where their first cells are the same, whatever other columns hold.
    """
    words, others = ({t for t in e.terms if t.isalpha()} for e in (old, new))
    more = max(len(words), len(others))
    differs = bool(values(old.text)) and values(old.text) != values(new.text)
    same = len(words & others) >= SAME_WORDS * more or _key(old) == _key(new) != ""
    return differs and same


def _key(excerpt: Excerpt) -> str:
    """The first cell of a table's row, which says what the row is about; "" of other text."""
    if not is_table_row(excerpt.text) or not (spans := table.cells(excerpt.text)):
        return ""
    return excerpt.text[slice(*spans[0])].casefold()


def _same_thing(one: Excerpt, other: Excerpt, asked: set[str]) -> bool:
    """Whether two excerpts have most words in common, values apart, and not the question's only."""
    words, others = ({t for t in excerpt.terms if t.isalpha()} for excerpt in (one, other))
    shared = words & others
    fewer = min(len(words), len(others))
    return bool(shared - asked) and fewer > 1 and len(shared) >= SAME_WORDS * fewer


def _together(ranks: Sequence[float]) -> float:
    return sum(rank * 0.5**place for place, rank in enumerate(ranks[:3]))


def _excerpts(passage: Passage) -> Iterator[tuple[Excerpt, set[str]]]:
    """Excerpts in order, each with the terms of what stands above it."""
    titles = content_terms(" ".join([passage.title, *passage.headings]))
    above: set[str] = set()
    lead, heading = passage.table_header.splitlines()[0] if passage.table_header else "", ""
    nearest = passage.headings[-1] if passage.headings else ""
    spans = sentences(passage.text)
    for (start, end), following in zip_longest(spans, spans[1:]):
        text = passage.text[start:end]
        terms = frozenset(content_terms(text))
        if is_heading(text):
            heading, lead = text, ""
            nearest = text.strip("#*_ ")
        elif following and is_table_rule(passage.text[slice(*following)]):
            lead = text  # a table's header says nothing without a row
        elif terms:
            lead = lead if _hangs_on(text, lead) else ""
            context = titles | above | content_terms(heading) | content_terms(lead)
            for piece, shown in _pieces(text, start, lead):
                words = terms if shown is None else frozenset(content_terms(shown))
                own = passage.text[slice(*piece)]
                seen = " ".join((shown or _after_lead(own, lead)).split())
                yield Excerpt(passage, piece, nearest, lead, words, seen), context
            lead = text if text.endswith(":") else lead
        above = set(terms)


def _pieces(text: str, start: int, lead: str) -> Iterator[tuple[Span, str | None]]:
    """The spans of one sentence or row, each with what is shown of a row; one where it is short."""
    if is_table_row(text):
        spans = table.cells(text, start)
        for first, last in table.groups(text, LONGEST):
            whole = (first, last) == (0, len(spans))
            span = Span(spans[first].start, spans[last - 1].end)
            yield (
                Span(start, start + len(text)) if whole else span,
                table.in_pairs(text, lead, first, last),
            )
        return
    while len(text) > LONGEST:
        space = text.rfind(" ", 1, LONGEST)
        cut = space if space > 0 else LONGEST
        yield Span(start, start + cut), text[:cut]
        rest = text[cut:].lstrip()
        start, text = start + len(text) - len(rest), rest
    yield Span(start, start + len(text)), None


def _after_lead(text: str, lead: str) -> str:
    return f"{lead} {text}" if lead else text


def _hangs_on(text: str, lead: str) -> bool:
    return is_table_row(text) if is_table_row(lead) else text[0] in "-*+•0123456789"
