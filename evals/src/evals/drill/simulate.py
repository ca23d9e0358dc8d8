"""Drills as recorded, decided upon again: random onset, replies that flip, decoys beside them.

What a fault does to each cell was seen on the real engine once; what a simulation varies is when it
comes, which of its cycles are seen, what else changes without harm, and which replies flip. The
detector and the decision are the watcher's own. Pure.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean, pvariance
from typing import Any

from evals.drill.recording import Recorded, Recording, Ruler
from evals.probes.score import OWN_WORDS
from evals.probes.selection import tolerances
from evals.watch.decide import decide
from evals.watch.detector import Baseline, State
from evals.watch.model import CELLS, LAYERS, Cell, CellReply, Change, Cycle, Frozen, Layer, Probe

BEFORE = (2, 12)  # healthy cycles before the onset, drawn evenly
AFTER = 24  # cycles until a verdict must have come: a day, hourly
TWIN = 14  # cycles of the healthy twin from the onset on
BENIGN = 0.3  # of healthy cycles come after a benign change
ROUNDS = 20  # of replies at the accept, of which baselines and tolerances are measured
LEVELS = {OWN_WORDS: (0.0, 1.0), "answer": (0.0, 0.5, 1.0)}  # what a probe can score, by aspect
RECALL = 0.03  # a fall of it that the first baseline takes for one
ALARMS = ("FAULT", "UNSURE")


class Run(Frozen):
    """One simulation."""

    drill: str
    recorded_at: datetime
    seed: int
    flips: float
    layers: tuple[Layer, ...]  # at fault
    harm: float
    was_held: bool  # by a guard of ingestion, before it was approved
    status: str  # of the last cycle
    named: tuple[Layer, ...]  # the second of two also after the first was taken out
    named_at_once: tuple[Layer, ...]  # with the first name
    cycles: int  # until all that was named was, or AFTER
    questions: int  # that the watcher asked the model meanwhile
    recall_says: Layer  # "recall fell, so data; else the prompt", asked at the same moment
    last_says: Layer  # "what changed last", asked at the same moment
    healthy: int  # cycles before the onset and of the twin
    alarms: int  # verdicts in these


def run(
    drill: Recording,
    ruler: Ruler,
    benign: Sequence[Recording],
    seed: int,
    flips: float,
) -> Run:
    """Simulate a drill once. `benign` are healthy recordings with the same ruler."""
    rng = random.Random(f"{drill.drill} {seed} {flips}")  # noqa: S311  # no secret
    engine = _Engine(ruler, flips, rng)
    onset = rng.randint(*BEFORE)
    state, alarms = State(), 0
    for _ in range(onset):
        status, _, state = engine.decided(healthy(benign, rng), state)
        alarms += status in ALARMS

    twin = state
    for _ in range(TWIN):
        status, _, twin = engine.decided(healthy(benign, rng), twin)
        alarms += status in ALARMS

    named: list[Layer] = []
    at_once: list[Layer] = []
    count = questions = 0
    while count < AFTER and not _is_over(drill, named):
        # what the real engine showed once what was named by now had been taken out
        cycles = [each for each in drill.cycles if {*each.taken_out} == {*named}]
        if not cycles:
            break
        seen = rng.choice(cycles)
        status, layers, state = engine.decided(seen, state)
        named += [layer for layer in layers if layer not in named]
        at_once = at_once or [*named]
        count += 1
        questions += seen.generations
    decoy = rng.choice([layer for layer in LAYERS if layer not in drill.layers])
    return _run(
        drill,
        ruler,
        seen,
        seed=seed,
        flips=flips,
        status=status,
        named=tuple(named),
        named_at_once=tuple(at_once),
        cycles=count,
        questions=questions,
        last_says=rng.choice([*seen.changed, decoy]),
        healthy=onset + TWIN,
        alarms=alarms,
    )


def as_it_was(drill: Recording, ruler: Ruler) -> Run:
    """What the watcher said on the real engine: its cycles in their order, and nothing added."""
    engine = _Engine(ruler, 0, random.Random(0))  # noqa: S311  # nothing is drawn
    state = State()
    named: list[Layer] = []
    at_once: list[Layer] = []
    for seen in drill.cycles:
        status, layers, state = engine.decided(seen, state)
        named += [layer for layer in layers if layer not in named]
        at_once = at_once or [*named]
    return _run(
        drill,
        ruler,
        seen,
        seed=0,
        flips=0,
        status=status,
        named=tuple(named),
        named_at_once=tuple(at_once),
        cycles=len(drill.cycles),
        questions=sum(cycle.generations for cycle in drill.cycles),
        last_says=(*seen.changed, *drill.layers)[0],
        healthy=0,
        alarms=0,
    )


def alarms(
    ruler: Ruler, benign: Sequence[Recording], cycles: int, flips: float, seed: int
) -> tuple[int, int]:
    """So many healthy cycles in a row: how many, and how many verdicts in them."""
    rng = random.Random(f"healthy {seed} {flips}")  # noqa: S311  # no secret
    engine, state, count = _Engine(ruler, flips, rng), State(), 0
    for _ in range(cycles):
        status, _, state = engine.decided(healthy(benign, rng), state)
        count += status in ALARMS
    return cycles, count


def healthy(benign: Sequence[Recording], rng: random.Random) -> Recorded:
    """A cycle of a stack that is well, in BENIGN of the cases after a change."""
    changed = [each for each in benign if each.drill != "benign-none"]
    quiet = [each for each in benign if each.drill == "benign-none"]
    return rng.choice(rng.choice(changed if rng.random() < BENIGN else quiet).cycles)


class _Engine:
    """Turns recorded cycles into those of a stack whose replies flip, and decides on them."""

    def __init__(self, ruler: Ruler, flips: float, rng: random.Random) -> None:
        self._ruler, self._flips, self._rng = ruler, flips, rng
        self._twins: dict[str, list[int]] = {}
        for place, probe in enumerate(ruler.probes):
            self._twins.setdefault(probe.question, []).append(place)
        self._probes = list(ruler.probes)
        self._baseline = self._accepted()
        self._at, self._number = datetime(2026, 1, 1, tzinfo=UTC), 0

    def decided(self, seen: Recorded, state: State) -> tuple[str, tuple[Layer, ...], State]:
        """Status, layers at fault, and the state after this cycle."""
        self._number += 1
        verdict, after = decide(self._cycle(seen), self._probes, self._baseline, state)
        return verdict.status, verdict.layers, after

    def _accepted(self) -> Baseline:
        """The accept of such a stack: its baseline and tolerances are of replies that flip too."""
        was = self._ruler.baseline
        rounds = [self._flipped([was.scores[p.id] for p in self._probes]) for _ in range(ROUNDS)]
        columns = dict(zip((p.id for p in self._probes), zip(*rounds, strict=True), strict=True))
        errors = {id: pvariance(each) / (ROUNDS - 1) for id, each in columns.items()}
        wider = tolerances(self._probes, errors)
        return Baseline(
            digest=was.digest,
            scores={id: fmean(each) for id, each in columns.items()},
            deltas={name: max(delta, wider.get(name, 0)) for name, delta in was.deltas.items()},
        )

    def _flipped(self, scores: Sequence[float]) -> list[float]:
        """One round of replies in one cell."""
        now = list(scores)
        for places in self._twins.values():
            if self._rng.random() < self._flips:
                for place in places:
                    now[place] = self._other(self._probes[place], now[place])
        return now

    def _other(self, probe: Probe, score: float) -> float:
        levels = LEVELS[probe.aspect] if probe.values else (0.0, 1.0)  # it abstains or does not
        return self._rng.choice([level for level in levels if level != score])

    def _cycle(self, seen: Recorded) -> Cycle:
        now: dict[Cell, list[float | None]] = {c: list(seen.scores[c]) for c in CELLS}
        for places in self._twins.values():
            pattern = seen.requests[places[0]]
            for letter in sorted(set(pattern or "")):  # one reply for cells that sent the same
                if self._rng.random() >= self._flips:
                    continue
                cells = [c for c, sent in zip(CELLS, pattern or "", strict=True) if sent == letter]
                for place in places:
                    score = now[cells[0]][place]
                    if score is not None:
                        other = self._other(self._probes[place], score)
                        for cell in cells:
                            now[cell][place] = other
        replies = [
            CellReply(probe=probe.id, cell=cell, score=score, status="", text="")
            for cell in CELLS
            for probe, score in zip(self._probes, now[cell], strict=True)
            if score is not None
        ]
        at = self._at + timedelta(hours=self._number)
        return Cycle(
            id=at.strftime("%Y%m%dT%H%M%SZ"),
            at=at,
            seconds=0,
            replies=replies,
            replayed={},
            changes=[Change(layer=c, what="", before="", after="") for c in seen.changed],
            indicators=[],
            lag_seconds={},
            generations=seen.generations,
            audits=seen.audits,
        )


def _is_over(drill: Recording, named: Sequence[Layer]) -> bool:
    """Whether all layers at fault have been named, or one that is not."""
    return bool(named) and not {*named} < {*drill.layers}


def _run(drill: Recording, ruler: Ruler, last: Recorded, **said: Any) -> Run:
    """A run of a drill whose last cycle this was."""
    return Run(
        drill=drill.drill,
        recorded_at=drill.at,
        layers=drill.layers,
        harm=drill.harm,
        was_held=drill.harm_held is not None,
        recall_says="data" if _recall(ruler, last) > RECALL else "application",
        **said,
    )


def _recall(ruler: Ruler, seen: Recorded) -> float:
    """How much the share of probes whose value was retrieved has fallen."""
    fallen = [
        bool(was) - bool(now)
        for was, now, score in zip(ruler.retrieved, seen.retrieved, seen.scores["11"], strict=True)
        if was is not None and score is not None
    ]
    return fmean(fallen) if fallen else 0.0
