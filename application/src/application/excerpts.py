"""Excerpts: the sentences of the passages, ranked by how much of the question they speak of.

One ranking serves four needs: what a small model is shown (it copies well from three sentences and
badly from three pages), the evidence, the citations, and the quotation where the model fails.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from application.terms import Span, content_terms, is_heading, is_table_row, sentences
from contracts.answer import Passage

CONTEXT_WEIGHT = 0.3  # of a term that stands only above the sentence
RANK_PENALTY = 0.05  # for each passage that ranked higher
LONGEST = 400  # characters; text without sentences is cut


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One sentence, list item or table row of a passage."""

    passage: Passage
    span: Span  # characters in the passage's text
    lead: str  # the line that it hangs on: a table's header or the start of a list; may be empty
    terms: frozenset[str]
    score: float = 0.0  # up to 1: the question's terms that it holds, rarer ones weighing more

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

    def score(rank: int, terms: frozenset[str], context: set[str]) -> float:
        own = sum(weights[term] for term in asked & terms)
        above = sum(weights[term] for term in asked & context - terms)
        return (own + CONTEXT_WEIGHT * above) / total - RANK_PENALTY * rank

    scored = [
        Excerpt(e.passage, e.span, e.lead, e.terms, score(rank, e.terms, context))
        for rank, e, context in found
    ]
    return sorted(scored, key=lambda excerpt: -excerpt.score)


def _excerpts(passage: Passage) -> Iterator[tuple[Excerpt, set[str]]]:
    """Excerpts in order, each with the terms of what stands above it."""
    titles = content_terms(" ".join([passage.title, *passage.headings]))
    above: set[str] = set()
    lead = heading = ""
    for start, end in sentences(passage.text):
        text = passage.text[start:end]
        terms = frozenset(content_terms(text))
        if is_heading(text):
            heading, lead = text, ""
            continue
        if not terms:  # a rule, a separator
            continue
        starts_table = is_table_row(text) and not is_table_row(lead)
        if not starts_table:
            context = titles | above | content_terms(heading) | content_terms(lead)
            yield Excerpt(passage, _cut(passage.text, start, end), lead, terms), context
        if starts_table or text.endswith(":"):
            lead = text
        elif lead and not _hangs_on(text, lead):
            lead = ""
        above = set(terms)


def _hangs_on(text: str, lead: str) -> bool:
    return is_table_row(text) if is_table_row(lead) else text[:1] in "-*+•0123456789"


def _cut(text: str, start: int, end: int) -> Span:
    if end - start <= LONGEST:
        return Span(start, end)
    space = text.rfind(" ", start, start + LONGEST)
    return Span(start, space if space > start else start + LONGEST)
