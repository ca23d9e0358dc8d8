"""What a guard remembers of earlier runs, so that losses in small steps add up to a large one."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from contracts.index import DocumentManifest
from ingestion.index.records import Loss, SourceRecord
from ingestion.sync.plan import Plan

MEMORY = timedelta(days=7)  # losses of so long are added up


@dataclass(frozen=True)
class Memory:
    """What earlier runs took or damaged, within the limits, and that is not mended since.

    Without it, a source that loses a fifth of its documents in each run would never be held.
    """

    lost: list[Loss]
    damaged: list[Loss]

    @classmethod
    def of(
        cls,
        record: SourceRecord,
        plan: Plan,
        history: Mapping[str, DocumentManifest],
        now: datetime,
    ) -> Self:
        """The part of the record that still holds for the source as it is found now."""
        versions = {path: history[path].version for path in plan.unchanged if path in history}
        versions |= {item.path: item.sha256 for item in plan.problems}
        versions |= {item.found.path: item.found.sha256 for item in plan.pending}
        here = {_digest(path): _digest(version) for path, version in versions.items()}
        known, contents = {_digest(path) for path in history}, set(here.values())
        recent = now - MEMORY
        return cls(
            [
                loss
                for loss in record.lost
                if loss.at > recent
                and loss.path not in here
                and loss.path not in known  # a run that was killed had not taken it yet
                and loss.version not in contents
            ],
            [
                loss
                for loss in record.damaged
                if loss.at > recent and here.get(loss.path) == loss.version
            ],
        )

    def forget_damage_of(self, paths: Iterable[str]) -> None:
        """These documents are judged anew by this run."""
        judged = {_digest(path) for path in paths}
        self.damaged[:] = [loss for loss in self.damaged if loss.path not in judged]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def loss_of(path: str, version: str) -> Loss:
    """A document that is lost or damaged by this run."""
    return Loss(at=datetime.now(UTC), path=_digest(path), version=_digest(version))


def since(losses: Sequence[Loss]) -> str:
    """When the first of these losses was."""
    return f"since {min(loss.at for loss in losses):%Y-%m-%d %H:%M} UTC"
