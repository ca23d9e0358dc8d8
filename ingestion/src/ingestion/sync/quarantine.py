"""Documents that could not be indexed, with reason and attempts, in `quarantine.sqlite`.

The raw file stays where it was. A new collection, so new parsers, gives each a fresh start.
Dropped is content of which a person said that it need not be indexed: it is accounted for by every
run, but neither tried nor listed, until it changes.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from contracts.status import Quarantined
from ingestion.errors import StateUnusable
from ingestion.sources import Found

MAX_ATTEMPTS = 3  # at one content; after these it is reported without another try

_SCHEMA = """
CREATE TABLE IF NOT EXISTS quarantine (
    collection TEXT, tenant TEXT, source TEXT, path TEXT,
    reason TEXT, sha256 TEXT, raw_bytes INTEGER, attempts INTEGER, last_seen TEXT,
    PRIMARY KEY (collection, tenant, source, path)
);
CREATE TABLE IF NOT EXISTS dropped (
    tenant TEXT, source TEXT, path TEXT, sha256 TEXT, PRIMARY KEY (tenant, source, path, sha256)
);
"""
_SELECT = (
    "SELECT path, reason, sha256, raw_bytes, attempts FROM quarantine "
    "WHERE collection = ? AND tenant = ? AND source = ?"
)
_FORGET = "DELETE FROM quarantine WHERE collection = ? AND tenant = ? AND source = ?"
_DELETE = f"{_FORGET} AND path = ?"
_INSERT = "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_EVERYTHING = (
    "SELECT * FROM quarantine WHERE ((tenant, source, path, sha256) IN dropped) = ? "
    "ORDER BY source, path"
)
_DROP = "INSERT OR IGNORE INTO dropped SELECT tenant, source, path, sha256 FROM quarantine"
_UNDROP = "DELETE FROM dropped"
_SET_ATTEMPTS = "UPDATE quarantine SET attempts = ?"
_MATCHING = " WHERE source = coalesce(?, source) AND path = coalesce(?, path)"


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

    def record(
        self, problems: Iterable[tuple[Found, str]], keep: Collection[str] = ()
    ) -> list[Quarantined]:
        """Replace the entries by what this run could not index; attempts count per content.

        Those whose content was dropped are kept, but not returned. Nor are the entries of the paths
        in `keep`, which this run did not look at.
        """
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
            gone = [(*self._key, path) for path in before if path not in keep]
            database.executemany(_DELETE, gone)
            database.executemany(_INSERT, rows)
            dropped = set(map(tuple, database.execute("SELECT * FROM dropped")))
        own = self._key[1:]
        return [entry for entry in entries if (*own, entry.path, entry.sha256) not in dropped]


def everything(state_dir: Path, dropped: bool = False) -> list[dict[str, str | int]]:
    """Every entry of every source, for `ingestion quarantine list`; or those that were dropped."""
    with _opened(state_dir / "quarantine.sqlite") as database:
        return [dict(row) for row in database.execute(_EVERYTHING, [dropped])]


def retry(state_dir: Path, source: str | None, path: str | None) -> int:
    """Forget attempts and drops, so that the next sync tries again; the number of entries."""
    with _opened(state_dir / "quarantine.sqlite") as database:
        database.execute(_UNDROP + _MATCHING, [source, path])
        return database.execute(_SET_ATTEMPTS + _MATCHING, [0, source, path]).rowcount


def drop(state_dir: Path, source: str, path: str) -> int:
    """Accept that this content is not indexed, and try it no more; the number of entries."""
    with _opened(state_dir / "quarantine.sqlite") as database:
        database.execute(_DROP + _MATCHING, [source, path])
        return database.execute(_SET_ATTEMPTS + _MATCHING, [MAX_ATTEMPTS, source, path]).rowcount


def forget(state_dir: Path, collections: Iterable[str], tenant: str, source: str) -> None:
    """Remove the entries of a source in these collections, and what was dropped of it."""
    with _opened(state_dir / "quarantine.sqlite") as database:
        for collection in collections:
            database.execute(_FORGET, [collection, tenant, source])
        database.execute(_UNDROP + " WHERE tenant = ? AND source = ?", [tenant, source])


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The database in one transaction. Raises: StateUnusable, in place of SQLite's errors."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(file)) as database, database:
            database.row_factory = sqlite3.Row
            database.executescript(_SCHEMA)
            yield database
    except sqlite3.Error as error:
        raise StateUnusable.of(error, file) from error
