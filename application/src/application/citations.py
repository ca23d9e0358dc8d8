"""Citations and support, decided here: a small model neither cites nor abstains by itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from application.terms import Span, content_terms, sentences, values
from contracts.answer import Citation, Passage

MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class Support:
    """The span of a passage that best holds a statement, and how well, in [0, 1]."""

    passage: Passage
    span: Span  # characters in the passage's text
    share: float  # of the statement's terms that the span and its headings hold


@dataclass(frozen=True, slots=True)
class CitedText:
    """Statements that passages support, marked `[1]`, and the citations that they point to."""

    text: str
    citations: list[Citation]


def support(statement: str, question: str, passages: Sequence[Passage]) -> Support | None:
    """The best support of `statement`, or None where a value of it stands in no single span.

    Terms of the question break ties, since one value often stands in several places.
    """
    said, said_values = content_terms(statement), values(statement)
    new = said - content_terms(question) or said  # an answer's own words, not the question's
    asked = content_terms(question)
    best: tuple[tuple[float, float], Support] | None = None
    for passage in passages:
        heading_terms = content_terms(" ".join([passage.title, *passage.headings]))
        for span in sentences(passage.text):
            sentence = passage.text[span.start : span.end]
            terms = content_terms(sentence)
            if not said_values <= values(sentence) | values(question):
                continue
            share = len(new & terms) / len(new) if new else 0.0
            rank = (share, len(asked & (terms | heading_terms)) / (len(asked) or 1))
            if best is None or rank > best[0]:
                best = (rank, Support(passage, span, share))
    return best[1] if best else None


def cite(reply: str, question: str, passages: Sequence[Passage], least_support: float) -> CitedText:
    """Keeps the statements of `reply` that a passage supports, each marked with its citation."""
    statements: list[str] = []
    citations: list[Citation] = []
    for start, end in sentences(MARKER.sub("", reply)):
        statement = MARKER.sub("", reply)[start:end]
        found = support(statement, question, passages)
        if found is None or found.share < least_support:
            continue
        citation = citation_of(found, len(citations) + 1)
        known = next(
            (c for c in citations if c.start == citation.start and c.chunk_id == citation.chunk_id),
            None,
        )
        if known is None:
            citations.append(citation)
        statements.append(f"{statement} [{(known or citation).number}]")
    return CitedText(" ".join(statements), citations)


def citation_of(found: Support, number: int) -> Citation:
    """`found` as a citation: its span counted in characters of the document."""
    passage, (start, end) = found.passage, found.span
    return Citation(
        number=number,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        version=passage.version,
        title=passage.title,
        path=passage.path,
        start=passage.start + start,
        end=passage.start + end,
        quote=passage.text[start:end],
    )


def nearest_sentences(question: str, passages: Sequence[Passage], limit: int = 3) -> list[Citation]:
    """Of each of the first passages, the sentence that shares most terms with the question."""
    asked = content_terms(question)
    nearest = []
    for number, passage in enumerate(passages[:limit], start=1):
        spans = sentences(passage.text) or [Span(0, len(passage.text))]
        span = max(spans, key=lambda s: len(asked & content_terms(passage.text[s.start : s.end])))
        nearest.append(citation_of(Support(passage, span, 0.0), number))
    return nearest
