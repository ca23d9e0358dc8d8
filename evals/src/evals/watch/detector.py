"""Evidence that a layer makes answers worse: exact shares per probe, and a mixture e-detector.

A bettor stakes a fraction lambda on every probe against "shares are at most delta on average"; the
sum over all starting cycles of its wealth is the e-detector. Healthy, the sum grows by at most 1 a
cycle, so a threshold A is passed once in A cycles at most, however often one looks (Shin, Ramdas,
Rinaldo, "E-detectors", 2023). That holds if probes are independent within a cycle given the past.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from contracts.endpoints import digest_of
from evals.watch.model import POOLED, Cell, Frozen, Probe

Array = NDArray[np.float64]

DETECTORS = ("data", "serving", "application", "total")  # total: what users lost, B - Y11
LAMBDAS = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])
ARL = 720.0  # cycles from one false alarm to the next, at least: 30 days, hourly
CEILING = np.log(1e12)  # bets stop growing here: a smaller R is still an e-detector


class Shares(NamedTuple):
    """Harm to one probe by layer, in [-1, 1]; the first three add up to `total`, exactly."""

    data: float
    serving: float
    application: float
    total: float
    interaction: float  # below 0: only together do data and application harm; above: each alone


@dataclass(frozen=True)
class Heard:
    """What one detector says after a cycle."""

    detector: str
    evidence: float
    hot: tuple[str, ...]  # streams
    ids: list[str]  # their probes
    delta: float  # the widest of theirs
    worse: bool  # in this cycle
    audited: tuple[str, ...] = ()  # those of documents that lost content


class Baseline(Frozen):
    """How right the answers were at the last accept."""

    digest: str  # of the probes with their labels
    scores: dict[str, float]  # B by probe
    deltas: dict[str, float]  # by stream: mean shares up to it are noise


class State(Frozen):
    """What the ledger keeps of the past between cycles; `State()` after an accept."""

    # log(R + 1) of every bet, by stream; rows as in DETECTORS, columns as in LAMBDAS
    bets: dict[str, tuple[tuple[float, ...], ...]] = Field(default_factory=dict)
    recent: tuple[dict[str, Shares], ...] = ()  # cycles since it is suspect, WINDOW at most


def split(b: float, y: Mapping[Cell, float]) -> Shares:
    """Shapley's shares of data and application within today's models, and what the models took."""
    data = (y["00"] - y["10"] + y["01"] - y["11"]) / 2
    application = (y["00"] - y["01"] + y["10"] - y["11"]) / 2
    interaction = y["00"] - y["10"] - y["01"] + y["11"]
    return Shares(data, b - y["00"], application, b - y["11"], interaction)


def shares(b: Mapping[str, float], scores: Mapping[str, Mapping[Cell, float]]) -> dict[str, Shares]:
    """Shares of each probe in `scores`, given its score in every cell and the accepted ones."""
    return {probe: split(b[probe], cells) for probe, cells in scores.items()}


def digest(probes: Sequence[Probe]) -> str:
    """Digest of the ruler: questions, truths and strata, in any order."""
    return digest_of(
        sorted((probe.model_dump(mode="json") for probe in probes), key=lambda p: p["id"])
    )


def streams(probes: Sequence[Probe]) -> dict[str, list[str]]:
    """Probe ids by stream: the pooled one and every stratum."""
    found = {POOLED: [probe.id for probe in probes]}
    for probe in probes:
        for stratum in probe.strata:
            found.setdefault(stratum, []).append(probe.id)
    return found


def bet(logs: Array, x: Array, delta: float | Array) -> Array:
    """One cycle of R = (R + 1) * prod(1 + lambda * z), kept as log(R + 1).

    Shapes: logs (..., lambdas), x (..., probes). Independent probes whose *mean* share is at most
    delta suffice: by the inequality of the means the product is then at most 1 in expectation.
    """
    z = (np.clip(x, -1, 1) - delta) / (1 + delta)
    growth = np.log1p(LAMBDAS * z[..., None]).sum(axis=-2)
    grown: Array = np.minimum(np.logaddexp(0, logs + growth), CEILING)
    return grown


def observe(
    state: State,
    found: Mapping[str, Shares],
    probes: Sequence[Probe],
    deltas: Mapping[str, float],
    audits: Mapping[str, Sequence[float]] | None = None,
) -> State:
    """The state after one more cycle; a stream of which nothing was asked stands still.

    `audits` are marks of documents by stream: harm of the data that no user need have met yet.
    """
    asked = {
        stream: [found[probe][: len(DETECTORS)] for probe in ids if probe in found]
        for stream, ids in streams(probes).items()
    }
    for stream, seen in (audits or {}).items():
        if stream in deltas:
            asked[stream] = [tuple(mark * (d == "data") for d in DETECTORS) for mark in seen]
    bets = dict(state.bets)
    for stream, rows in asked.items():
        if rows:
            before = np.array(bets.get(stream, ()))
            if before.shape != (len(DETECTORS), len(LAMBDAS)):  # new, or of an older version
                before = np.zeros((len(DETECTORS), len(LAMBDAS)))
            after = bet(before, np.array(rows, dtype=float).T, deltas[stream])
            bets[stream] = tuple(tuple(row) for row in after.tolist())
    return state.model_copy(update={"bets": bets})


def weights(names: Collection[str]) -> dict[str, float]:
    """Half on the pooled stream and half spread over the strata: they add up to 1."""
    strata = len(names) - 1
    return {n: (0.5 if strata else 1.0) if n == POOLED else 0.5 / strata for n in names}


def evidence(state: State, detector: str, names: Collection[str]) -> dict[str, float]:
    """Weighted e-value by stream; their sum is the detector's, to be held against `threshold`."""
    row = DETECTORS.index(detector)
    return {
        stream: weight * float(np.expm1(state.bets[stream][row]).mean())
        for stream, weight in weights(names).items()
        if stream in state.bets
    }


def threshold(arl: float = ARL) -> float:
    """Alarm: the mean of the four detectors is one too, so any of them at 4 * ARL is ARL."""
    return len(DETECTORS) * arl


def restarted(state: State, detectors: Collection[str]) -> State:
    """The state with these detectors back at nothing."""
    empty = (0.0,) * len(LAMBDAS)
    again = [name in detectors for name in DETECTORS]
    bets = {
        stream: tuple(empty if new else row for new, row in zip(again, rows, strict=True))
        for stream, rows in state.bets.items()
    }
    return state.model_copy(update={"bets": bets})


def typical(window: Sequence[Mapping[str, Shares]]) -> dict[str, Shares]:
    """Mean shares over these cycles, of the probes of the last one."""
    if len(window) == 1:
        return dict(window[0])
    return {
        probe: Shares(*np.mean([w[probe] for w in window if probe in w], axis=0).tolist())
        for probe in window[-1]
    }


def mean(what: str, found: Mapping[str, Shares], ids: Collection[str]) -> float:
    """Mean of one of the shares over these probes; 0 of none."""
    return float(sum(getattr(found[probe], what) for probe in ids)) / max(len(ids), 1)
