"""What the page needs of the ledger."""

from typing import Protocol

from evals.watch.first import First
from evals.watch.model import Card, Cycle, Layer, LayerFacts, Verdict


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

    def first(self) -> First | None:
        """What there is to say of the first baseline."""

    def facts(self) -> dict[Layer, LayerFacts]:
        """Of every layer that said something."""
