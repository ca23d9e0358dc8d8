"""The accepted probe set: the probes that a healthy stack gets right, and how steadily.

Probes are selected on some rounds of replies and their baseline is measured on the others, else
it would be too good: a probe that was right by luck is kept, one that was wrong by bad luck is not.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from statistics import fmean, variance

from contracts.endpoints import digest_of
from evals.errors import DatasetError
from evals.watch.model import POOLED, CellReply, Frozen, Probe

LEAST_ROUNDS = 3  # one to select on, two to measure a spread
LEAST_PER_STRATUM = 3  # a smaller one is pooled only
LEAST = {"probes": 60, "goldens": 20, "probes whose answer is to abstain": 10}
FLOOR = 0.03  # of delta: harm below it is none


class ProbeSet(Frozen):
    """What the watcher asks, and what it compares with; one JSON file."""

    probes: list[Probe]  # without the strata that are too small
    baseline: dict[str, float]  # probe -> mean score on the healthy stack
    variance: dict[str, float]  # probe -> of repeated replies
    deltas: dict[str, float]  # stratum -> the harm that is tolerated; `model.POOLED` is among them
    rounds: int  # that the baseline was measured on
    seed: int
    digest: str  # `digest(probes)`: another one tomorrow means that the ruler has changed


def digest(probes: Iterable[Probe]) -> str:
    """Changes when a question or its truth does; strata and order do not count."""
    return digest_of(sorted(probe.model_dump_json(exclude={"strata"}) for probe in probes))


def select(
    probes: Sequence[Probe],
    rounds: Sequence[Sequence[CellReply]],
    seed: int = 7,
    *,
    drawn: bool = True,
) -> ProbeSet:
    """The probes that were right in every selecting round, with a baseline from the others.

    A round has the reply of one healthy cell to every probe; half of them select: drawn by `seed`,
    or else the first ones, by which the probes were chosen.
    Rounds that asked some probes only, because their replies vary, measure.

    Raises: DatasetError where rounds or right probes are too few.
    """
    if len(rounds) < LEAST_ROUNDS:
        raise DatasetError(
            f"{len(rounds)} rounds of replies are too few: ask at least {LEAST_ROUNDS} times."
        )
    scores = [{reply.probe: reply.score for reply in each} for each in rounds]
    whole = [each for each in scores if len(each) == len(probes)]
    if drawn:
        random.Random(seed).shuffle(whole)  # noqa: S311 - no secret
    cut = max(1, len(whole) // 2)
    selecting = whole[:cut]
    measuring = whole[cut:] + [each for each in scores if len(each) < len(probes)]
    right = [probe for probe in probes if all(each[probe.id] == 1 for each in selecting)]
    check(right)
    kept = _without_small_strata(right)
    replies = {p.id: [each[p.id] for each in measuring if p.id in each] for p in kept}
    spread = {id: variance(each) for id, each in replies.items()}
    errors = {id: spread[id] / len(each) for id, each in replies.items()}
    return ProbeSet(
        probes=kept,
        baseline={id: fmean(each) for id, each in replies.items()},
        variance=spread,
        deltas=tolerances(kept, errors),
        rounds=len(measuring),
        seed=seed,
        digest=digest(kept),
    )


def tolerances(probes: Sequence[Probe], errors: Mapping[str, float]) -> dict[str, float]:
    """The harm that is noise, by stratum, given the squared error of each probe's baseline."""
    streams: dict[str, list[str]] = {POOLED: [probe.id for probe in probes]}
    for probe in probes:
        for stratum in probe.strata:
            streams.setdefault(stratum, []).append(probe.id)
    return {
        stratum: FLOOR + 2 * sqrt(sum(errors[id] for id in ids)) / len(ids)
        for stratum, ids in streams.items()
    }


def is_ample(right: Sequence[Probe]) -> bool:
    """Whether a tenth of these may still turn out unfit, and the rest is enough."""
    counts = _counts(right)
    return all(counts[what] * 0.9 >= least for what, least in LEAST.items())


def check(right: Sequence[Probe]) -> None:
    """Raise DatasetError where these are too few to be watched."""
    counts = _counts(right)
    short = [
        f"{counts[what]} of {least} {what}" for what, least in LEAST.items() if counts[what] < least
    ]
    if short:
        raise DatasetError(
            f"The stack gets too few probes right to watch it ({', '.join(short)}): see that it is "
            "healthy and has synced its sources, or add questions that its model can answer."
        )


def _counts(right: Sequence[Probe]) -> dict[str, int]:
    return {
        "probes": len(right),
        "goldens": sum(probe.origin == "golden" for probe in right),
        "probes whose answer is to abstain": sum(not probe.values for probe in right),
    }


def _without_small_strata(probes: Sequence[Probe]) -> list[Probe]:
    sizes = Counter(stratum for probe in probes for stratum in probe.strata)
    return [
        probe.model_copy(
            update={"strata": tuple(s for s in probe.strata if sizes[s] >= LEAST_PER_STRATUM)}
        )
        for probe in probes
    ]
