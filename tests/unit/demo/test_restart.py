"""Restarting with other variables: what is kept, what is shown, and who is told of a death."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demo import cli, crashes, supervise
from demo.processes import Process
from demo.settings import Settings, override, overrides
from demo.supervise import StartError, State, Supervisor

LLM = Process("llm", "llm", ("serving", "llm"), {}, "http://127.0.0.1:1/health")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    return Settings(state_dir=tmp_path)


class Scripted(Supervisor):
    """A supervisor that tells one state after another; the last one holds."""

    def __init__(self, settings: Settings, *states: tuple[str, int]) -> None:
        super().__init__(settings)
        self.script = [State("llm", name, pid, "exit status 1") for name, pid in states]

    def states(self) -> list[State]:
        return [self.script.pop(0) if len(self.script) > 1 else self.script[0]]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise.time, "sleep", lambda _: None)


def test_a_healthy_process_ends_the_wait(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "is_healthy", lambda _: True)
    told: list[str] = []
    Scripted(settings, ("STARTING", 7)).wait([LLM], told.append)
    assert told == ["llm"]


def test_a_process_without_a_health_url_must_have_stayed_up(
    settings: Settings,
) -> None:
    runner = Process("llm", "ingestion", ("ingestion", "serve"), {})
    with pytest.raises(StartError):
        Scripted(settings, ("STARTING", 7), ("BACKOFF", 0)).wait([runner], starts=1)


@pytest.mark.parametrize(
    "states",
    [
        [("STARTING", 7), ("BACKOFF", 0)],
        [("RUNNING", 7), ("EXITED", 0)],
        [("RUNNING", 7), ("STARTING", 8)],  # it died and was started again between two looks
        [("FATAL", 0)],
    ],
)
def test_a_relaunch_that_dies_once_is_told_with_its_last_words(
    settings: Settings, states: list[tuple[str, int]]
) -> None:
    supervisor = Scripted(settings, *states)
    supervisor.logs.mkdir()
    (supervisor.logs / "llm.log").write_text("error: unrecognized arguments: --nope")
    with pytest.raises(StartError, match="unrecognized arguments: --nope"):
        supervisor.wait([LLM], starts=1)


def test_the_first_start_has_the_supervisors_retries(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = Scripted(settings, ("BACKOFF", 0), ("STARTING", 8), ("BACKOFF", 0), ("RUNNING", 9))
    monkeypatch.setattr(supervise, "is_healthy", lambda _: supervisor.script[0].pid == 9)
    supervisor.wait([LLM])


def test_changes_add_up_and_go_one_by_one(settings: Settings) -> None:
    override(settings, "llm", {"A": "1"}, [])
    override(settings, "llm", {"B": "2=3"}, [])
    assert overrides(settings) == {"llm": {"A": "1", "B": "2=3"}}
    override(settings, "llm", {}, ["A", "never set"])
    override(settings, "llm", {}, ["B"])
    assert overrides(settings) == {}


def test_changes_may_hold_a_secret_so_only_their_owner_reads_them(settings: Settings) -> None:
    override(settings, "llm", {"SERVING_LLM_API_KEY": "k"}, [])
    assert (settings.state_dir / "overrides.json").stat().st_mode & 0o077 == 0


def test_a_process_is_relaunched_with_its_changes_and_the_command_shows_them(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, str] = {}
    monkeypatch.setattr(cli.os, "execve", lambda path, arguments, env: seen.update(env))
    override(settings, "llm", {"SERVING_LLM_FLAGS": "--max-model-len 256"}, [])
    assert CliRunner().invoke(cli.app, ["exec", "llm"]).exit_code == 0
    assert seen["SERVING_LLM_FLAGS"] == "--max-model-len 256"
    shown = CliRunner().invoke(cli.app, ["overrides", "--json"]).output
    assert json.loads(shown) == {"llm": {"SERVING_LLM_FLAGS": "--max-model-len 256"}}


def test_a_restart_without_a_stack_says_what_starts_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "is_running", lambda _: False)
    result = CliRunner().invoke(cli.app, ["restart", "llm"])
    assert result.exit_code == 1
    assert "`make demo` starts it" in result.output


def test_a_restart_that_nobody_waits_for_returns_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    monkeypatch.setattr(Supervisor, "stop_one", lambda _, name: calls.append(f"stop {name}"))
    monkeypatch.setattr(Supervisor, "start", lambda _, name: calls.append(f"start {name}"))
    result = CliRunner().invoke(cli.app, ["restart", "llm", "--no-wait"])
    assert result.exit_code == 0
    assert calls == ["stop llm", "start llm"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody"], "No process is called 'nobody': the stack has vectorstore, llm"),
        (["llm", "--set", "FLAGS"], "--set takes NAME=VALUE"),
        (["app-ref"], "`demo pin-application` makes one"),
        (["llm", "--accepted"], "Nothing is accepted yet: run `make accept`"),
        (["llm", "--accepted", "--unset", "FLAGS"], "--accepted goes alone"),
    ],
)
def test_a_wrong_restart_is_one_sentence_and_changes_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    result = CliRunner().invoke(cli.app, ["restart", *arguments])
    assert result.exit_code == 1
    assert sentence in " ".join(result.output.split())
    assert overrides(settings) == {}


def test_a_restart_as_accepted_drops_what_was_changed_since(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    monkeypatch.setattr(Supervisor, "restart", lambda *_, **__: None)
    (settings.state_dir / "accepted" / "src").mkdir(parents=True)
    kept = {"llm": {"SERVING_LLM_FLAGS": "--seed 1"}}
    (settings.state_dir / "accepted" / "src" / "overrides.json").write_text(json.dumps(kept))
    override(settings, "llm", {"SERVING_LLM_MODEL": "other"}, [])
    result = CliRunner().invoke(cli.app, ["restart", "llm", "--accepted"])
    assert result.exit_code == 0, result.output
    assert overrides(settings) == kept


def test_a_restart_that_fails_says_how_to_take_the_change_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise StartError("llm did not start.")

    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    monkeypatch.setattr(Supervisor, "restart", dies)
    result = CliRunner().invoke(cli.app, ["restart", "llm", "--set", "SERVING_LLM_FLAGS=--nope"])
    assert result.exit_code == 1
    assert "demo restart llm --unset SERVING_LLM_FLAGS" in " ".join(result.output.split())


def test_what_users_do_not_wait_for_yields_to_what_they_do(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    watcher = Process("watcher", "evals", ("evals", "watch"), {}, late=True)
    Supervisor(settings).launch([LLM, watcher])
    commands = [
        line.removeprefix("command=").split()
        for line in (settings.state_dir / "supervisord.conf").read_text().splitlines()
        if line.startswith("command=")
    ]
    assert [(command[0] == "nice", command[-1]) for command in commands] == [
        (False, "llm"),
        (True, "watcher"),
    ]


def test_a_process_that_dies_again_and_again_is_given_up_until_somebody_starts_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[str] = []
    clock = [0.0]
    monkeypatch.setenv("SUPERVISOR_ENABLED", "1")
    monkeypatch.setattr(crashes.time, "time", lambda: clock[0])
    monkeypatch.setattr(cli.os, "execve", lambda path, *_: started.append(path))

    def supervised() -> int:
        clock[0] += 60  # it ran for a minute, and died
        return CliRunner().invoke(cli.app, ["exec", "llm"]).exit_code

    assert [supervised() for _ in range(crashes.STARTS + 1)][-1] == crashes.GIVEN_UP
    assert len(started) == crashes.STARTS
    crashes.forget(settings, "llm")  # as `Supervisor.start` does
    assert supervised() == 0
    clock[0] += crashes.WITHIN_SECONDS
    assert supervised() == 0


def test_a_process_that_dies_now_and_then_is_started_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(crashes.time, "time", lambda: clock[0])
    for _ in range(3 * crashes.STARTS):
        clock[0] += crashes.WITHIN_SECONDS / 3
        assert crashes.may_start(settings, "llm")


def test_a_persons_own_start_is_not_counted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUPERVISOR_ENABLED", raising=False)
    monkeypatch.setattr(cli.os, "execve", lambda *_: None)
    for _ in range(2 * crashes.STARTS):
        assert CliRunner().invoke(cli.app, ["exec", "llm"]).exit_code == 0


def test_supervisor_starts_everything_again_but_what_was_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    Supervisor(settings).launch([LLM])
    lines = (settings.state_dir / "supervisord.conf").read_text().splitlines()
    assert {"autorestart=unexpected", f"exitcodes={crashes.GIVEN_UP}"} <= {*lines}


def test_status_names_what_was_given_up_and_how_to_try_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    monkeypatch.setattr(Supervisor, "states", lambda _: [State("llm", "EXITED", 0, "exit 79")])
    result = CliRunner().invoke(cli.app, ["status"])
    assert result.exit_code == 1
    assert "given up" in result.output
    assert "`demo restart llm` tries again" in " ".join(result.output.split())
