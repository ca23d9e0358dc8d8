"""Documents that could not be indexed, with reason and attempts, in `quarantine.sqlite`.

The raw file stays where it was. A new collection, so new parsers, gives each a fresh start.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contracts.status import Quarantined
from ingestion.sources import Found

MAX_ATTEMPTS = 3  # at one content; after these it is reported without another try

_SCHEMA = """
CREATE TABLE IF NOT EXISTS quarantine (
    collection TEXT, tenant TEXT, source TEXT, path TEXT,
    reason TEXT, sha256 TEXT, raw_bytes INTEGER, attempts INTEGER, last_seen TEXT,
    PRIMARY KEY (collection, tenant, source, path)
)
"""
_SELECT = (
    "SELECT path, reason, sha256, raw_bytes, attempts FROM quarantine "
    "WHERE collection = ? AND tenant = ? AND source = ?"
)
_DELETE = "DELETE FROM quarantine WHERE collection = ? AND tenant = ? AND source = ?"
_INSERT = "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Quarantine:
    """The quarantine of one source in one collection."""

    def __init__(self, state_dir: Path, collection: str, tenant: str, source: str) -> None:
        self._file = state_dir / "quarantine.sqlite"
        self._key = (collection, tenant, source)

    def entries(self) -> dict[str, Quarantined]:
        """What is in quarantine, by path."""
        with _opened(self._file) as database:
            rows = database.execute(_SELECT, self._key)
            return {row["path"]: Quarantined(**row) for row in rows}

    def record(self, problems: Iterable[tuple[Found, str]]) -> list[Quarantined]:
        """Replace the entries by what this run could not index; attempts count per content."""
        before = self.entries()
        entries = []
        for found, reason in problems:
            last = before.get(found.path)
            attempts = last.attempts if last and last.sha256 == found.sha256 else 0
            entries.append(
                Quarantined(
                    path=found.path,
                    reason=reason,
                    sha256=found.sha256,
                    raw_bytes=found.raw_bytes,
                    attempts=min(attempts + 1, MAX_ATTEMPTS),
                )
            )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [(*self._key, *entry.model_dump().values(), now) for entry in entries]
        with _opened(self._file) as database:
            database.execute(_DELETE, self._key)
            database.executemany(_INSERT, rows)
        return entries


def everything(state_dir: Path) -> list[dict[str, str | int]]:
    """Every entry of every source, for `ingestion quarantine list`."""
    with _opened(state_dir / "quarantine.sqlite") as database:
        rows = database.execute("SELECT * FROM quarantine ORDER BY source, path")
        return [dict(row) for row in rows]


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    file.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(file)
    database.row_factory = sqlite3.Row
    try:
        with database:
            database.execute(_SCHEMA)
            yield database
    finally:
        database.close()
