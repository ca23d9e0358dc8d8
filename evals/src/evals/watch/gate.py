"""`evals gate`: may this change go out? Each layer's change alone, with the other two as accepted.

Two suites, answers and retrieval, on the accepted probes; a paired bootstrap against the accepted
state with its noise band. It needs the running stack only: no provider's key, no GPU, no network.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from contracts.status import GateResult
from evals.probes.selection import ProbeSet
from evals.watch.model import LAYERS, POOLED, Cell, CellReply, Estimate, Frozen, Layer

RESAMPLES = 2000
CHANGED: dict[Layer, tuple[Cell | None, Cell]] = {  # before and after; None: the recorded baseline
    "data": ("00", "10"),
    "serving": (None, "00"),
    "application": ("00", "01"),
}


class Regression(Frozen):
    """How much worse one layer's change makes one suite, alone."""

    layer: Layer
    suite: str  # "answers" or "retrieval"
    harm: Estimate  # mean loss of score, with its 95% interval
    band: float  # what noise alone may do
    passed: bool


class Gate(GateResult):
    """The result with what it rests on."""

    rows: list[Regression]


def judge(probes: ProbeSet, replies: Sequence[CellReply], bundle: str, build: str) -> Gate:
    """Compare every layer's change, in both suites."""
    answers = _by_cell(replies, {reply: reply.score for reply in replies})
    found = {reply: float(reply.retrieved) for reply in replies if reply.retrieved is not None}
    retrieval = _by_cell(list(found), found)
    rows = []
    for layer in LAYERS:
        before, after = CHANGED[layer]
        old = answers[before] if before else probes.baseline
        rows.append(_row(layer, "answers", old, answers[after], probes.deltas[POOLED]))
        if before:  # what was retrieved is recorded for no baseline: serving's share is in answers
            band = probes.deltas[POOLED]
            old, new = retrieval.get(before, {}), retrieval.get(after, {})
            rows.append(_row(layer, "retrieval", old, new, band))
    failed = sorted({row.layer for row in rows if not row.passed}, key=LAYERS.index)
    said = f"worse: {', '.join(failed)}" if failed else "no layer makes answers worse"
    return Gate(
        bundle=bundle,
        build=build,
        passed=not failed,
        at=datetime.now(UTC),
        summary=said,
        rows=rows,
    )


def _by_cell(
    replies: Sequence[CellReply], values: Mapping[CellReply, float]
) -> dict[Cell, dict[str, float]]:
    found: dict[Cell, dict[str, float]] = {}
    for reply in replies:
        found.setdefault(reply.cell, {})[reply.probe] = values[reply]
    return found


def _row(
    layer: Layer, suite: str, old: Mapping[str, float], new: Mapping[str, float], band: float
) -> Regression:
    both = sorted(old.keys() & new.keys())
    if not both:  # every question of a cell ended with an error
        lost = Estimate(value=1, low=1, high=1)
        return Regression(layer=layer, suite=suite, harm=lost, band=band, passed=False)
    harm = np.array([old[probe] - new[probe] for probe in both])
    draws = np.random.default_rng(7).integers(len(harm), size=(RESAMPLES, len(harm)))
    low, high = np.quantile(harm[draws].mean(axis=1), [0.025, 0.975])
    estimate = Estimate(value=float(harm.mean()), low=float(low), high=float(high))
    passed = estimate.value <= band or estimate.low <= 0
    return Regression(layer=layer, suite=suite, harm=estimate, band=band, passed=passed)
