"""`ports.Ledger` over the watcher's ledger: a connection a call, since pages run in threads."""

from pathlib import Path

from evals.watch import first
from evals.watch.first import First
from evals.watch.ledger import Ledger
from evals.watch.model import Card, Cycle, Layer, LayerFacts, Verdict


class LedgerReader:
    """Reads the ledger at a path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last_cycle(self) -> Cycle | None:
        """The newest cycle, also one without data."""
        with Ledger(self._path) as ledger:
            return ledger.cycle()

    def card(self, cycle: str | None = None) -> Card | None:
        """A cycle's card; without a name, the newest."""
        with Ledger(self._path) as ledger:
            return ledger.card(cycle)

    def verdicts(self, limit: int) -> list[Verdict]:
        """The newest verdicts, newest first."""
        with Ledger(self._path) as ledger:
            return [entry.verdict for entry in ledger.last(limit)]

    def cycles(self) -> int:
        """How many verdicts there are."""
        with Ledger(self._path) as ledger:
            return ledger.count()

    def first(self) -> First | None:
        """While it is being taken, and where it failed."""
        return first.read(self._path.parent)

    def facts(self) -> dict[Layer, LayerFacts]:
        """Of every layer that said something."""
        with Ledger(self._path) as ledger:
            return ledger.facts()
