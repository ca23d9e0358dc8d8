"""What was accepted last: index, application and models that answers are held against."""

from datetime import datetime

from contracts.status import BundleStatus, Pin
from evals.errors import NotAccepted
from evals.probes.selection import ProbeSet
from evals.watch import audit, first
from evals.watch.cells import chat_requests
from evals.watch.detector import Baseline, digest
from evals.watch.facts import Facts
from evals.watch.ledger import Ledger
from evals.watch.model import CellReply, Cycle, Frozen


class Accepted(Frozen):
    """The state that `evals accept` recorded; it moves by that command only."""

    at: datetime
    reason: str | None  # given where somebody accepted a worse state
    pin: Pin
    facts: Facts
    application: BundleStatus
    probes: ProbeSet
    cycle: Cycle  # what each cell answered then
    replica_replies: dict[str, str]  # the model's own words to a few of those requests, by probe
    versions: dict[str, str]  # version of every document, by id

    @property
    def baseline(self) -> Baseline:
        """What the detectors hold a cycle against."""
        probes = self.probes
        audited = {name: audit.tolerated(seen) for name, seen in self.cycle.audits.items() if seen}
        return Baseline(
            digest=digest(probes.probes), scores=probes.baseline, deltas=probes.deltas | audited
        )

    @property
    def requests(self) -> dict[str, dict[str, object]]:
        """What the model was sent, by probe."""
        return chat_requests(self.cycle.replies, "11")

    @property
    def replies(self) -> dict[str, CellReply]:
        """What users would have got, by probe."""
        return {reply.probe: reply for reply in self.cycle.replies if reply.cell == "11"}


def last(ledger: Ledger) -> Accepted:
    """What counts now. Raises: NotAccepted."""
    kept = ledger.accepts()
    if not kept:
        told = first.read(ledger.path.parent)
        none = "Nothing is accepted yet: run `make accept` on a healthy stack."
        raise NotAccepted(told.sentence if told else none)
    return Accepted.model_validate_json(kept[0].record)
