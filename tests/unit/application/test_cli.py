import json
from datetime import date
from pathlib import Path

import pytest
from tests.fakes.application import TINY, FakeChatModel, answerer, ask, passage
from typer.testing import CliRunner

from application import cli, client
from application.access import KeyRing
from application.answer import QUOTED
from application.errors import ApplicationError, NotAuthenticated
from contracts.answer import Answer
from contracts.filters import Filters

QUESTION = "How long is parental leave?"
runner = CliRunner()


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """`client.ask` answers from the fakes."""

    async def reply(url: str, key: str, question: str, show: object, _: object) -> Answer:
        use_case = answerer(FakeChatModel("52 weeks."), passage())
        *_, answer = [event async for event in use_case.stream(ask(question, bundle=TINY))]
        assert isinstance(answer, Answer)
        return answer

    monkeypatch.setattr(client, "ask", reply)


@pytest.mark.usefixtures("answered")
def test_ask_prints_the_answer_its_sources_its_status_and_what_gave_it() -> None:
    result = runner.invoke(cli.app, ["ask", QUESTION])
    assert result.exit_code == 0
    for shown in ("26 weeks", "[1] leave.md", QUOTED, "fake-model", "run-1", "0.1.0+test"):
        assert shown in result.output


@pytest.mark.usefixtures("answered")
def test_ask_prints_the_whole_answer_as_json_for_machines() -> None:
    result = runner.invoke(cli.app, ["ask", QUESTION, "--json"])
    assert Answer.model_validate_json(result.output).status == "answered"


def test_ask_sends_its_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    async def note(url: str, key: str, question: str, show: object, filters: Filters) -> Answer:
        sent.append(filters)
        raise ApplicationError("noted")

    monkeypatch.setattr(client, "ask", note)
    words = "--source handbook --source wiki --namespace staff --tag Policy --path legal/"
    days = "--updated-after 2026-01-01 --updated-before 2026-02-01"
    runner.invoke(cli.app, ["ask", QUESTION, *words.split(), *days.split()])
    runner.invoke(cli.app, ["ask", QUESTION])
    assert sent == [
        Filters(
            sources=["handbook", "wiki"],
            namespaces=["staff"],
            tags=["policy"],
            path="legal/",
            updated_after=date(2026, 1, 1),
            updated_before=date(2026, 2, 1),
        ),
        Filters(),
    ]


def test_ask_says_how_a_day_is_written() -> None:
    result = runner.invoke(cli.app, ["ask", QUESTION, "--updated-after", "soon"])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "updated_after: write the day as YYYY-MM-DD" in result.output


def test_ask_fails_with_one_sentence_where_nothing_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> Answer:
        raise ApplicationError("Nothing answers at http://x; start it with `application serve`.")

    monkeypatch.setattr(client, "ask", fail)
    result = runner.invoke(cli.app, ["ask", QUESTION])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "application serve" in result.output


def test_a_created_key_is_printed_once_and_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLICATION_STATE_DIR", str(tmp_path))
    command = ["keys", "create", "--tenant", "acme", "--namespace", "legal"]
    key = runner.invoke(cli.app, command).output.strip()
    path = tmp_path / "secrets" / "api-keys.jsonl"
    assert json.loads(path.read_text())["tenant"] == "acme"
    assert KeyRing(path).scope_of(key).namespaces == {"legal"}


def test_a_key_is_listed_by_its_id_and_revoked_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLICATION_STATE_DIR", str(tmp_path))
    create = ["keys", "create", "--tenant", "acme", "--expires", "90d", "--quota", "60/minute"]
    key = runner.invoke(cli.app, create).output.strip()
    listed = runner.invoke(cli.app, ["keys", "list"]).output
    assert "acme" in listed
    assert "60/minute" in listed
    assert key not in listed
    key_id = listed.split()[0]
    assert runner.invoke(cli.app, ["keys", "revoke", key_id[:6]]).exit_code == 0
    assert "revoked" in runner.invoke(cli.app, ["keys", "list"]).output
    with pytest.raises(NotAuthenticated):
        KeyRing(tmp_path / "secrets" / "api-keys.jsonl").scope_of(key)
    missing = runner.invoke(cli.app, ["keys", "revoke", "000000"])
    assert (missing.exit_code, "keys list" in missing.output) == (1, True)


@pytest.mark.parametrize(
    "option",
    [
        ["--expires", "tomorrow"],
        ["--expires", "2001-01-01"],
        ["--expires", "0d"],
        ["--quota", "many"],
    ],
)
def test_a_key_with_an_unreadable_limit_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    monkeypatch.setenv("APPLICATION_STATE_DIR", str(tmp_path))
    result = runner.invoke(cli.app, ["keys", "create", "--tenant", "acme", *option])
    assert result.exit_code == 2
    assert not (tmp_path / "secrets").exists()


def test_serve_says_what_is_wrong_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION_HOST", "0.0.0.0")
    monkeypatch.setenv("APPLICATION_REQUIRE_KEYS", "false")
    result = runner.invoke(cli.app, ["serve"])
    assert result.exit_code == 2
    assert "loopback" in result.output


@pytest.mark.parametrize(
    "command",
    [["serve"], ["ask"], ["keys", "create"], ["keys", "list"], ["keys", "revoke"], ["calibrate"]],
)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    assert "Example: " in runner.invoke(cli.app, [*command, "--help"]).output
