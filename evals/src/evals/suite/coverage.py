"""Correctness against coverage: how right a system is, the fewer questions it answers.

A run is one system's marked replies to one dataset, kept as JSON lines. A system that gives a
score of its evidence has a curve; one that gives none has a point.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evals.errors import DatasetError
from evals.suite.answers import Reply
from evals.suite.labels import contains


class Mark(BaseModel):
    """One reply of a run, with its mark; `text` is for a person who looks it up."""

    model_config = ConfigDict(frozen=True)

    id: str
    answerable: bool
    answered: bool
    abstained: bool = False  # it said that the documents do not tell
    correct: bool  # it answered, and the text holds the value
    evidence: float | None  # None where the system gives no score
    text: str
    first_token_ms: float | None = None
    total_ms: float | None = None


@dataclass(frozen=True)
class Point:
    """Share of the questions answered, and share of those answers that are correct."""

    coverage: float
    correct: float


def marks(replies: Iterable[Reply]) -> list[Mark]:
    """This stack's replies as a run."""
    rows = []
    for reply in replies:
        gold, answer = reply.question.gold[reply.revision], reply.answer
        answered = answer.status == "answered"
        rows.append(
            Mark(
                id=f"{reply.revision}/{reply.question.id}",
                answerable=gold.answerable,
                answered=answered,
                abstained=answer.status == "abstained",
                correct=answered and any(contains(answer.text, value) for value in gold.values),
                evidence=answer.evidence,
                text=answer.text,
                first_token_ms=reply.first_token_ms,
                total_ms=reply.total_ms,
            )
        )
    return rows


def curve(run: Sequence[Mark]) -> list[Point]:
    """Points by falling evidence, the last with every answer the system gave.

    Equal evidence makes one point. An answer to a question that has none is wrong.
    """
    answered = [mark for mark in run if mark.answered]
    if not answered:
        return [Point(0.0, 0.0)]
    if any(mark.evidence is None for mark in answered):
        return [_point(answered, len(run))]
    levels = sorted({mark.evidence or 0.0 for mark in answered}, reverse=True)
    return [
        _point([mark for mark in answered if (mark.evidence or 0.0) >= level], len(run))
        for level in levels
    ]


def keep(path: Path, run: Iterable[Mark]) -> None:
    """Write a run, in place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{mark.model_dump_json()}\n" for mark in run), encoding="utf-8")


def read(folder: Path) -> dict[str, list[Mark]]:
    """The runs in a folder by system, ours first.

    Raises: DatasetError where there is none.
    """
    paths = sorted(folder.glob("*.jsonl"), key=lambda path: (path.stem != "faultline", path.stem))
    if not paths:
        raise DatasetError(f"No replies are kept in {folder}: run `evals answers GOLDEN` first.")
    return {path.stem: [Mark.model_validate_json(line) for line in _lines(path)] for path in paths}


def _point(answered: Sequence[Mark], asked: int) -> Point:
    return Point(len(answered) / asked, sum(mark.correct for mark in answered) / len(answered))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
