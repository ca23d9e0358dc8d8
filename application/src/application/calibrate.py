"""Fits the evidence model: logistic regression on labelled questions, and a threshold.

The chat model answers every question, since its reply's features count as well.

application calibrate application/calibration/questions.jsonl   (APPLICATION_ settings as for serve)
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from application.access import OPEN_SCOPE
from application.answer import Ask
from application.bootstrap import services
from application.evidence import MEANING, PASSAGES
from application.metrics import Metrics
from application.settings import Settings
from application.upstream import Deadline

RIDGE = 0.005  # keeps weights small where features say the same
STEPS = 50
DEADLINE_SECONDS = 300.0  # of one question among several
AT_ONCE = 8  # questions; a model answers several together for little more than one


@dataclass(frozen=True, slots=True)
class Fit:
    """An evidence model, and how well it tells unanswerable questions on its own sample."""

    intercept: float
    weights: dict[str, float]
    least_evidence: float
    abstention_f1: float
    rows: int

    def as_toml(self) -> str:
        """The table for bundle.toml."""
        weights = ", ".join(f"{name} = {weight:.3f}" for name, weight in self.weights.items())
        return (
            f"# {self.rows} questions; abstention F1 on them {self.abstention_f1:.3f}\n"
            f"[evidence]\nintercept = {self.intercept:.3f}\n"
            f"least_evidence = {self.least_evidence:.2f}\nweights = {{ {weights} }}"
        )


async def observe(
    settings: Settings, rows: Sequence[dict[str, Any]]
) -> list[dict[str, float] | None]:
    """Evidence features of each row's `question`, asked of its `index` where it names one."""
    slots = asyncio.Semaphore(AT_ONCE)
    async with services(settings, Metrics()) as built:

        async def of(row: dict[str, Any]) -> dict[str, float] | None:
            async with slots:
                return await built.answerer.observe(
                    Ask(
                        question=row["question"],
                        scope=OPEN_SCOPE,
                        index=row.get("index", settings.index),
                        bundle=built.bundles.live,
                        request_id="calibrate",
                        deadline=Deadline(DEADLINE_SECONDS),
                    )
                )

        return await asyncio.gather(*map(of, rows))


def fitted_features(settings: Settings) -> tuple[str, ...]:
    """Those that count for the profile; a tiny model's reply says nothing of its truth.

    BM25 is left out for the others: its size differs so much between collections that a fit on one
    misleads in another.
    """
    return PASSAGES if settings.answer_profile == "tiny" else MEANING


def fit(
    observed: Sequence[dict[str, float] | None],
    answerable: Sequence[bool],
    names: Sequence[str] = MEANING,
) -> Fit:
    """Newton's method on the ridge-penalised log likelihood; classes weigh the same.

    None among the `observed` is a refusal: the threshold reckons with it, the weights do not.
    """
    refused = np.array([row is None for row in observed])
    labels = np.array(answerable, dtype=float)
    y = labels[~refused]
    x = np.array([[1.0, *(row[name] for name in names)] for row in observed if row is not None])
    balance = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    penalty = np.diag([0.0, *[RIDGE * len(y)] * len(names)])
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ beta))
        gradient = x.T @ (balance * (y - p)) - penalty @ beta
        hessian = (x.T * (balance * p * (1 - p))) @ x + penalty
        beta += np.linalg.solve(hessian, gradient)
    scores = np.zeros(len(labels))
    scores[~refused] = 1 / (1 + np.exp(-x @ beta))
    thresholds = np.arange(0.05, 0.96, 0.01)
    f1s = [(_f1(scores < t, labels == 0), _f1(scores >= t, labels == 1)) for t in thresholds]
    best = int(np.argmax([sum(pair) for pair in f1s]))  # to answer well counts as much
    return Fit(
        intercept=float(beta[0]),
        weights=dict(zip(names, map(float, beta[1:]), strict=True)),
        least_evidence=float(thresholds[best]),
        abstention_f1=f1s[best][0],
        rows=len(labels),
    )


def _f1(predicted: NDArray[np.bool_], actual: NDArray[np.bool_]) -> float:
    right = float((predicted & actual).sum())
    return 2 * right / float(predicted.sum() + actual.sum()) if right else 0.0
