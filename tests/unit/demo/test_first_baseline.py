"""`make demo` accepts once by itself, says so, and what it undoes is undone whole."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from demo import cli, start, supervise
from demo.accepted import sources
from demo.processes import Process
from demo.settings import Settings
from demo.supervise import StartError, State, Supervisor

ACCEPT = Process("accept", "evals", ("evals", "accept", "--first"), {}, late=True, ends=True)
WATCHER = Process("watcher", "evals", ("evals", "watch"), {}, late=True)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    for name in ("ACCEPT", "DEMO"):
        monkeypatch.delenv(name, raising=False)
    return Settings(state_dir=tmp_path)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[State]:
    """The states of a stack that runs; a test puts them in."""
    states: list[State] = []
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    monkeypatch.setattr(Supervisor, "states", lambda _: states)
    return states


def accepted(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.state_dir / "ledger.sqlite")) as ledger:
        ledger.execute("CREATE TABLE accepts (id)")
        ledger.execute("INSERT INTO accepts VALUES (1)")
        ledger.commit()


def say(settings: Settings, sentence: str, failed: bool = False) -> None:
    told = {"sentence": sentence, "failed": failed}
    (settings.state_dir / "first-baseline.json").write_text(json.dumps(told))


@pytest.mark.parametrize("before", [False, True])
def test_it_starts_where_nothing_was_accepted_and_only_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    started: list[str] = []
    monkeypatch.setattr(start, "processes", lambda _: [WATCHER, ACCEPT])
    monkeypatch.setattr(Supervisor, "launch", lambda *_: None)
    monkeypatch.setattr(Supervisor, "wait", lambda *_: None)
    monkeypatch.setattr(Supervisor, "start", lambda _, name: started.append(name))
    for step in ("_ingest", "_release_first"):
        monkeypatch.setattr(start, step, lambda _: None)
    if before:
        accepted(settings)
    start.start(settings, Supervisor(settings))
    assert started == ["watcher"] + ["accept"] * (not before)


@pytest.mark.parametrize(
    ("changes", "before", "told"),
    [
        ({}, False, "background, at low priority: `make status` and the Layers page say how far"),
        ({"demo": "lite"}, False, "at low priority: `make status` says how far"),
        ({"accept": False}, False, None),
        ({}, True, None),
    ],
)
def test_the_start_says_so_in_one_line(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    before: bool,
    told: str | None,
) -> None:
    ready = httpx.Response(200, json={"checks": {}}, request=httpx.Request("GET", "http://a"))
    monkeypatch.setattr(cli.httpx, "get", lambda *_, **__: ready)
    if before:
        accepted(settings)
    cli._report(settings.model_copy(update=changes), 1.0)
    lines = [line for line in capsys.readouterr().out.splitlines() if "baseline" in line]
    assert len(lines) == (told is not None)
    assert told is None or told in lines[0]


@pytest.mark.parametrize(
    ("state", "failed", "is_told"),
    [
        ("RUNNING", False, True),
        ("EXITED", True, True),
        ("EXITED", False, False),  # it was killed, and nobody goes on
        (None, True, True),
    ],
)
def test_status_says_how_far_it_is_and_it_is_no_process_of_the_stack(
    settings: Settings, running: list[State], state: str | None, failed: bool, is_told: bool
) -> None:
    if state:
        running.append(State("accept", state, 7, ""))
    say(settings, "The first baseline is being taken: 1 of about 9 questions.", failed)
    result = CliRunner().invoke(cli.app, ["status"])
    assert result.exit_code == 0
    assert ("1 of about 9 questions" in result.output) == is_told
    assert not result.output.startswith("accept")
    assert json.loads(CliRunner().invoke(cli.app, ["status", "--json"]).output) == []


def test_it_runs_at_the_lowest_priority_may_end_and_ends_its_commands_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    Supervisor(settings).launch([WATCHER, ACCEPT])
    watcher, accept = (settings.state_dir / "supervisord.conf").read_text().split("[program:")[1:]
    assert "command=nice -n 19 " in accept
    assert {"exitcodes=0,1,2,79", "startsecs=0", "stopasgroup=false"} <= {*accept.splitlines()}
    assert {"exitcodes=79", "startsecs=5", "stopasgroup=true"} <= {*watcher.splitlines()}
    # It is stopped before what it needs to undo what it did.
    assert ("priority=1000" in accept, "priority=999" in watcher) == (True, True)


def test_the_first_pin_is_taken_back_with_the_process_that_ran_it(
    settings: Settings, running: list[State], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(Supervisor, "restart", lambda _, process: calls.append("restart"))
    monkeypatch.setattr(Supervisor, "stop_one", lambda _, name: calls.append(f"stop {name}"))
    for words in (["pin-application"], ["pin-application", "--undo"]):
        result = CliRunner().invoke(cli.app, words)
        assert result.exit_code == 0, result.output
    assert calls == ["restart", "stop app-ref"]
    assert not sources(settings).exists()


def test_a_pin_whose_application_does_not_start_is_taken_back(
    settings: Settings, running: list[State], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise StartError("app-ref did not start.")

    monkeypatch.setattr(Supervisor, "restart", dies)
    result = CliRunner().invoke(cli.app, ["pin-application"])
    assert (result.exit_code, sources(settings).exists()) == (1, False)
    assert "app-ref did not start" in result.output
