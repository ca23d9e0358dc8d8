"""Healthy cycles with benign changes among them: how often does the watcher cry wolf?

Resumable, since each cycle is kept at once.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from evals import lines
from evals.drill import recording
from evals.drill.drill import Drill, Running, places
from evals.machine import Origin, origin
from evals.results import Result, result
from evals.settings import Settings
from evals.suite.metrics import Estimate
from evals.suite.ports import Each
from evals.watch.accepted import last
from evals.watch.ledger import Ledger
from evals.watch.model import Frozen, Layer
from evals.watch.watcher import Watcher

ALARMS = ("FAULT", "UNSURE")
HOUR = 3600.0

_log = logging.getLogger(__name__)


class HealthyCycle(Frozen):
    """What the watcher said of a stack that is well."""

    at: datetime
    commit: str  # of the code that ran
    change: str  # the benign one that had just been made; "" for none
    status: str
    layers: tuple[Layer, ...]
    seconds: float
    report_seconds: float  # evidently's reports, which come after the verdict
    reason: str


class HealthyCycles:
    """The healthy cycles of one state folder."""

    def __init__(self, settings: Settings, each: Each) -> None:
        self._settings = settings
        self._each = each
        self._folder = settings.state_dir / "drills"
        self._kept = self._folder / "healthy.jsonl"
        self._commit = origin().commit

    def outcomes(self) -> list[HealthyCycle]:
        """Those of the code that is checked out, the first one first."""
        every = lines.read(self._kept, HealthyCycle)
        return [outcome for outcome in every if outcome.commit == self._commit]

    def publish_recordings(self, folder: Path) -> None:
        """What the scorecard's healthy cycles are drawn from."""
        recording.publish(self._folder / "recorded", folder)

    def run(self, changes: Sequence[Drill], cycles: int) -> None:
        """Cycle until there are so many; before every second one something benign is changed.

        A change stays for its cycle and is taken back before the next one, benign as well.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        watcher = Watcher(self._settings, self._each)
        for number in range(len(self.outcomes()), cycles):
            if number % 2 == 0:
                self._cycle(watcher, "")
                continue
            drill = changes[number // 2 % len(changes)]
            saved = self._folder / "saved" / drill.name
            running = Running(drill, places(self._settings, saved), saved)
            running.inject()
            try:
                self._cycle(watcher, drill.name)
            finally:
                running.revert()

    def _cycle(self, watcher: Watcher, change: str) -> None:
        at = datetime.now(UTC)
        verdict = watcher.once().verdict
        decided = datetime.now(UTC)
        watcher.report()
        outcome = HealthyCycle(
            at=at,
            commit=self._commit,
            change=change,
            status=verdict.status,
            layers=verdict.layers,
            seconds=(decided - at).total_seconds(),
            report_seconds=(datetime.now(UTC) - decided).total_seconds(),
            reason=verdict.reason,
        )
        with self._kept.open("a", encoding="utf-8") as file:
            file.write(outcome.model_dump_json() + "\n")
        with Ledger(self._settings.ledger) as ledger:
            accepted = last(ledger)
            cycle = ledger.cycle(verdict.cycle)
        recording.keep(
            self._folder / "recorded",
            accepted,
            [cycle],
            drill=f"benign-{change or 'none'}",
            title=change or "Nothing is changed",
            layers=(),
            commit=self._commit,
            at=at,
        )
        _log.info("%s: %s, %.0f s", change or "no change", outcome.status, outcome.seconds)


def figures(outcomes: Sequence[HealthyCycle], here: Origin) -> list[Result]:
    """The published figures; a cycle without data proves nothing and is not counted."""
    outcomes = [outcome for outcome in outcomes if outcome.status != "NO DATA"]
    if not outcomes:
        return []
    here = replace(here, commit=outcomes[0].commit)  # of the code that was watched
    count, alarms = len(outcomes), sum(outcome.status in ALARMS for outcome in outcomes)
    changed = sum(bool(outcome.change) for outcome in outcomes)
    quiet = [outcome for outcome in outcomes if not outcome.change]
    spent = sorted(outcome.seconds for outcome in quiet)
    whole = sorted((o.seconds + o.report_seconds) / HOUR for o in quiet)
    return [
        result(
            "real_engine_healthy_cycles",
            f"healthy cycles on the real engine, {changed} of them after a benign change",
            Estimate(count, count, count, count),
            here,
        ),
        result(
            "real_engine_false_verdicts",
            "verdicts in them, every one a false alarm",
            Estimate(alarms, alarms, alarms, count),
            here,
        ),
        result(
            "quiet_cycle_seconds",
            "median seconds of a cycle in which nothing has changed",
            Estimate(median(spent), spent[0], spent[-1], len(spent)),
            here,
        ),
        result(
            "watching_share",
            "share of an hour in which such a cycle and its reports run: the most of the"
            " application's throughput that hourly watching can cost",
            Estimate(median(whole), whole[0], whole[-1], len(whole)),
            here,
        ),
    ]
