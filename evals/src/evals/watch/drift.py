"""Drift as the watcher sees it: one evidently report a boundary, against what was accepted.

It takes seconds, most of them evidently's import: a cycle runs it in a thread after its verdict.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import nan
from pathlib import Path
from statistics import fmean

from contracts.answer import AnswerEvent
from contracts.index import ChunkPayload
from evals.clients.qdrant import IndexedChunk
from evals.watch.detector import Shares
from evals.watch.model import LAYERS, Cell, Cycle, Indicator, Layer, Probe

LAYER: dict[str, Layer] = {
    "data to application": "data",
    "serving to application": "serving",
    "application to user": "application",
}

_AT = re.compile(r'"at":"([^"]+)"')


@dataclass(frozen=True)
class Side:
    """The accepted state, or the live one: committed chunks, and what its probes got."""

    chunks: Sequence[IndexedChunk]
    events: Sequence[AnswerEvent]  # of probes, with their questions
    scores: Mapping[str, float]  # by question
    shares: Mapping[str, Mapping[Layer, float]] = field(default_factory=dict)  # by question
    data_share: Mapping[str, float] = field(default_factory=dict)  # by document
    edited: Collection[ChunkPayload] = ()  # chunks that were written by no sync

    def chunk_marks(self) -> dict[tuple[str, int], dict[str, float]]:
        """Our numbers as columns, by document and position; no share where no probe asks for it."""
        edited = {(chunk.document_id, chunk.ordinal) for chunk in self.edited}
        places = [(each.chunk.document_id, each.chunk.ordinal) for each in self.chunks]
        unknown = nan if self.data_share else 0.0
        return {
            place: {
                "written_by_no_sync": float(place in edited),
                "data_share": self.data_share.get(place[0], unknown),
            }
            for place in places
        }

    def marks(self) -> dict[str, dict[str, float]]:
        """Our numbers as columns, by question."""
        return {
            question: {"score": score}
            | {f"{layer}_share": self.shares.get(question, {}).get(layer, 0.0) for layer in LAYERS}
            for question, score in self.scores.items()
        }


def indicators(workspace: Path, cycle: str, accepted: Side, live: Side) -> list[Indicator]:
    """Write the three reports of a cycle into a workspace; an indicator for each failed test.

    A boundary without rows on either side is left out: the cells have said NO DATA of it.
    """
    from evals import reports  # evidently takes seconds to import

    before, after = (reports.answer_rows(side.events, side.marks()) for side in (accepted, live))
    chunks = [reports.chunk_rows(side.chunks, side.chunk_marks()) for side in (accepted, live)]
    compared = [
        (reports.INDEXED, chunks[0], chunks[1]),
        (reports.SERVED, before, after),
        (reports.ASKED, before, after),
    ]
    with_rows = [each for each in compared if len(each[1]) and len(each[2])]
    return [
        Indicator(layer=LAYER[written.boundary], source="drift", what=what, detail=detail)
        for written in reports.write_all(workspace, f"cycle {cycle}", with_rows)
        for what, _, detail in (failure.partition(". ") for failure in written.failed)
    ]


def by_document(probes: Sequence[Probe], shares: Mapping[str, Shares]) -> dict[str, float]:
    """The data's mean share of the harm, over the probes that a document answers."""
    asked: dict[str, list[float]] = {}
    for probe in probes:
        for document in probe.documents if probe.id in shares else ():
            asked.setdefault(document, []).append(shares[probe.id].data)
    return {document: fmean(each) for document, each in asked.items()}


def events_of(path: Path, cycle: Cycle, probes: Sequence[Probe], cell: Cell) -> list[AnswerEvent]:
    """The events of a cell's answers in a cycle, one a probe, from the application's own file.

    An event is a probe's if it has its question and its answer: an id does not come with a reply.
    """
    questions = {probe.id: probe.question for probe in probes}
    wanted = {
        (questions[reply.probe], reply.text): reply.probe
        for reply in cycle.replies
        if reply.cell == cell and reply.probe in questions
    }
    found: dict[str, AnswerEvent] = {}
    for line in _between(path, cycle.at, cycle.at + timedelta(seconds=cycle.seconds)):
        event = AnswerEvent.model_validate_json(line)
        if event.probe and (probe := wanted.get((event.question or "", event.answer or ""))):
            found[probe] = event
    return list(found.values())


def _between(path: Path, start: datetime, end: datetime) -> Iterator[str]:
    """Lines of that time, without parsing those of months before."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            at = _AT.search(line)
            if at and start <= datetime.fromisoformat(at[1]) <= end:
                yield line
