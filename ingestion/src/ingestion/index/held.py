"""Runs that a guard held: kept in the source's record, until a run of it comes to its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from qdrant_client import QdrantClient

from contracts.status import Hold
from ingestion.index.records import SourceRecords, every_record


@dataclass(frozen=True)
class HeldRun:
    """What is held of one source, and the request that an approval runs again, on any host."""

    records: SourceRecords

    @classmethod
    def every(cls, client: QdrantClient) -> Iterator[tuple[Self, Hold]]:
        """All that are held, each with its hold."""
        for each in every_record(client):
            if each.hold:
                yield cls(SourceRecords(client, each.index, each.tenant, each.source)), each.hold

    def hold(self) -> Hold | None:
        """Why it is held, and whether that was approved; None if it is not."""
        return self.records.read().hold

    def request(self) -> dict[str, Any]:
        """The held run's request, as JSON."""
        return self.records.read().request or {}

    def keep(self, hold: Hold, request: dict[str, Any]) -> None:
        """Hold a run, in place of one before."""
        self.records.change(hold=hold, request=request)

    def approve(self, by: str, at: datetime) -> None:
        """Let it through, as long as the source stays what it was."""
        if hold := self.hold():
            approved = hold.model_copy(update={"approved_by": by, "approved_at": at})
            self.records.change(hold=approved)

    def end(self) -> None:
        """Nothing of the source is held."""
        self.records.change(hold=None, request=None)


def hold_text(hold: Hold) -> str:
    """Why a run is held and what to do, or who approved it."""
    if hold.approved_at:
        return f"approved by {hold.approved_by} at {hold.approved_at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"held since {hold.since:%Y-%m-%d %H:%M:%S} UTC, and readers see what they saw before: "
        f"{'; '.join(hold.reasons)}. If that is meant: `ingestion approve {hold.run_id}`. If not, "
        "mend the source (is its folder mounted, its export whole?) and sync again."
    )
