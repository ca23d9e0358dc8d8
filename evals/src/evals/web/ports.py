"""What the page needs of the ledger."""

from typing import Protocol

from evals.watch.model import Card, Cycle, Frozen, Layer, Verdict


class LayerFacts(Frozen):
    """What a layer said of itself in the last cycle."""

    versions: dict[str, str]  # e.g. {"build": "0.1.0+3f2a", "bundle": "9c1d"}, shown in this order
    contracts: tuple[str, ...] = ()  # every check that ran; those that failed are the indicators


class Ledger(Protocol):
    """Read by several threads at once."""

    def last_cycle(self) -> Cycle | None:
        """The newest cycle, also one without data."""

    def card(self, cycle: str | None = None) -> Card | None:
        """A cycle's card; without a name, the newest."""

    def verdicts(self, limit: int) -> list[Verdict]:
        """The newest verdicts, newest first."""

    def cycles(self) -> int:
        """How many cycles it holds."""

    def facts(self) -> dict[Layer, LayerFacts]:
        """Of every layer that said something."""
