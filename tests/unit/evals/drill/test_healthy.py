"""Healthy cycles: each change stays for its cycle, and every verdict counts as a false alarm."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.fakes.layers_app import card_of, cycle, verdict
from tests.fakes.scripted_layers import Layers

from evals.drill import healthy, recording
from evals.drill.drill import Drill, load
from evals.drill.healthy import HealthyCycle, HealthyCycles, figures
from evals.machine import Origin
from evals.settings import Settings
from evals.watch.detector import State
from evals.watch.ledger import Ledger

HERE = Origin(command="c", commit="c0ffee", date="d", machine="m")


@pytest.fixture
def watched(tmp_path, monkeypatch, in_order):
    log = tmp_path / "log"
    log.touch()

    class Scripted:
        def __init__(self, settings, each):
            self.statuses = iter(["OK", "OK", "SUSPECT", "FAULT", "OK"])

        def once(self):
            with log.open("a") as file:
                file.write("cycle\n")
            status = next(self.statuses)
            return card_of(cycle(()), verdict(status, *(["data"] if status == "FAULT" else [])))

        def report(self):
            with log.open("a") as file:
                file.write("report\n")

    monkeypatch.setattr(healthy, "Watcher", Scripted)
    monkeypatch.setattr(healthy, "origin", lambda: HERE)
    settings = Settings(state_dir=tmp_path / "state")
    accepted = Layers(settings, in_order).accepted()
    with Ledger(settings.ledger) as ledger:
        ledger.accept(accepted.at, accepted.model_dump_json())
        ledger.append(cycle(()), verdict("OK"), None, State())
    made = HealthyCycles(settings, None)
    change = Drill(
        name="restart",
        title="t",
        run=[f"sh -c 'echo made >> {log}'"],
        undo=[f"sh -c 'echo undone >> {log}'"],
    )
    return made, change, log


def test_every_second_cycle_follows_a_change_that_is_taken_back_after_it(watched):
    made, change, log = watched
    made.run([change], 4)
    changed = ["cycle", "report", "made", "cycle", "report", "undone"]
    assert log.read_text().split() == [*changed, *changed]
    assert [each.change for each in made.outcomes()] == ["", "restart", "", "restart"]


def test_healthy_cycles_are_recorded_by_the_change_before_them(watched, tmp_path):
    made, change, _ = watched
    made.run([change], 3)
    made.publish_recordings(tmp_path / "published")
    found = {each.drill: len(each.cycles) for each in recording.read(tmp_path / "published")[0]}
    assert found == {"benign-none": 2, "benign-restart": 1}


def test_cycles_that_were_run_already_are_not_run_again(watched):
    made, change, log = watched
    made.run([change], 2)
    made.run([change], 2)
    assert log.read_text().split().count("cycle") == 2


def test_cycles_of_other_code_are_run_again(watched, monkeypatch, tmp_path):
    made, change, _ = watched
    made.run([change], 2)
    monkeypatch.setattr(healthy, "origin", lambda: replace(HERE, commit="another"))
    later = HealthyCycles(Settings(state_dir=tmp_path / "state"), None)
    assert later.outcomes() == []
    later.run([change], 1)
    assert [each.commit for each in later.outcomes()] == ["another"]


def test_a_cycle_after_a_change_is_not_a_quiet_one():
    def outcome(change, seconds):
        return HealthyCycle(
            at=datetime(2026, 1, 1, tzinfo=UTC),
            commit="c0ffee",
            change=change,
            status="OK",
            layers=(),
            seconds=seconds,
            report_seconds=6,
            reason="",
        )

    told = [outcome("", 30), outcome("restart", 300), outcome("re-index", 300)]
    found = {row.id: (row.value, row.n) for row in figures(told, HERE)}
    assert found["quiet_cycle_seconds"] == (30, 1)
    assert found["watching_share"] == (pytest.approx(0.01), 1)


def test_a_fault_or_a_doubt_is_a_false_alarm_and_neither_a_suspicion_nor_no_data_is():
    def outcome(status, change="", commit="c0ffee"):
        return HealthyCycle(
            at=datetime(2026, 1, 1, tzinfo=UTC),
            commit=commit,
            change=change,
            status=status,
            layers=(),
            seconds=30,
            report_seconds=6,
            reason="",
        )

    told = [outcome("OK"), outcome("SUSPECT", "restart"), outcome("UNSURE"), outcome("FAULT")]
    told.append(outcome("NO DATA"))
    found = {row.id: row.value for row in figures(told, HERE)}
    assert found["real_engine_healthy_cycles"] == 4
    assert found["real_engine_false_verdicts"] == 2
    assert found["quiet_cycle_seconds"] == 30
    assert found["watching_share"] == pytest.approx(0.01)
    later = Origin(command="c", commit="another", date="d", machine="m")
    assert {row.commit for row in figures(told, later)} == {"c0ffee"}
    assert figures([], HERE) == []


def test_every_benign_change_of_the_repository_blames_nobody():
    root = Path(__file__).parents[4]
    changes = [load(path) for path in root.glob("evals/drills/benign/*.yaml")]
    assert len(changes) >= 6
    assert all(not change.layers for change in changes)
