"""Estimates with bootstrap intervals, and the ranking measures of a run. Pure."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import ir_measures
import numpy as np
from ir_measures import R, nDCG
from numpy.typing import NDArray

RESAMPLES = 2_000
MEASURES = {
    "ndcg10": nDCG @ 10,
    "recall_at_5": R @ 5,
    "recall_at_10": R @ 10,
    "recall_at_100": R @ 100,
}


@dataclass(frozen=True)
class Estimate:
    """A measured value, its 95% bootstrap interval, and how many cases it rests on."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Part:
    """What one case adds to a ratio; cases of one `unit` are resampled together."""

    unit: Hashable
    numerator: float
    denominator: float = 1.0


def ratio(parts: Iterable[Part]) -> Estimate | None:
    """Sum of numerators over sum of denominators; None where no case has a denominator.

    Means, shares and F1 are all of this form. The interval is Efron's percentile bootstrap
    over units, seeded, so equal input gives equal output.
    """
    sums: dict[Hashable, list[float]] = defaultdict(lambda: [0.0, 0.0])
    cases = 0
    for part in parts:
        sums[part.unit][0] += part.numerator
        sums[part.unit][1] += part.denominator
        cases += part.denominator > 0
    if not cases:
        return None
    table = np.array(list(sums.values()))
    totals = _times_drawn(len(table)) @ table
    counted = totals[totals[:, 1] > 0]
    low, high = np.quantile(counted[:, 0] / counted[:, 1], [0.025, 0.975])
    value = table[:, 0].sum() / table[:, 1].sum()
    return Estimate(float(value), float(low), float(high), cases)


@lru_cache(maxsize=8)
def _times_drawn(units: int) -> NDArray[np.float64]:
    """How often each unit comes in each resample. Shape: (RESAMPLES, units)."""
    drawn = np.random.default_rng(0).integers(0, units, (RESAMPLES, units))
    places = drawn + units * np.arange(RESAMPLES)[:, None]
    counts = np.bincount(places.ravel(), minlength=RESAMPLES * units)
    return counts.reshape(RESAMPLES, units).astype(np.float64)


def f1_part(unit: Hashable, *, predicted: bool, actual: bool) -> Part:
    """One case of F1 = 2 TP / (2 TP + FP + FN)."""
    hit = 2.0 * (predicted and actual)
    return Part(unit, hit, hit + (predicted != actual))


def ranking(
    qrels: Mapping[str, Mapping[str, int]], run: Mapping[str, Sequence[str]]
) -> dict[str, Estimate]:
    """MEASURES of a run: document ids by query, best first; a query without any scores 0."""
    judged = {query: dict(grades) for query, grades in qrels.items()}
    scored = {
        query: {document: -float(rank) for rank, document in enumerate(documents)}
        for query, documents in run.items()
    }
    parts: dict[str, list[Part]] = {name: [] for name in MEASURES}
    names = {measure: name for name, measure in MEASURES.items()}
    for found in ir_measures.iter_calc(list(MEASURES.values()), judged, scored):
        parts[names[found.measure]].append(Part(found.query_id, float(found.value)))
    estimates = {name: ratio(cases) for name, cases in parts.items()}
    return {name: estimate for name, estimate in estimates.items() if estimate}
