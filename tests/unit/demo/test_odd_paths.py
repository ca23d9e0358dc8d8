"""A checkout and a state folder may have any name: spaces, percent signs, semicolons, quotes."""

import shlex
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from demo import install, supervise
from demo.processes import Process, processes
from demo.settings import Settings
from demo.supervise import Supervisor

NAMES = ["my folder 100%", "a ; b # c", 'it\'s "here"', "%(here)s %(ENV_HOME)s", "caf\u00e9"]
LLM = Process("llm", "llm", ("serving", "llm"), {}, "http://127.0.0.1:1/health")
WATCHER = Process("watcher", "evals", ("evals", "watch"), {}, late=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_supervisor_runs_every_process_whatever_the_folder_is_called(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(state_dir=tmp_path / name)
    told: list[list[str]] = []
    monkeypatch.setattr(
        supervise.subprocess, "run", lambda command, **_: told.append([*map(str, command)])
    )
    monkeypatch.setattr(Supervisor, "is_running", lambda _: True)
    Supervisor(settings).launch([LLM, WATCHER])

    for variable, value in supervise.paths(settings).items():  # as `launch` sets them
        monkeypatch.setenv(variable, value)
    options = ServerOptions()
    options.realize(["-c", told[0][-1]])
    python = ".venvs/demo/bin/python"  # from the repository, where supervisord runs
    assert [shlex.split(program.command) for program in _programs(options)] == [
        [python, "-m", "demo.cli", "exec", "llm"],
        ["nice", "-n", "10", python, "-m", "demo.cli", "exec", "watcher"],
    ]
    logs = [program.stdout_logfile for program in _programs(options)]
    assert logs == [str(settings.state_dir / "logs" / f"{each}.log") for each in ("llm", "watcher")]
    assert options.logfile == str(settings.state_dir / "logs" / "supervisord.log")


def _programs(options: ServerOptions) -> list[object]:
    groups = sorted(options.process_group_configs, key=lambda group: group.name)
    return [program for group in groups for program in group.process_configs]


def test_commands_that_evals_splits_as_a_shell_would_are_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LLM_URL", "QDRANT_URL", "DEMO"):
        monkeypatch.delenv(name, raising=False)
    odd = tmp_path / NAMES[0]
    monkeypatch.setattr("demo.processes.ROOT", odd)
    monkeypatch.setattr("demo.layout.ENVIRONMENTS", odd / ".venvs")
    watcher = {p.name: p for p in processes(Settings(state_dir=tmp_path))}["watcher"].variables
    for variable in ("EVALS_INGESTION_COMMAND", "EVALS_SERVING_COMMAND"):
        [command] = shlex.split(watcher[variable])
        assert Path(command).parents[3] == odd
    demo = odd / ".venvs" / "demo" / "bin" / "demo"
    assert shlex.split(watcher["EVALS_PIN_APPLICATION_COMMAND"]) == [str(demo), "pin-application"]


def test_the_seed_is_named_as_one_place_though_lists_are_split_at_spaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "SEED", tmp_path / NAMES[0])
    monkeypatch.setattr(install, "offline", lambda: True)
    [place] = install.variables()["UV_FIND_LINKS"].split()
    assert place.endswith("/my%20folder%20100%25/wheels")
