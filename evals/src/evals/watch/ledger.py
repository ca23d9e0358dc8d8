"""What the watcher remembers: cycles, verdicts, accepts and detector state, in one SQLite file.

A watcher writes while pages read (WAL); a cycle, its verdict and the state after it are one
transaction, so a SIGKILL leaves all of them or none and no cycle is counted twice.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pydantic import TypeAdapter

from evals.errors import EvalsError
from evals.watch.detector import State
from evals.watch.model import Card, Change, Cycle, Layer, LayerFacts, Verdict

KEPT_CYCLES = 168  # a week, hourly: prompts make a cycle large; verdicts and cards stay for ever
DETECTOR = "detector"  # the key of the detectors' state
FACTS = "facts"  # and of what each layer said of itself in the last cycle
FACTS_FORM = TypeAdapter(dict[Layer, LayerFacts])

SCHEMA = """
CREATE TABLE IF NOT EXISTS cycles (id TEXT PRIMARY KEY, at TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS verdicts (
    cycle TEXT PRIMARY KEY, at TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL, card TEXT);
CREATE TABLE IF NOT EXISTS accepts (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS changes (
    layer TEXT, what TEXT, after TEXT, since TEXT NOT NULL, PRIMARY KEY (layer, what, after));
"""


class Entry(NamedTuple):
    """A verdict with its card, where it has one."""

    verdict: Verdict
    card: Card | None


class Accept(NamedTuple):
    """When a state of the stack was accepted, and what was recorded of it, as JSON."""

    at: datetime
    record: str


class Ledger:
    """One connection, for one thread; open one in each. Raises: EvalsError."""

    def __init__(self, path: Path) -> None:
        """Opens `path`, usually STATE_DIR/ledger.sqlite, and creates what it lacks."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30)
            with closing(self._db.execute("PRAGMA journal_mode=WAL")):
                self._db.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise EvalsError(
                f"The ledger {path} cannot be opened ({error}): see that its folder is writable, "
                "or move the file away to start a new one."
            ) from error

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; whatever was not committed is gone."""
        self._db.close()

    def append(self, cycle: Cycle, verdict: Verdict, card: Card | None, state: State) -> None:
        """Keep a cycle, what was decided, and the state for the next one: all or nothing."""
        at = _text(cycle.at)
        try:
            with self._db as db:
                db.execute("INSERT INTO cycles VALUES (?, ?, ?)", _row(cycle.id, at, cycle))
                db.execute(
                    "INSERT INTO verdicts VALUES (?, ?, ?, ?, ?)",
                    _row(cycle.id, at, verdict.status, verdict, card),
                )
                db.execute("REPLACE INTO state VALUES (?, ?)", _row(DETECTOR, state))
                db.execute(
                    "DELETE FROM cycles WHERE id NOT IN "
                    "(SELECT id FROM cycles ORDER BY id DESC LIMIT ?)",
                    (KEPT_CYCLES,),
                )
        except sqlite3.IntegrityError as error:
            raise EvalsError(
                f"Cycle {cycle.id} is in the ledger already: stop the second watcher."
            ) from error

    def last(self, count: int = 1) -> list[Entry]:
        """The newest verdicts, newest first."""
        found = self._db.execute(
            "SELECT body, card FROM verdicts ORDER BY cycle DESC LIMIT ?", (count,)
        )
        return [
            Entry(Verdict.model_validate_json(body), card and Card.model_validate_json(card))
            for body, card in found
        ]

    def card(self, cycle: str | None = None) -> Card | None:
        """The card of that cycle, or the newest."""
        found = self._db.execute(
            "SELECT card FROM verdicts WHERE cycle = ifnull(?, (SELECT max(cycle) FROM verdicts))",
            (cycle,),
        ).fetchone()
        return Card.model_validate_json(found[0]) if found and found[0] else None

    def amend(self, card: Card) -> None:
        """Replace a cycle's card, once its reports have added to it."""
        with self._db as db:
            db.execute(
                "UPDATE verdicts SET card = ? WHERE cycle = ?", _row(card, card.verdict.cycle)
            )

    def count(self) -> int:
        """How many verdicts there are."""
        return int(self._db.execute("SELECT count(*) FROM verdicts").fetchone()[0])

    def since(self, at: datetime) -> list[Verdict]:
        """Verdicts from then on, oldest first."""
        found = self._db.execute(
            "SELECT body FROM verdicts WHERE at >= ? ORDER BY cycle", (_text(at),)
        )
        return [Verdict.model_validate_json(body) for (body,) in found]

    def cycle(self, id: str | None = None) -> Cycle | None:
        """That cycle, or the newest; None if it was never there or is older than a week's worth."""
        found = self._db.execute(
            "SELECT body FROM cycles WHERE id = ifnull(?, (SELECT max(id) FROM cycles))", (id,)
        ).fetchone()
        return Cycle.model_validate_json(found[0]) if found else None

    def state(self) -> State:
        """The detectors' state, empty before the first cycle and after an accept."""
        found = self.get(DETECTOR)
        return State.model_validate_json(found) if found else State()

    def facts(self) -> dict[Layer, LayerFacts]:
        """What each layer said of itself in the last cycle that had data."""
        found = self.get(FACTS)
        return FACTS_FORM.validate_json(found) if found else {}

    def describe(self, facts: dict[Layer, LayerFacts]) -> None:
        """Keep what each layer said of itself."""
        self.put(FACTS, FACTS_FORM.dump_json(facts).decode())

    def get(self, key: str) -> str | None:
        """JSON that was put under this key."""
        found = self._db.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else None

    def put(self, key: str, value: str) -> None:
        """Keep JSON under this key."""
        with self._db as db:
            db.execute("REPLACE INTO state VALUES (?, ?)", (key, value))

    def accept(self, at: datetime, record: str) -> None:
        """Keep the record (JSON) of an accept; the detectors start anew, and no change is left."""
        with self._db as db:
            db.execute("INSERT INTO accepts (at, record) VALUES (?, ?)", (_text(at), record))
        self.restart()

    def restart(self) -> None:
        """The detectors start anew, which they may at any time, and no change was seen before."""
        with self._db as db:
            db.execute("DELETE FROM state WHERE key = ?", (DETECTOR,))
            db.execute("DELETE FROM changes")

    def accepts(self) -> list[Accept]:
        """Every accept, newest first."""
        found = self._db.execute("SELECT at, record FROM accepts ORDER BY id DESC")
        return [Accept(datetime.fromisoformat(at), record) for at, record in found]

    def seen(self, changes: Sequence[Change], at: datetime) -> list[Change]:
        """These changes, each with the time of the first of the unbroken run of calls that had it.

        Call it once in each cycle with everything that differs now: what is missing was put back.
        """
        now = {(change.layer, change.what, change.after) for change in changes}
        with self._db as db:
            known = {
                (layer, what, after): since
                for layer, what, after, since in db.execute("SELECT * FROM changes")
            }
            db.executemany(
                "DELETE FROM changes WHERE layer = ? AND what = ? AND after = ?",
                [key for key in known if key not in now],
            )
            db.executemany(
                "INSERT INTO changes VALUES (?, ?, ?, ?)",
                [(*key, _text(at)) for key in sorted(now - known.keys())],
            )
        dated = {key: datetime.fromisoformat(known.get(key, _text(at))) for key in now}
        return [
            change.model_copy(update={"since": dated[change.layer, change.what, change.after]})
            for change in changes
        ]


def _row(*values: Any) -> list[str | None]:
    return [v.model_dump_json() if hasattr(v, "model_dump_json") else v for v in values]


def _text(at: datetime) -> str:
    """UTC with every digit written, so that texts sort as times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
