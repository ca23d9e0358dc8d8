"""Marks of one reply, by the probe's aspect.

answer      answered: half for the value, half for a citation of a document that holds it;
            degraded: the citation's half alone; abstained: 1 where nothing holds the answer
own words   1 where the value stands in the model's own words, not in a quotation that stands in
            for words without support: a broken model would hide behind the quotations else

An error is 0 in both.
"""

import json
from collections.abc import Iterable
from typing import Any, Literal

from contracts.answer import Answer
from evals.clients.qdrant import IndexedChunk
from evals.suite.labels import contains, overlaps
from evals.watch.model import Cell, CellReply, Probe

CITED = STATED = 0.5
TWIN = "#own"
OWN_WORDS: Literal["own words"] = "own words"  # an aspect, and its stratum


def with_own_words(probes: Iterable[Probe]) -> list[Probe]:
    """The probes, and for each that has an answer a twin that marks the model's own words."""
    listed = list(probes)
    return listed + [
        probe.model_copy(
            update={"id": f"{probe.id}{TWIN}", "aspect": OWN_WORDS, "strata": (OWN_WORDS,)}
        )
        for probe in listed
        if probe.values
    ]


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
    if reply.probe.endswith(TWIN):
        return "the value is not in the model's own words"
    if reply.score > 0:
        return "the answer lacks the value or its citation"
    return "the value was in the prompt, but is not in the answer"


def _score(probe: Probe, answer: Answer) -> float:
    if not probe.values:
        return float(answer.status == "abstained")
    stated = answer.status == "answered" and _states(probe, answer.text)
    if probe.aspect == OWN_WORDS:
        return float(stated and not answer.reason)
    return STATED * stated + CITED * _cites(probe, answer)


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
