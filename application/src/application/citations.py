"""Citations and support, decided here: a small model neither cites nor abstains by itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from application.excerpts import Excerpt
from application.terms import content_terms, sentences, values
from contracts.answer import Citation

MARKER = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, slots=True)
class CitedText:
    """Statements marked `[1]`, and the citations that the marks point to."""

    text: str
    citations: list[Citation]


def cite(
    reply: str, question: str, excerpts: Sequence[Excerpt], least_support: float
) -> CitedText | None:
    """The statements of `reply` that an excerpt supports, marked; None where none is."""
    reply = MARKER.sub("", reply)
    cited: list[Excerpt] = []
    statements = []
    for start, end in sentences(reply):
        excerpt = supporting(reply[start:end], question, excerpts, least_support)
        if excerpt is None:
            continue
        if excerpt not in cited:
            cited.append(excerpt)
        statements.append(f"{reply[start:end]} [{cited.index(excerpt) + 1}]")
    return CitedText(" ".join(statements), _numbered(cited)) if cited else None


def quote(excerpts: Sequence[Excerpt]) -> CitedText:
    """The excerpts' own words, each with its mark."""
    words = (" ".join(excerpt.text.strip("|-*+ ").split()) for excerpt in excerpts)
    marked = [f"“{text}” [{number}]" for number, text in enumerate(words, start=1)]
    return CitedText(" ".join(marked), _numbered(excerpts))


def supporting(
    statement: str, question: str, excerpts: Sequence[Excerpt], least_support: float
) -> Excerpt | None:
    """The first excerpt that holds every value of `statement` and enough of its own terms.

    Its own terms are those that the question does not hold already; a statement without any
    repeats the question, and is supported by nothing.
    """
    own = content_terms(statement) - content_terms(question)
    stated = values(statement)
    for excerpt in excerpts:
        known = excerpt.terms | content_terms(excerpt.lead)
        if not own or len(own & known) < least_support * len(own):
            continue
        if stated <= values(excerpt.text) | values(excerpt.lead) | values(question):
            return excerpt
    return None


def _numbered(excerpts: Sequence[Excerpt]) -> list[Citation]:
    return [_citation(excerpt, number) for number, excerpt in enumerate(excerpts, start=1)]


def _citation(excerpt: Excerpt, number: int) -> Citation:
    passage, (start, end) = excerpt.passage, excerpt.span
    return Citation(
        number=number,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        version=passage.version,
        title=passage.title,
        path=passage.path,
        start=passage.start + start,
        end=passage.start + end,
        quote=excerpt.text,
    )
