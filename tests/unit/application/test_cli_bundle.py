import json
from pathlib import Path

import pytest
from tests.fakes.application import BUNDLE
from tests.unit.application.conftest import edit
from typer.testing import CliRunner, Result

from application import cli

runner = CliRunner()


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("APPLICATION_BUNDLE", str(live))


def run(*command: str) -> Result:
    return runner.invoke(cli.app, ["bundle", *command])


def test_a_bundle_is_released_edited_compared_and_rolled_back(live: Path) -> None:
    assert "first" in run("release").output
    assert "released already" in run("release").output
    assert run("diff").output == "nothing differs\n"
    edit(live, "top_k = 6", "top_k = 1")
    edit(live.parent / "prompts" / "answer.v2.md", "in a few words", "at length")
    for shown in (
        "retrieval.top_k: 6 -> 1\nprompt answer v2 was edited in place\n",
        "-top_k = 6\n+top_k = 1\n",
        "--- a/prompts/answer.v2.md",
    ):
        assert shown in run("diff").output
    assert "not released" in run("list").output
    assert BUNDLE.digest in run("rollback", "--reason", "worse").output
    assert run("diff").output == "nothing differs\n"
    assert f"live: {BUNDLE.digest}, released" in run("list").output


def test_a_refusal_is_one_sentence_on_the_error_stream(live: Path) -> None:
    run("release")
    edit(live, "top_k = 6", "top_k = 1")
    refused = run("release")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "evals gate" in refused.stderr
    assert "--reason" in run("release", "--force").stderr
    assert run("release", "--force", "--reason", "urgent").exit_code == 0


def test_machines_read_the_list_and_the_difference_as_json(live: Path) -> None:
    run("release")
    edit(live, "top_k = 6", "top_k = 1")
    listed = json.loads(run("list", "--json").stdout)
    assert (listed["released"], listed["problem"]) == (BUNDLE.digest, None)
    assert listed["live"] not in (None, BUNDLE.digest)
    assert [row["action"] for row in listed["releases"]] == ["first"]
    said = json.loads(run("diff", "--json").stdout)
    assert said["changes"] == ["retrieval.top_k: 6 -> 1"]
    assert "+top_k = 1" in said["diff"]


def test_another_prompt_version_and_mere_comments_are_said_in_words(live: Path) -> None:
    run("release")
    edit(live, "# How questions", "# Why questions")
    assert run("diff").output.startswith("only comments or layout differ\n")
    prompts = live.parent / "prompts"
    (prompts / "answer.v3.md").write_bytes((prompts / "answer.v2.md").read_bytes())
    edit(live, 'answer = "v2"', 'answer = "v3"')
    assert run("diff").output.startswith("prompt answer: v2 -> v3\n")


@pytest.mark.parametrize("command", ["list", "diff", "release", "rollback"])
def test_a_broken_bundle_is_shown_compared_refused_and_healed(live: Path, command: str) -> None:
    run("release")
    edit(live, "top_k = 6", "top_k = 0")
    result = run(command)
    assert (result.exit_code, "Traceback" in result.output) == (int(command == "release"), False)
    assert ("top_k" in result.output) == (command != "rollback")


def test_before_the_first_release_there_is_nothing_to_compare_or_go_back_to() -> None:
    assert "application bundle release" in run("diff").stderr
    assert run("rollback").exit_code == 1
    assert json.loads(run("list", "--json").stdout)["released"] is None


@pytest.mark.parametrize("command", ["list", "diff", "release", "rollback"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    assert "Example: " in run(command, "--help").output
