"""The account of a run while it lasts, and the reports of past runs in `runs/`."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from contracts.status import Hold, Move, Outcome, Quarantined, RunReport
from ingestion.state.files import read_whole, write_whole

INTERRUPTED = "It was interrupted, and what it had committed stays."
CLOCK_TOLERANCE = timedelta(minutes=5)
REPORTS_KEPT = 1000  # of a source; at a schedule of 15 minutes, the last ten days
GOOD = ("complete", "partial")  # statuses of runs that were carried out
REPORT_BYTES = 100_000  # about a thousand paths


@dataclass
class Run:
    """One run: who it is, and what it has done so far."""

    source: str
    tenant: str
    index: str
    flow_run_id: str | None = None
    only: str = ""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    run_id: str = ""
    collection: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    chunks_embedded: int = 0
    chunks_swept: int = 0
    exact_duplicates: int = 0
    near_duplicates: int = 0
    notes: list[str] = field(default_factory=list)  # for the person who watches
    hold: Hold | None = None  # that stopped it, or that was approved and let it through
    error: str | None = INTERRUPTED  # until it has come to its end

    def __post_init__(self) -> None:
        # Sorts by time, for two runs within a second too.
        self.run_id = f"{self.started_at:%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}"

    def account(self, paths: Iterable[str], outcome: Outcome) -> None:
        """Note the outcome of these paths."""
        self.outcomes.update(dict.fromkeys(paths, outcome))

    def report(self) -> RunReport:
        """The closing report."""
        held = self.hold and not self.hold.approved_at
        good: Literal["complete", "partial"] = "partial" if self.quarantined else "complete"
        return RunReport(
            run_id=self.run_id,
            flow_run_id=self.flow_run_id,
            source=self.source,
            tenant=self.tenant,
            index=self.index,
            only=self.only,
            collection=self.collection,
            status="failed" if self.error else "held" if held else good,
            started_at=self.started_at,
            seconds=round((datetime.now(UTC) - self.started_at).total_seconds(), 3),
            outcomes=self.outcomes,
            moves=self.moves,
            quarantined=self.quarantined,
            chunks_written=self.chunks_embedded,
            chunks_embedded=self.chunks_embedded,
            chunks_swept=self.chunks_swept,
            exact_duplicates=self.exact_duplicates,
            near_duplicates=self.near_duplicates,
            error=self.error,
            hold=self.hold,
            notes=self.notes,
        )


class Runs:
    """Reports of past runs: one file each, in a folder per index, tenant and source."""

    def __init__(self, state_dir: Path) -> None:
        self._root = state_dir / "runs"

    def require_room(self, index: str, tenant: str, source: str) -> None:
        """Raise OSError if a report could not be kept: before the index is changed, not after."""
        folder = self._folder(index, tenant, source)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as probe:
            probe.write(bytes(REPORT_BYTES))

    def save(self, report: RunReport) -> None:
        """Keep a report, without the paths that did not change; the oldest ones are removed."""
        changed = {path: what for path, what in report.outcomes.items() if what != "unchanged"}
        slim = {"outcomes": changed, "unchanged": report.paths - len(changed)}
        file = self._root / file_of(report)
        write_whole(file, report.model_copy(update=slim).model_dump_json().encode())
        self._prune(file.parent)

    def _prune(self, folder: Path) -> None:
        """Keep the newest reports of a source, and the newest good one however old it is."""
        old = sorted(f for f in entries(folder) if f.suffix == ".json")[:-REPORTS_KEPT]
        if not old:
            return
        good = next((r.run_id for r in self._read(folder) if r.status in GOOD and not r.only), None)
        for file in old:
            if file.stem != good:
                file.unlink(missing_ok=True)

    def of(self, index: str, tenant: str, source: str) -> Iterator[RunReport]:
        """Reports of a source, newest first."""
        return self._read(self._folder(index, tenant, source))

    def _read(self, folder: Path) -> Iterator[RunReport]:
        for file in sorted(entries(folder), reverse=True):
            if file.suffix == ".json":
                with suppress(FileNotFoundError):  # another run removes the oldest ones
                    yield read_whole(RunReport, file)

    def last_good(
        self,
        index: str,
        tenant: str,
        source: str,
        collection: str | None = None,
        until: datetime | None = None,
    ) -> RunReport | None:
        """The last run that was carried out, into `collection` if one is given.

        A run that looked at a part of the source does not count. Nor does one that is dated after
        `until`, or after now, since a clock was wrong.
        """
        latest = (until or datetime.now(UTC)) + CLOCK_TOLERANCE
        return next(
            (
                report
                for report in self.of(index, tenant, source)
                if report.status in GOOD
                and not report.only
                and collection in (None, report.collection)
                and report.started_at <= latest
            ),
            None,
        )

    def sources(self, index: str) -> set[tuple[str, str]]:
        """Tenant and source of every run into an index."""
        files = entries(self._root / index, depth=3)
        return {(file.parts[-3], file.parts[-2]) for file in files if file.suffix == ".json"}

    def _folder(self, index: str, tenant: str, source: str) -> Path:
        return self._root / index / tenant / source


def file_of(report: RunReport) -> Path:
    """Where a report lies below `runs/`."""
    return Path(report.index, report.tenant, report.source, f"{report.run_id}.json")


def entries(folder: Path, depth: int = 1) -> list[Path]:
    """What lies so many levels down in a folder of the state, if it is there yet.

    Raises: OSError where it cannot be listed. `Path.glob` would find nothing there.
    """
    try:
        found = list(folder.iterdir())
    except FileNotFoundError:
        return []
    for _ in range(depth - 1):
        found = [entry for each in found if each.is_dir() for entry in each.iterdir()]
    return found
