"""What a person types after `make` arrives as it was typed, and .env is no part of the Makefile."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
TEXTS = (  # what a shell or make would make something else of
    "It costs $50, or $$50, or ${HOME} or $Q.",
    "$(shell touch planted) $(error stop) $(Q)",
    "`touch planted`; touch planted & touch planted | touch planted > planted",
    '"quoted" and \'quoted\' and \\" and \\',
    "--help",
    "-n",
    "two\nlines\n",
    "100% of # this := that = there ?",
    "*.md ~ {a,b} [x] !! caf\u00e9 \u4e2d\u6587",
)
TARGETS = {  # command, and the variable that takes text
    ("ask",): "Q",
    ("sync",): "SOURCE",
    ("restart",): "PROCESS",
    ("retrieval",): "DATA",
    ("bench-peers",): "DATA",
    ("drill",): "FAULT",
    ("reveal",): "GUESS",
}
TABLES = ["exec", "evals", "--", "evals", "tables"]
COMMANDS = {  # started by another variable than STACK
    ("ask", "CONTAINERS=1"): ("COMPOSED", "Q"),
    ("accepted",): ("COMPOSED", "SERVICE"),
    ("bench",): ("ENV", "ONLY"),
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Makefile alone, and `stub`, which writes its arguments to `told`."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copy(ROOT / "Makefile", folder)
    stub = folder / "stub"
    stub.write_text("#!/bin/sh\nfor word; do printf '%s\\0' \"$word\"; done >> told\n")
    stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
    return folder


def told(folder: Path, *words: str, **variables: str) -> list[str]:
    """Arguments that the stub got, in order."""
    (folder / "told").unlink(missing_ok=True)
    env = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "Q")}
    result = subprocess.run(
        ["make", "--silent", *words],
        cwd=folder,
        env=env | variables,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert {path.name for path in folder.iterdir()} == {"Makefile", "stub", "told"}
    return (folder / "told").read_bytes().decode().split("\0")[:-1]


def given_to(arguments: list[str], name: str) -> str:
    """The text: what follows the last `--`, or the value of the one option that takes text."""
    if name in ("GUESS", "ONLY"):
        [option] = [word for word in arguments if word.startswith(("--guess=", "--only="))]
        return option.partition("=")[2]
    if arguments[-5:] == TABLES:  # which `make retrieval` draws afterwards
        arguments = arguments[:-5]
    return arguments[len(arguments) - arguments[::-1].index("--")]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[0])
def test_text_from_the_command_line_arrives_unchanged(
    folder: Path, target: tuple[str, ...], text: str
) -> None:
    name = TARGETS[target]
    assert given_to(told(folder, *target, "STACK=./stub", f"{name}={text}"), name) == text


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target[0])
def test_text_from_the_environment_arrives_unchanged(
    folder: Path, target: tuple[str, ...], text: str
) -> None:
    name = TARGETS[target]
    assert given_to(told(folder, *target, "STACK=./stub", **{name: text}), name) == text


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("target", COMMANDS, ids=lambda target: " ".join(target))
def test_commands_beside_the_stack_get_it_unchanged_too(
    folder: Path, target: tuple[str, ...], text: str
) -> None:
    command, name = COMMANDS[target]
    arguments = told(folder, *target, f"{command}=./stub", "STACK=true", f"{name}={text}")
    assert given_to(arguments, name) == text


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60))
@example("$")
@example("\\\n")
def test_any_question_arrives_but_for_blanks_before_it(folder: Path, text: str) -> None:
    """make itself drops the blanks after `Q=`."""
    wanted = text.lstrip(" \t\n\v\f\r")
    if wanted:
        assert given_to(told(folder, "ask", "STACK=./stub", f"Q={text}"), "Q") == wanted


@pytest.mark.parametrize("target", ["ask", "sync", "restart", "retrieval", "accepted"])
def test_a_command_without_its_text_says_what_to_type(folder: Path, target: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    command = ["make", target, "STACK=./stub", "COMPOSED=./stub"]
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert result.returncode != 0
    assert f"make {target} " in result.stderr


def test_a_setting_on_makes_command_line_arrives_unchanged(folder: Path) -> None:
    key = "LLM_KEY=sk-abc$def#1"
    arguments = told(folder, "status", 'STACK=./stub "$LLM_KEY" #', key)
    assert "sk-abc$def#1" in arguments


def test_make_takes_no_line_of_env_for_its_own(folder: Path) -> None:
    (folder / ".env").write_text("STACK=false\n$(error read as a makefile)\nstatus: planted\n")
    try:
        env = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        command = ["make", "status", "STACK=true"]
        result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
    finally:
        (folder / ".env").unlink()


def test_no_recipe_pastes_a_callers_text_into_a_shell_command() -> None:
    """What the Makefile defines may be pasted; all else is read by the shell, within quotes."""
    text = (ROOT / "Makefile").read_text()
    ours = {*re.findall(r"^(\w+) *=", text, re.MULTILINE), "MAKE"}
    for recipe in re.findall(r"^\t.*", text, re.MULTILINE):
        assert {*re.findall(r"\$\((\w+)\)", recipe)} <= ours, recipe
        outside_quotes = re.sub(r'"[^"]*"', "", recipe)
        assert not re.search(r"\$\$\{?[A-Z]", outside_quotes), recipe
