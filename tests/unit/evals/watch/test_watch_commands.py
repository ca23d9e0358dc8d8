"""The watcher's commands: what `verdict` and `gate` exit with, and when `watch --once` reports."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.fakes.layers_app import LENGTH, card_of, cycle, verdict
from typer.testing import CliRunner

from evals.watch import cli
from evals.watch.detector import State
from evals.watch.gate import Gate
from evals.watch.ledger import Ledger
from evals.watch.model import Card

HOUR = 3600


@pytest.fixture
def ledger(monkeypatch, tmp_path):
    """Writes the one card that the commands will find."""
    monkeypatch.setenv("EVALS_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("EVALS_EVERY_SECONDS", str(HOUR))

    def write(status, age=timedelta(minutes=5)):
        at = datetime.now(UTC) - age
        told = verdict(status, *(["data"] if status == "FAULT" else []), at=at)
        seen = cycle((), at)
        with Ledger(tmp_path / "ledger.sqlite") as opened:
            opened.append(seen, told, card_of(seen, told), State())

    return write


@pytest.fixture
def watcher(monkeypatch, ledger):
    """A watcher that says what it is told to, and what was asked of it."""
    monkeypatch.setattr(cli, "serving_pages", lambda settings: nullcontext())

    class Scripted:
        status, passed, reports = "OK", True, 0

        def __init__(self, settings, each):
            self.watch = None

        def once(self):
            return card_of(cycle(()), verdict(self.status))

        def report(self):
            Scripted.reports += 1
            return self.once().model_copy(update={"indicators": [LENGTH]})

        def gate(self):
            at = datetime.now(UTC)
            said = {"bundle": "x", "build": "b", "at": at, "summary": "s", "rows": []}
            return Gate(passed=self.passed, **said)

    monkeypatch.setattr(cli, "Watcher", Scripted)
    return Scripted


def run(*words):
    return CliRunner().invoke(cli.app, words)


@pytest.mark.parametrize(
    ("status", "code"),
    [("OK", 0), ("SUSPECT", 0), ("WORKLOAD", 0), ("FAULT", 1), ("UNSURE", 1), ("NO DATA", 3)],
)
def test_a_verdict_ends_badly_where_answers_are_worse_and_where_nothing_is_known(
    ledger, status, code
):
    ledger(status)
    assert run("verdict").exit_code == code


def test_a_verdict_that_is_too_old_or_was_never_given_is_no_data(ledger):
    assert run("verdict").exit_code == 3
    ledger("OK", age=timedelta(hours=2, minutes=1))
    done = run("verdict", "--json")
    assert done.exit_code == 3
    assert Card.model_validate_json(done.stdout).verdict.status == "NO DATA"


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1)])
def test_a_gate_ends_badly_on_a_regression(watcher, passed, code):
    watcher.passed = passed
    assert run("gate").exit_code == code


@pytest.mark.parametrize(
    ("status", "reports"),
    [("OK", 0), ("NO DATA", 0), ("SUSPECT", 1), ("FAULT", 1), ("UNSURE", 1), ("WORKLOAD", 1)],
)
def test_one_cycle_is_reported_only_where_there_is_something_to_look_into(watcher, status, reports):
    watcher.status = status
    done = run("watch", "--once", "--json")
    assert (done.exit_code, watcher.reports) == (0, reports)
    card = Card.model_validate_json(done.stdout)
    assert (card.verdict.status, card.indicators) == (status, [LENGTH] * reports)


@pytest.mark.parametrize(
    ("words", "status"), [((), "OK"), (("--every", "600"), "NO DATA")], ids=["hourly", "10 min"]
)
async def test_the_page_of_a_watch_holds_a_card_for_two_of_its_own_intervals(
    watcher, ledger, monkeypatch, words, status
):
    ledger("OK", age=timedelta(minutes=21))
    served = []
    monkeypatch.setattr(cli, "serve", lambda settings, app, watch: served.append((settings, app)))
    assert run("watch", *words).exit_code == 0
    ((settings, app),) = served
    assert settings.every_seconds == float(words[1] if words else HOUR)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        card = Card.model_validate_json((await client.get("/api/verdict")).content)
    assert card.verdict.status == status
