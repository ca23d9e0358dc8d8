"""Marks of one reply: half for the value, half for a citation, all for a right abstention.

answered    the value in the model's own words counts .5, in a quotation that stands in for
            words without support .25; a citation of a document that holds it .5
degraded    the citation's .5 alone: the user got the right page, and no model answered
abstained   1 where nothing holds the answer, else 0
error       0
"""

import json
from collections.abc import Iterable
from typing import Any

from contracts.answer import Answer
from evals.clients.qdrant import IndexedChunk
from evals.suite.labels import contains, overlaps
from evals.watch.model import Cell, CellReply, Probe

CITED = STATED = 0.5
QUOTED = 0.25  # else the quotations would hide a broken model: a small one needs many
RIGHT = CITED + QUOTED  # the least score of a reply that served the user


def mark(probe: Probe, cell: Cell, answer: Answer | None, error: str | None) -> CellReply:
    """One cell's answer against the truth; without an answer, `error` says why."""
    if answer is None:
        return CellReply(
            probe=probe.id, cell=cell, score=0.0, status="error", text="", reason=error
        )
    request = answer.chat_request
    return CellReply(
        probe=probe.id,
        cell=cell,
        score=_score(probe, answer),
        status=answer.status,
        text=answer.text,
        reason=answer.reason,
        cited=_distinct(citation.document_id for citation in answer.citations),
        passages=_distinct(passage.document_id for passage in answer.passages),
        prompt=None if request is None else json.dumps(request, ensure_ascii=False),
        retrieved=any(_holds(probe, each.document_id, each.text) for each in answer.passages)
        if probe.values
        else None,
        in_prompt=_in_prompt(probe, request) if probe.values and request else None,
    )


def in_index(probe: Probe, chunks: Iterable[IndexedChunk]) -> bool | None:
    """Whether a committed chunk holds the value; None where abstaining is right."""
    if not probe.values:
        return None
    return any(_holds(probe, each.chunk.document_id, each.chunk.text) for each in chunks)


def ladder(reply: CellReply) -> str:
    """The step at which the value was lost, in words that are the same for the same step."""
    if reply.score == 1:
        return "nothing was lost"
    if reply.status == "error":
        return "the stack gave no answer"
    if reply.in_index is False:
        return "the value is not in the index"
    if reply.retrieved is None:
        return "it answered what no document holds"
    if not reply.retrieved:
        return "the value was not retrieved"
    if reply.status == "abstained":
        return "the value was retrieved, but it abstained"
    if reply.in_prompt is False:
        return "the value was retrieved, but is not in the prompt"
    if reply.status == "degraded":
        return "the value was retrieved, but no model answered"
    if reply.score >= RIGHT:
        return "the model's words had no support, but a quotation holds the value"
    if reply.score > 0:
        return "the answer lacks the value or its citation"
    return "the value was in the prompt, but is not in the answer"


def _score(probe: Probe, answer: Answer) -> float:
    if not probe.values:
        return float(answer.status == "abstained")
    score = CITED * _cites(probe, answer)
    if answer.status == "answered" and _states(probe, answer.text):
        score += QUOTED if answer.reason else STATED
    return score


def _states(probe: Probe, text: str) -> bool:
    return any(contains(text, value) for value in probe.values)


def _cites(probe: Probe, answer: Answer) -> bool:
    """Whether a citation names a document of the probe, or a moved one with its very words."""
    texts = {passage.chunk_id: passage.text for passage in answer.passages}
    return any(
        citation.document_id in probe.documents
        or any(contains(texts.get(citation.chunk_id, ""), span) for span in probe.spans)
        for citation in answer.citations
    )


def _holds(probe: Probe, document_id: str, text: str) -> bool:
    """Whether a chunk holds the probe's words, or in its own document the value or half of them."""
    return any(
        contains(text, span)
        or (document_id == document and (_states(probe, text) or overlaps(text, span)))
        for document, span in zip(probe.documents, probe.spans, strict=True)
    )


def _in_prompt(probe: Probe, request: dict[str, Any]) -> bool:
    """Whether the model was shown it: in the last message, for the examples hold values too."""
    messages = request.get("messages") or [{}]
    return _states(probe, str(messages[-1].get("content")))


def _distinct(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))
