"""What a sync would do now: `ingestion sync --dry-run`. The index and the store stay untouched."""

from typing import Self

from pydantic import BaseModel

from contracts.status import Move
from ingestion.settings import Settings
from ingestion.state.runs import Run
from ingestion.sync.order import Seen, preview
from ingestion.sync.request import SyncRequest
from ingestion.sync.run import put_together
from ingestion.sync.services import Services


class Preview(BaseModel):
    """The plan of a sync: paths by what would become of them, before any is parsed."""

    source: str
    index: str
    added: list[str]
    modified: list[str]
    deleted: list[str]
    unchanged: int
    problems: dict[str, str]  # the reason by path
    moves: list[Move]
    notes: list[str]

    @classmethod
    def of(cls, seen: Seen, run: Run) -> Self:
        """The preview that a look at source and index gives."""
        plan = seen.plan
        return cls(
            source=run.source,
            index=run.index,
            added=[item.found.path for item in plan.pending if item.outcome == "added"],
            modified=[item.found.path for item in plan.pending if item.outcome == "modified"],
            deleted=[manifest.path for manifest in plan.deleted],
            unchanged=len(plan.unchanged),
            problems={found.path: found.problem or "" for found in plan.problems},
            moves=plan.moves,
            notes=run.notes,
        )

    @property
    def text(self) -> str:
        """The preview for a person: counts, then a line for each path that would change."""
        lines = [
            f"{self.source} -> {self.index}: a sync would add {len(self.added)} documents, modify "
            f"{len(self.modified)} and delete {len(self.deleted)}; {self.unchanged} are unchanged, "
            f"{len(self.problems)} cannot be indexed. Nothing was written."
        ]
        for sign, paths in (("+", self.added), ("~", self.modified), ("-", self.deleted)):
            lines += [f"  {sign} {path}" for path in paths]
        lines += [f"  ! {path}: {reason}" for path, reason in self.problems.items()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


def preview_sync(request: SyncRequest, settings: Settings, services: Services) -> Preview:
    """Look at the source and the index as a sync does; raises what a sync raises."""
    run = Run(request.source, request.tenant, request.index)
    try:
        job, _ = put_together(request, settings, services, run)
        return Preview.of(preview(job, run), run)
    finally:
        services.close()
