"""The watch looks every so often, at once after a change, and again where harm is suspected."""

from types import SimpleNamespace

import pytest
from tests.fakes.layers_app import card_of, cycle, verdict

from evals.errors import Unavailable
from evals.settings import Settings
from evals.watch import watcher as module
from evals.watch.watcher import AGAIN, POLL_SECONDS, Watcher

EVERY = 3600  # seconds


class Clock:
    """The event that ends a watch after so many seconds, of which none is waited for."""

    def __init__(self, seconds):
        self.now, self.seconds, self.looks = 0.0, seconds, 0

    def is_set(self):
        self.looks += 1
        return self.now >= self.seconds or self.looks > 300

    def wait(self, seconds):
        assert 0 < seconds <= POLL_SECONDS
        self.now += seconds


@pytest.fixture
def watch(monkeypatch, tmp_path):
    """When there were cycles and reports; `change_at` is when the live build becomes another."""

    def watch(seconds, *statuses, change_at=None):
        clock, cycles, reports, left = Clock(seconds), [], [], list(statuses)

        def once():
            cycles.append(clock.now)
            status = left.pop(0) if left else "OK"
            if status == "NO DATA":
                raise Unavailable("The ledger is busy.")
            if status == "broken":
                raise KeyError("a bug of our own")
            return card_of(cycle(()), verdict(status))

        def fingerprints():
            return [change_at is not None and clock.now >= change_at]

        def thread(target, daemon):
            return SimpleNamespace(start=target)

        watcher = Watcher(Settings(state_dir=tmp_path, every_seconds=EVERY), None)
        monkeypatch.setattr(watcher, "once", once)
        monkeypatch.setattr(watcher, "report", lambda: reports.append(clock.now))
        monkeypatch.setattr(watcher, "_cycles", SimpleNamespace(fingerprints=fingerprints))
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
        monkeypatch.setattr(module, "threading", SimpleNamespace(Thread=thread))
        watcher.watch(clock)
        return cycles, reports

    return watch


def test_a_quiet_stack_is_looked_at_every_so_often_with_a_report_after_each_verdict(watch):
    assert watch(2 * EVERY) == ([0, EVERY], [0, EVERY])


@pytest.mark.parametrize(("suspected", "at_once"), [(1, 1), (AGAIN, AGAIN), (9, AGAIN)])
def test_a_suspicion_is_looked_into_again_at_once_but_not_for_ever(watch, suspected, at_once):
    cycles, _ = watch(EVERY, *["SUSPECT"] * suspected)
    assert cycles == [0] * (1 + at_once)


@pytest.mark.parametrize("status", ["FAULT", "UNSURE", "WORKLOAD"])
def test_a_verdict_that_is_sure_or_stays_unsure_waits_for_the_next_cycle(watch, status):
    assert watch(EVERY, status)[0] == [0]


def test_a_new_suspicion_is_looked_into_as_often_as_the_first(watch):
    cycles, _ = watch(2 * EVERY, *["SUSPECT"] * AGAIN, "OK", *["SUSPECT"] * 9)
    assert cycles == [0] * (1 + AGAIN) + [EVERY] * (1 + AGAIN)


def test_a_fingerprint_that_changes_triggers_a_cycle_at_the_next_look_and_once(watch):
    change = EVERY / 3 + 1
    cycles, _ = watch(EVERY, change_at=change)
    assert len(cycles) == 2
    assert change <= cycles[1] <= change + POLL_SECONDS


@pytest.mark.parametrize("status", ["NO DATA", "broken"])
def test_a_cycle_that_fails_is_told_and_does_not_end_the_watch(watch, caplog, status):
    assert watch(2 * EVERY, status) == ([0, EVERY], [EVERY])
    assert "No cycle" in caplog.text
    assert ("Traceback" in caplog.text) == (status == "broken")  # where the fault is our own
