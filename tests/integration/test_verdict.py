"""The verdict on the real stack: accepted, well, broken by REST, named, and healed by the card."""

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import DEMO, ROOT, Stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def accepted(stack: Stack) -> dict[str, Any]:
    done = stack.run("evals", "evals", "accept", "--json")
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


@pytest.fixture
def renamed(stack: Stack, accepted: dict[str, Any], tmp_path: Path) -> Iterator[None]:
    """The chunks belong to another tenant; nothing but the index was touched."""
    action = ("python", "evals/drills/actions.py")
    assert stack.run("evals", *action, "rename-tenant", str(tmp_path)).returncode == 0
    yield
    stack.run("ingestion", "ingestion", "resume")  # first, or the copy would be put right instead
    assert stack.run("evals", *action, "put-back", str(tmp_path)).returncode == 0


def card(stack: Stack, status: str, cycles: int = 4) -> dict[str, Any]:
    """The first card with this status, within so many cycles; else the last."""
    for _ in range(cycles):
        done = stack.run("evals", "evals", "watch", "--once", "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        if found["verdict"]["status"] == status:
            break
    assert found["verdict"]["status"] == status, found["title"]
    return found


def test_what_was_accepted_has_enough_probes_of_both_kinds(accepted):
    probes = accepted["probes"]["probes"]
    assert len(probes) >= 60
    assert sum(probe["origin"] == "golden" for probe in probes) >= 20


def test_a_stack_that_is_as_it_was_accepted_is_well(stack, accepted):
    assert card(stack, "OK", cycles=1)["changes"] == []


def test_an_index_changed_by_rest_is_named_and_healed_by_the_command_on_the_card(
    stack, accepted, renamed
):
    found = card(stack, "FAULT")
    assert found["verdict"]["layers"] == ["data"]
    assert "written by no sync" in found["changes"][0]["detail"]
    (revert,) = found["reverts"]
    typed = shlex.split(revert["command"])
    assert typed[-3:-1] == ["ingestion", "restore"]
    done = subprocess.run(typed, env=stack.env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    card(stack, "OK")


def test_a_drill_is_guessed_named_and_taken_out_byte_for_byte(stack, accepted):
    bundle = ROOT / "application" / "src" / "application" / "bundle.toml"
    before = bundle.read_bytes()

    def said(*command: str) -> str:
        done = stack.run("evals", "evals", *command)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    said("drill", "app-top-k-1")
    try:
        assert bundle.read_bytes() != before
        told = said("reveal", "--guess", "serving")
        assert "It was application: Only one passage is fetched." in told
        assert "You said serving" in told
        assert "The stack said application after" in told
    finally:
        said("drill-end")
    assert bundle.read_bytes() == before
    assert "people were right in 0, the stack in 1" in said("board")
    card(stack, "OK")


def test_a_watcher_whose_schedule_stopped_is_named_and_is_no_ok(stack, accepted):
    card(stack, "OK")
    supervised(stack, "stop")
    try:
        spoken = verdict_once(stack, 3, EVALS_EVERY_SECONDS="1")
        assert "The watcher's schedule stopped: its last cycle began at" in spoken["title"]
        assert spoken["verdict"]["layers"] == []
    finally:
        supervised(stack, "start")
    verdict_once(stack, 0)  # a watcher begins with a cycle


def supervised(stack: Stack, what: str) -> None:
    """Stop or start the watcher's process, as its supervisor's own command does."""
    config = (stack.state_dir / "supervisord.conf").read_text()
    socket = next(line for line in config.splitlines() if line.startswith("file="))
    command = [DEMO.with_name("supervisorctl"), "-s", f"unix://{socket[5:]}", what, "watcher"]
    assert subprocess.run(command, capture_output=True, env=stack.env).returncode == 0


def verdict_once(stack: Stack, code: int, **changes: str) -> dict[str, Any]:
    """What `evals verdict` says once it ends with this code."""
    until = time.monotonic() + 120
    while True:
        done = stack.run("evals", "evals", "verdict", "--json", **changes)
        if done.returncode == code:
            said: dict[str, Any] = json.loads(done.stdout)
            return said
        assert time.monotonic() < until, done.stdout + done.stderr
        time.sleep(0.2)  # polling, not waiting: the code decides
