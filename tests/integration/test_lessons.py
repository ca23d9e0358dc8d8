"""Every command of the lessons, typed on the real stack in the order in which they stand there.

A command succeeds unless its comment names an exit code; a reveal names the layer of the lesson,
and every `make watch` after a revert says that all is well.
"""

import re
import subprocess
import time

import pytest
from tests.conftest import ROOT, Stack

pytestmark = pytest.mark.integration
LESSONS = ROOT / "docs" / "lessons"
LAYERS = ("data", "serving", "application")


def commands(lesson: str) -> list[tuple[str, int]]:
    """Commands with the exit code that is expected; the set-up is the stack of these tests."""
    text = (LESSONS / lesson).read_text()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    found = []
    for line in "".join(block for name, block in blocks if name != "setup").splitlines():
        command, _, comment = line.partition("  #")
        code = re.search(r"exit code (\d)", comment)
        found.append((command, int(code[1]) if code else 0))
    return found


def type_(line: str, stack: Stack) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], env=stack.env, cwd=ROOT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def accepted(stack):
    assert stack.run("evals", "evals", "accept", "--reason", "the lessons").returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("layer", LAYERS)
def test_every_command_of_a_lesson_does_what_the_lesson_says(layer, stack, accepted):
    typed = commands(f"{layer}.md")
    assert len(typed) > 10
    before = subprocess.run(["git", "diff"], capture_output=True, cwd=ROOT).stdout
    try:
        for command, code in typed:
            line = command.replace("/tmp/sample", stack.env["SAMPLE"])
            done = type_(line, stack)
            for _ in range(3 if line.startswith("make watch") else 0):
                if re.search(r"\bOK\b", done.stdout):
                    break
                done = type_(line, stack)  # one reply that differs keeps a verdict for a cycle
            until = time.monotonic() + 30
            while "tried again in seconds" in done.stderr and time.monotonic() < until:
                time.sleep(1)  # polling: the application looks whether the embedder is back
                done = type_(line, stack)
            assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
            if line.startswith("make reveal"):
                assert re.search(rf"The stack said {layer} after \d+ cycles: right", done.stdout)
            if line.startswith("make watch"):
                assert re.search(r"\bOK\b", done.stdout), done.stdout
    finally:
        stack.run("evals", "evals", "drill-end")
    assert subprocess.run(["git", "diff"], capture_output=True, cwd=ROOT).stdout == before


def test_each_lesson_takes_forty_minutes_and_has_an_answer_sheet():
    for layer in LAYERS:
        text = (LESSONS / f"{layer}.md").read_text()
        minutes = [int(found) for found in re.findall(r"^## .*\((\d+) minutes\)", text, re.M)]
        assert sum(minutes) == 40
        assert "\n## Answers\n" in text
