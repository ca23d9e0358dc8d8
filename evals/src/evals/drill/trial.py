"""One drill from injection to healing, on the running stack: was it found, named and healed?

The oracle asks questions that the watcher never asks, as users do: a drill counts only if it harms
them. The watcher is not told anything; it is run as `evals watch --once` would run it.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Protocol

from evals.drill.drill import Drill, Running
from evals.errors import DrillFailed
from evals.probes.score import mark, with_own_words
from evals.settings import Settings
from evals.suite.ports import Each
from evals.watch.cells import asked_as_users
from evals.watch.model import Card, Frozen, Layer, Probe

CYCLES = 6  # until a verdict is due; in the workshop profile it may take this long, if longer:
DUE_SECONDS = 300.0
HEALING = 3  # cycles until it must be well again
BY_DRILL = "undo"  # the card gave no command that could be run as it stood
HARM = 0.03  # of the oracle; a drill below it is without effect, and not watched
NO_EFFECT = "NO EFFECT"

_log = logging.getLogger(__name__)


class Outcome(Frozen):
    """What became of one drill."""

    drill: str
    title: str
    layers: tuple[Layer, ...]  # that the drill breaks
    commit: str  # of the code that ran
    replay: bool  # watched in the workshop profile
    at: datetime
    harm: float  # the oracle's loss of score
    hot_harm: float  # the watcher's loss of score, over its hot strata
    named: tuple[Layer, ...]
    status: str
    cycles: int  # until it was named
    seconds: float  # of these cycles
    reverted_by: str  # the card's commands, or BY_DRILL
    healed: bool
    cycle_seconds: tuple[float, ...]
    failed: tuple[str, ...] = ()  # tests of evidently's report at the layer's own boundary
    harm_held: float | None = None  # while a guard of ingestion held it, before it was approved
    watched: tuple[str, ...] = ()  # ids of the cycles until it was named
    taken_out: tuple[tuple[Layer, ...], ...] = ()  # by cycle: of a double fault, before it
    named_at_once: tuple[Layer, ...] = ()  # by the first card that named a layer


class Watches(Protocol):
    """The watcher, as a trial needs it."""

    def once(self) -> Card:
        """One cycle to its card."""

    def report(self) -> Card | None:
        """Write evidently's reports of that cycle; its card with what failed."""


class Guards(Protocol):
    """The guards of ingestion, by its ordinary commands."""

    def held(self) -> bool:
        """Whether a run waits for an approval."""

    def approve(self) -> None:
        """Let every such run through, as a person can who believes that all is well."""


class Oracle:
    """Questions that the detector never sees, with what the healthy stack scores on them."""

    def __init__(self, settings: Settings, probes: Sequence[Probe], each: Each) -> None:
        self._settings = settings
        self._each = each
        self._probes = list(probes)
        self._healthy = self.scores()

    def scores(self) -> dict[str, float]:
        """Score by probe, asked as users ask."""
        asked = asked_as_users(self._settings, self._probes, self._each)
        return {
            twin.id: mark(twin, "11", answer, "none").score
            for probe, answer in asked
            for twin in with_own_words([probe])
        }

    def harm(self) -> float:
        """How much is lost now, on average over the marks that a healthy stack can lose."""
        now = self.scores()
        return fmean(was - now[id] for id, was in self._healthy.items() if was > 0)


def run(
    drill: Drill,
    places: Mapping[str, str],
    saved: Path,
    oracle: Oracle,
    watcher: Watches,
    cards: Path,
    heal: Callable[[Card], str] | None,
    resume: Callable[[], None],
    guards: Guards,
    commit: str,
    replay: bool = False,
) -> Outcome:
    """Inject, prove the harm, wait for the verdict, heal by its card, and see that it is well.

    `heal` runs the card's commands as they stand and returns them; "" leaves it to the drill, and
    without it the drill takes itself out and nobody looks whether all is well.
    `resume` ends what a restored copy hides, before the drill takes its fault out of the index.
    A fault that `guards` stop is measured as users met it, and then approved, to be watched too.
    Of two faults, the one that is named first is taken out, and the watcher looks on for the other.
    """
    if not drill.layers:
        raise DrillFailed(f"{drill.name} is a benign change: `evals healthy` takes those.")
    running = Running(drill, places, saved)
    can_heal = heal if len(drill.layers) == 1 else None  # two faults, two commands
    at = datetime.now(UTC)
    running.inject()
    reverted_by, healed, harm_held = BY_DRILL, False, None
    watching = _Watching(watcher, DUE_SECONDS if replay else 0.0)
    card: Card | None = None
    try:
        if guards.held():
            harm_held = oracle.harm()
            guards.approve()
        harm = oracle.harm()
        goes_on = harm >= HARM and watching.names_another()
        at_once = watching.named
        while goes_on and {*watching.named} < {*drill.layers}:
            running.take_out(watching.named)
            if guards.held():
                guards.approve()
            goes_on = watching.names_another()
        if watching.card:
            card = watcher.report() or watching.card
            cards.mkdir(parents=True, exist_ok=True)
            told = card.model_dump_json(indent=1)
            (cards / f"{drill.name}.json").write_text(told, encoding="utf-8")
        if (
            card
            and card.verdict.layers == drill.layers
            and can_heal
            and (command := can_heal(card))
        ):
            reverted_by = command
            healed = _is_well(watcher)
    finally:
        resume()
        running.revert(undo=not (healed and drill.layers == ("serving",)), may_be_held=True)
        if guards.held():  # the way back takes much from readers too
            guards.approve()
    if card and heal and reverted_by == BY_DRILL:
        healed = _is_well(watcher)
    return Outcome(
        drill=drill.name,
        title=drill.title,
        layers=drill.layers,
        commit=commit,
        replay=replay,
        at=at,
        harm=harm,
        hot_harm=sum(share.value for share in card.verdict.shares.values()) if card else 0,
        named=watching.named,
        status=card.verdict.status if card else NO_EFFECT,
        cycles=len(watching.watched),
        seconds=watching.seconds,
        reverted_by=reverted_by,
        healed=healed,
        cycle_seconds=tuple(watching.cycle_seconds),
        failed=tuple(
            indicator.what
            for indicator in (card.indicators if card else ())
            if indicator.source == "drift" and indicator.layer in drill.layers
        ),
        harm_held=harm_held,
        watched=tuple(watching.watched),
        taken_out=tuple(watching.taken_out),
        named_at_once=at_once,
    )


class _Watching:
    """The cycles of a trial, and what they named."""

    def __init__(self, watcher: Watches, due: float) -> None:
        self._watcher, self._due = watcher, due
        self.card: Card | None = None  # the last one
        self.named: tuple[Layer, ...] = ()
        self.seconds = 0.0
        self.cycle_seconds: list[float] = []
        self.watched: list[str] = []  # ids of cycles
        self.taken_out: list[tuple[Layer, ...]] = []  # by cycle: what had been named by then

    def names_another(self) -> bool:
        """Watch until a layer is named that was not before; whether one was, while it was due."""
        known, cycles, began = self.named, 0, time.perf_counter()
        while self.named == known and (cycles < CYCLES or time.perf_counter() - began < self._due):
            started = time.perf_counter()
            self.card = self._watcher.once()
            self.cycle_seconds.append(time.perf_counter() - started)
            self.watched.append(self.card.verdict.cycle)
            self.taken_out.append(known)
            self.named = (*known, *(x for x in self.card.verdict.layers if x not in known))
            cycles += 1
        self.seconds += time.perf_counter() - began
        return self.named != known


def _is_well(watcher: Watches) -> bool:
    return any(watcher.once().verdict.status == "OK" for _ in range(HEALING))
