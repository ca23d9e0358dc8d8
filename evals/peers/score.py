"""How the peers' replies and ours are marked, and what is published of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from evals.suite.answers import Gold
from evals.suite.coverage import Mark
from evals.suite.labels import contains
from evals.suite.metrics import Estimate, Part, f1_part, ratio

PHRASES = Path(__file__).with_name("refusals.txt").read_text(encoding="utf-8").splitlines()
OURS = "faultline"


@dataclass(frozen=True)
class Arm:
    """One system's run: its marked replies and what it cost."""

    name: str
    marks: list[Mark]
    ingest_seconds: float
    peak_memory_mb: float | None  # None where it cannot be read
    failures: int = 0  # questions on which the system raised an error


def judged(row: Mapping[str, Any], gold: Gold) -> Mark:
    """A peer's free text, marked in its favour.

    A reply that holds an accepted value is a correct answer, whatever else it says. Any other one
    that is empty or holds a phrase of refusals.txt is an abstention, unless the peer failed.
    """
    text = row["text"]
    correct = gold.answerable and any(contains(text, value) for value in gold.values)
    refused = not text.strip() or any(contains(text, phrase) for phrase in PHRASES)
    return Mark(
        id=row["id"],
        answerable=gold.answerable,
        answered=correct or not (refused or row.get("failure")),
        correct=correct,
        abstained=refused and not correct and not row.get("failure"),
        evidence=None,
        text=text,
        first_token_ms=row["first_token_ms"],
        total_ms=row["total_ms"],
    )


def figures(arm: Arm) -> dict[str, Estimate]:
    """Estimates by name; containment is over every question that has an answer."""
    marks = arm.marks
    containment = ratio(Part(mark.id, mark.correct) for mark in marks if mark.answerable)
    abstention = ratio(
        f1_part(mark.id, predicted=mark.abstained, actual=not mark.answerable) for mark in marks
    )
    waited = [mark.first_token_ms for mark in marks if mark.first_token_ms is not None]
    found = {
        "containment": containment,
        "abstention_f1": abstention,
        "first_token_ms": _one(median(waited), len(waited)) if waited else None,
        "ingest_seconds": _one(arm.ingest_seconds, 1),
        "peak_memory_mb": _one(arm.peak_memory_mb, 1) if arm.peak_memory_mb else None,
        "failures": _one(arm.failures, len(marks)),
    }
    return {name: estimate for name, estimate in found.items() if estimate}


def margins(arms: Sequence[Arm]) -> dict[str, Estimate]:
    """Ours less the best peer's, by measure; containment is compared question by question."""
    ours, *others = sorted(arms, key=lambda arm: arm.name != OURS)
    values = {arm.name: figures(arm) for arm in arms}
    found = {}
    for measure, name in (("containment", "containment"), ("abstention_f1", "abstention")):
        best = max(others, key=lambda arm: _value(values[arm.name], measure))
        margin = _value(values[ours.name], measure) - _value(values[best.name], measure)
        found[f"{name}_margin"] = _one(margin, len(ours.marks))
        if measure == "containment" and (paired := _paired(ours, best)):
            found["containment_margin"] = paired
    return found


def _paired(ours: Arm, best: Arm) -> Estimate | None:
    theirs = {mark.id: mark.correct for mark in best.marks}
    return ratio(
        Part(mark.id, float(mark.correct) - float(theirs[mark.id]))
        for mark in ours.marks
        if mark.answerable
    )


def _value(found: Mapping[str, Estimate], measure: str) -> float:
    return found[measure].value if measure in found else 0.0


def _one(value: float, n: int) -> Estimate:
    return Estimate(float(value), float(value), float(value), n)
