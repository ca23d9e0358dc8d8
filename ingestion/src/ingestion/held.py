"""Runs that a guard held, in `held/`: one file a source, until a run of it comes to its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from contracts.status import Hold
from ingestion.runs import entries
from ingestion.state import read_whole, write_whole


class HeldFile(BaseModel):
    """What the file holds."""

    hold: Hold
    request: dict[str, Any]


@dataclass(frozen=True)
class HeldRun:
    """What is held of one source, and the request that an approval runs again."""

    file: Path

    @classmethod
    def of(cls, state_dir: Path, index: str, tenant: str, source: str) -> Self:
        """The place of one source."""
        return cls(state_dir / "held" / index / tenant / f"{source}.json")

    @classmethod
    def every(cls, state_dir: Path) -> Iterator[Self]:
        """All that are held."""
        found = sorted(entries(state_dir / "held", depth=3))
        yield from (cls(file) for file in found if file.suffix == ".json")

    def hold(self) -> Hold | None:
        """Why it is held, and whether that was approved; None if it is not."""
        return read_whole(HeldFile, self.file).hold if self.file.exists() else None

    def request(self) -> dict[str, Any]:
        """The held run's request, as JSON."""
        return read_whole(HeldFile, self.file).request

    def keep(self, hold: Hold, request: dict[str, Any]) -> None:
        """Hold a run, in place of one before."""
        write_whole(self.file, HeldFile(hold=hold, request=request).model_dump_json().encode())

    def approve(self, by: str, at: datetime) -> None:
        """Let it through, as long as the source stays what it was."""
        held = read_whole(HeldFile, self.file)
        approved = held.hold.model_copy(update={"approved_by": by, "approved_at": at})
        self.keep(approved, held.request)

    def end(self) -> None:
        """Nothing of the source is held."""
        self.file.unlink(missing_ok=True)


def hold_text(hold: Hold) -> str:
    """Why a run is held and what to do, or who approved it."""
    if hold.approved_at:
        return f"approved by {hold.approved_by} at {hold.approved_at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"held since {hold.since:%Y-%m-%d %H:%M:%S} UTC, and readers see what they saw before: "
        f"{'; '.join(hold.reasons)}. If that is meant: `ingestion approve {hold.run_id}`. If not, "
        "mend the source (is its folder mounted, its export whole?) and sync again."
    )
