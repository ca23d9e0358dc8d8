"""What is known at this moment. Pure: a cycle that is too old, or failed, is NO DATA, never OK."""

from dataclasses import dataclass
from datetime import datetime

from evals.watch.model import Card, Cycle, Indicator, Layer, LayerFacts, Status, Verdict
from evals.web.ports import Ledger

STALE_INTERVALS = 2  # a cycle may be this many intervals old


@dataclass(frozen=True)
class State:
    """The card that holds now, and what it rests on."""

    card: Card
    cycle: Cycle | None
    facts: dict[Layer, LayerFacts]
    cycles: int
    age_seconds: float  # of the last cycle's start; infinite where there was none
    interval_seconds: float
    is_starting: bool = False  # the first baseline is being taken

    @property
    def status(self) -> Status:
        """The verdict's."""
        return self.card.verdict.status

    @property
    def indicators(self) -> list[Indicator]:
        """The card's, to which drift is added after the verdict; without data, the last cycle's."""
        if self.card.indicators or self.cycle is None:
            return self.card.indicators
        return self.cycle.indicators

    @property
    def headline(self) -> str:
        """The status for people; a stack that has just started is no stack without data."""
        return "STARTING" if self.is_starting else self.status

    def of(self, layer: Layer) -> Status:
        """One layer's: a fault of others leaves it OK, any doubt is everybody's."""
        verdict = self.card.verdict
        return "OK" if verdict.status == "FAULT" and layer not in verdict.layers else verdict.status


def current(ledger: Ledger, now: datetime, interval_seconds: float) -> State:
    """The newest card if its cycle has data and is fresh, else one that says what is amiss."""
    cycle, card = ledger.last_cycle(), ledger.card()
    first = ledger.first() if cycle is None else None
    age = (now - cycle.at).total_seconds() if cycle else float("inf")
    if first:
        why = first.sentence
    elif cycle is None:
        why = "No cycle has run yet: evals accept records a healthy stack, evals watch probes it."
    elif age > STALE_INTERVALS * interval_seconds:
        why = (
            f"The watcher's schedule stopped: its last cycle began at {cycle.at:%Y-%m-%d %H:%M} "
            f"UTC, {duration(age)} ago, and one is due every {duration(interval_seconds)}. Start "
            "evals watch again: nothing is known of the answers since."
        )
    elif cycle.error is not None:
        why = cycle.error
    elif card is None or card.verdict.cycle != cycle.id:
        why = f"Cycle {cycle.id} has no verdict yet."
    else:
        return State(card, cycle, ledger.facts(), ledger.cycles(), age, interval_seconds)
    nothing = _no_data(cycle.id if cycle else "none", now, why)
    is_starting = first is not None and not first.failed
    cycles = ledger.cycles()
    return State(nothing, cycle, ledger.facts(), cycles, age, interval_seconds, is_starting)


def duration(seconds: float | None) -> str:
    """E.g. "40 s", "7 min", "3 h", "2 days"; "never" for none."""
    if seconds is None:
        return "never"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} days"


def _no_data(cycle: str, now: datetime, why: str) -> Card:
    return Card(
        verdict=Verdict(cycle=cycle, at=now, status="NO DATA", reason=why),
        title=why,
        switches=[],
        changes=[],
        indicators=[],
        examples=[],
        reverts=[],
        owners={},
        ladder="",
    )
