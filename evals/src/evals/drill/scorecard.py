"""How often the verdict is right: figures and page, from drills on the real engine and recorded.

`runs.jsonl` has a line for every simulation, so that an interrupted scorecard goes on.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from scipy.stats import chi2  # type: ignore[import-untyped]  # ships no types

from evals import lines
from evals.drill import simulate
from evals.drill.recording import Recording, Ruler
from evals.drill.simulate import Run
from evals.drill.trial import HARM
from evals.errors import DatasetError
from evals.machine import Origin
from evals.results import Result, result
from evals.suite.metrics import Estimate, Part, ratio

R = TypeVar("R")

SEEDS = 10
FLIPS = 0.02  # of replies: more than the real engine's, which were none
NOISY = 0.1
HEALTHY = 5_000  # cycles
MEDIUM, HIGH = 0.1, 0.3  # of the oracle's harm
BLOCK = 250  # healthy cycles simulated in one piece: ten days, hourly


def severity(harm: float) -> str:
    """By the share of right answers that users lose."""
    return "high" if harm >= HIGH else "medium" if harm >= MEDIUM else "low"


class Recordings:
    """What was recorded, by the accept it was recorded against."""

    def __init__(self, recordings: Sequence[Recording], rulers: Mapping[str, Ruler]) -> None:
        self.drills = [each for each in recordings if not each.is_benign]
        self.rulers = rulers
        self._benign = [each for each in recordings if each.is_benign]

    @property
    def harmful(self) -> list[Recording]:
        """Drills that harmed users, by the oracle, and were watched."""
        return [each for each in self.drills if each.harm >= HARM and each.cycles]

    def benign(self, ruler: str) -> list[Recording]:
        """Healthy cycles to go with a ruler. Raises: DatasetError where there are none."""
        found = [each for each in self._benign if each.ruler == ruler]
        if {"benign-none"} < {each.drill for each in found}:
            return found
        raise DatasetError(
            f"No healthy cycles were recorded against the accept {ruler}: before the next `evals "
            "accept`, run `evals healthy evals/drills/benign` beside the drills."
        )


def simulated(recordings: Recordings, kept: Path) -> list[Run]:
    """Every harmful drill by SEEDS seeds; what `kept` has from an earlier try is not run again."""
    jobs = [(drill, seed) for drill in recordings.harmful for seed in range(SEEDS)]
    done = {(run.drill, run.recorded_at, run.seed): run for run in lines.read(kept, Run)}
    todo = [
        partial(
            simulate.run,
            drill,
            recordings.rulers[drill.ruler],
            recordings.benign(drill.ruler),
            seed,
            FLIPS,
        )
        for drill, seed in jobs
        if (drill.drill, drill.at, seed) not in done
    ]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        for run in _side_by_side(todo, "drills"):
            file.write(run.model_dump_json() + "\n")
            file.flush()
            done[run.drill, run.recorded_at, run.seed] = run
    return [done[drill.drill, drill.at, seed] for drill, seed in jobs]


def as_it_was(recordings: Recordings) -> list[Run]:
    """Every harmful drill as it was decided on the real engine."""
    return [
        simulate.as_it_was(drill, recordings.rulers[drill.ruler]) for drill in recordings.harmful
    ]


def false_alarms(recordings: Recordings, flips: float) -> tuple[int, int]:
    """Healthy cycles, HEALTHY at least, and the verdicts in them; every one is a false alarm."""
    rulers = sorted({drill.ruler for drill in recordings.harmful})
    blocks = -(-HEALTHY // BLOCK)
    jobs = [
        partial(
            simulate.alarms,
            recordings.rulers[ruler],
            recordings.benign(ruler),
            BLOCK,
            flips,
            seed,
        )
        for seed in range(blocks)
        for ruler in rulers[seed % len(rulers) :][:1]
    ]
    found = list(_side_by_side(jobs, f"healthy cycles, {flips:.0%} of replies flip"))
    return sum(cycles for cycles, _ in found), sum(alarms for _, alarms in found)


def figures(
    runs: Sequence[Run],
    quiet: tuple[int, int],
    noisy: tuple[int, int],
    real: Sequence[Run],
    here: Origin,
) -> list[Result]:
    """The published figures: the real engine's first, then those of recorded cells."""
    once = [each for each in real if len(each.layers) == 1]
    twice = [each for each in real if len(each.layers) > 1]
    single = [each for each in runs if len(each.layers) == 1 and each.harm >= MEDIUM]
    low = [each for each in runs if len(each.layers) == 1 and each.harm < MEDIUM]
    double = [each for each in runs if len(each.layers) > 1]
    ours = _share(single, is_exact)
    by_recall = _share(single, lambda run: run.layers == (run.recall_says,))
    by_change = _share(single, lambda run: run.layers == (run.last_says,))
    twins = sum(run.healthy for run in runs), sum(run.alarms for run in runs)
    quiet = quiet[0] + twins[0], quiet[1] + twins[1]
    rows = [
        (
            "real_exact_set",
            "real engine: exactly the layers at fault were named",
            _share(once, is_exact),
        ),
        (
            "real_wrong_name",
            "real engine: a layer was named that was not at fault",
            _share(once, is_wrong),
        ),
        (
            "real_double_exact_set",
            "real engine, double faults: exactly both were named, one by one or at once",
            _share(twice, is_exact),
        ),
        (
            "real_double_at_once",
            "real engine, double faults: exactly both were named by the first card",
            _share(twice, is_exact_at_once),
        ),
        (
            "real_stopped",
            "real engine: a guard stopped it at the boundary, before it was approved",
            _share(real, lambda run: run.was_held),
        ),
        (
            "recall",
            "recorded, medium harm and above: something was named",
            _share(single, lambda run: bool(run.named)),
        ),
        ("exact_set", "recorded, medium harm and above: exactly the layer at fault", ours),
        (
            "wrong_name",
            "recorded, medium harm and above: a layer that was not at fault",
            _share(single, is_wrong),
        ),
        (
            "unsure",
            "recorded, medium harm and above: UNSURE at the end",
            _share(single, lambda run: run.status == "UNSURE"),
        ),
        (
            "cycles",
            "recorded, medium harm and above: median cycles until named",
            _median([run.cycles for run in single if run.named]),
        ),
        (
            "questions",
            "recorded, medium harm and above: median questions until named",
            _median([run.questions for run in single if run.named]),
        ),
        ("low_exact_set", "recorded, low harm: exactly the layer at fault", _share(low, is_exact)),
        (
            "low_wrong_name",
            "recorded, low harm: a layer that was not at fault",
            _share(low, is_wrong),
        ),
        (
            "double_exact_set",
            "recorded, double faults: exactly both layers, one by one or at once",
            _share(double, is_exact),
        ),
        (
            "double_at_once",
            "recorded, double faults: exactly both layers by the first card",
            _share(double, is_exact_at_once),
        ),
        (
            "healthy_cycles",
            f"recorded, healthy, {FLIPS:.0%} of replies flip: cycles",
            _count(quiet[0]),
        ),
        (
            "false_alarms",
            f"recorded, healthy, {FLIPS:.0%} flip: verdicts per 1,000 cycles",
            poisson(*quiet),
        ),
        (
            "noisy_false_alarms",
            f"recorded, healthy, {NOISY:.0%} flip: verdicts per 1,000 cycles",
            poisson(*noisy),
        ),
        ("by_recall", 'the same faults by "recall fell, so data; else the prompt"', by_recall),
        ("by_change", 'the same faults by "blame what changed last"', by_change),
    ]
    if ours and by_recall and by_change:
        margin = ours.value - max(by_recall.value, by_change.value)
        what = "how far the better of these two is below ours"
        rows.append(("margin", what, Estimate(margin, margin, margin, ours.n)))
    return [
        result(f"scorecard_{id}", what, estimate, here) for id, what, estimate in rows if estimate
    ]


def is_exact(run: Run) -> bool:
    """Whether exactly the layers at fault were named."""
    return {*run.named} == {*run.layers}


def is_exact_at_once(run: Run) -> bool:
    """Whether the first card named exactly the layers at fault."""
    return {*run.named_at_once} == {*run.layers}


def is_wrong(run: Run) -> bool:
    """Whether a layer was named that was not at fault."""
    return bool({*run.named} - {*run.layers})


def poisson(cycles: int, alarms: int) -> Estimate:
    """Alarms per 1,000 cycles with the exact 95% interval (Garwood, 1936)."""
    low = float(chi2.ppf(0.025, 2 * alarms)) / 2 if alarms else 0.0
    high = float(chi2.ppf(0.975, 2 * alarms + 2)) / 2
    rate, lowest, highest = (1000 * each / cycles for each in (alarms, low, high))
    return Estimate(rate, lowest, highest, cycles)


def _share(cases: Sequence[Run], holds: Callable[[Run], bool]) -> Estimate | None:
    """Share of the cases; seeds of one drill are drawn together."""
    return ratio(Part(each.drill, float(holds(each))) for each in cases)


def _median(values: Sequence[int]) -> Estimate | None:
    if not values:
        return None
    return Estimate(median(values), min(values), max(values), len(values))


def _count(number: int) -> Estimate:
    return Estimate(number, number, number, number)


def _side_by_side(jobs: Sequence[Callable[[], R]], label: str) -> Iterable[R]:
    """Results in order, as they come; one process for each core."""
    console = Console(stderr=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        try:
            yield from track(
                pool.map(_call, jobs),
                label,
                len(jobs),
                console=console,
                disable=not console.is_terminal,
            )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _call(job: Callable[[], R]) -> R:
    return job()
