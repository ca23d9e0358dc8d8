"""The ledger keeps what it was given, through a kill, and while another process reads."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from evals.errors import EvalsError
from evals.watch import ledger as module
from evals.watch.detector import State
from evals.watch.ledger import Ledger
from evals.watch.model import Card, Change, Cycle, Layer, LayerFacts, Verdict
from evals.web.reader import LedgerReader

AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
CHANGE = Change(layer="data", what="embedder", before="a", after="b")
WRITER = """
import sys
from pathlib import Path
from tests.unit.evals.watch.test_ledger import Ledger, cycle, verdict, state
with Ledger(Path(sys.argv[1])) as ledger:
    for number in range(100_000):
        ledger.append(cycle(number), verdict(number), None, state(number))
        print(number, flush=True)
"""


def cycle(number: int) -> Cycle:
    return Cycle(
        id=f"{number:06}",
        at=AT + timedelta(hours=number),
        seconds=1,
        replies=[],
        replayed={},
        changes=[],
        indicators=[],
        lag_seconds={},
        generations=0,
    )


def verdict(number: int) -> Verdict:
    return Verdict(cycle=f"{number:06}", at=AT + timedelta(hours=number), status="OK")


def state(number: int) -> State:
    return State(bets={"all": ((float(number),),)})


def card(number: int) -> Card:
    return Card(
        verdict=verdict(number),
        title="t",
        switches=[],
        changes=[],
        indicators=[],
        examples=[],
        reverts=[],
        owners={},
        ladder="",
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "state" / "ledger.sqlite") as opened:
        yield opened


def add(ledger: Ledger, *numbers: int) -> None:
    for number in numbers:
        ledger.append(cycle(number), verdict(number), card(number), state(number))


def test_an_empty_ledger_has_nothing_to_say(ledger: Ledger) -> None:
    assert (ledger.last(), ledger.accepts(), ledger.cycle()) == ([], [], None)
    assert ledger.state() == State()


def test_what_is_appended_comes_back_newest_first(ledger: Ledger) -> None:
    add(ledger, 1, 2, 3)
    assert [entry.verdict for entry in ledger.last(2)] == [verdict(3), verdict(2)]
    assert ledger.last()[0].card == card(3)
    assert (ledger.cycle(), ledger.cycle("000001")) == (cycle(3), cycle(1))
    assert ledger.state() == state(3)


def test_a_verdict_may_come_without_a_card(ledger: Ledger) -> None:
    ledger.append(cycle(1), verdict(1), None, State())
    assert ledger.last()[0].card is None


def test_a_card_may_be_amended_and_read_alone(ledger: Ledger) -> None:
    add(ledger, 1, 2)
    ledger.amend(card(1).model_copy(update={"title": "with reports"}))
    first, newest = ledger.card("000001"), ledger.card()
    assert first is not None
    assert (first.title, newest, ledger.card("000009")) == ("with reports", card(2), None)
    assert ledger.count() == 2


def test_a_page_reads_all_of_it_by_the_ledgers_path(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    facts: dict[Layer, LayerFacts] = {"data": LayerFacts(versions={"documents": "2"})}
    with Ledger(path) as ledger:
        add(ledger, 1, 2)
        ledger.describe(facts)
    reader = LedgerReader(path)
    assert (reader.last_cycle(), reader.cycles(), reader.facts()) == (cycle(2), 2, facts)
    assert (reader.card(), reader.card("000001"), reader.card("000009")) == (card(2), card(1), None)
    assert reader.verdicts(1) == [verdict(2)]
    assert reader.verdicts(9) == [verdict(2), verdict(1)]


def test_verdicts_since_a_time_are_told_oldest_first_in_any_time_zone(ledger: Ledger) -> None:
    add(ledger, 1, 2, 3)
    there = (AT + timedelta(hours=2)).astimezone(timezone(timedelta(hours=5)))
    assert ledger.since(there) == [verdict(2), verdict(3)]


def test_one_cycle_is_never_counted_twice(ledger: Ledger) -> None:
    add(ledger, 1)
    with pytest.raises(EvalsError, match="second watcher"):
        ledger.append(cycle(1), verdict(1), None, state(9))
    assert ledger.state() == state(1)


def test_a_cycle_whose_state_cannot_be_kept_is_not_kept_either(ledger: Ledger) -> None:
    ledger._db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON state BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(EvalsError):
        add(ledger, 1)
    assert (ledger.cycle(), ledger.count()) == (None, 0)


def test_old_cycles_go_and_their_verdicts_stay(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_CYCLES", 2)
    add(ledger, 1, 2, 3)
    assert (ledger.cycle("000001"), ledger.cycle("000002")) == (None, cycle(2))
    assert len(ledger.last(9)) == 3


def test_an_accept_is_kept_and_the_detectors_start_anew(ledger: Ledger) -> None:
    add(ledger, 1)
    ledger.seen([CHANGE], AT)
    ledger.put("other", "{}")
    ledger.accept(AT, '{"by": "first"}')
    ledger.accept(AT, '{"by": "second"}')
    assert [accept.record for accept in ledger.accepts()] == ['{"by": "second"}', '{"by": "first"}']
    assert ledger.accepts()[0].at == AT
    assert (ledger.state(), ledger.get("other")) == (State(), "{}")
    assert ledger.seen([CHANGE], AT + timedelta(hours=1))[0].since == AT + timedelta(hours=1)


def test_a_change_keeps_the_time_at_which_it_was_first_seen(ledger: Ledger) -> None:
    later = AT + timedelta(hours=5)
    other = CHANGE.model_copy(update={"after": "c"})
    assert [change.since for change in ledger.seen([CHANGE], AT)] == [AT]
    assert [change.since for change in ledger.seen([CHANGE, other], later)] == [AT, later]


def test_a_change_that_was_put_back_and_made_again_is_new(ledger: Ledger) -> None:
    later = AT + timedelta(hours=5)
    ledger.seen([CHANGE], AT)
    assert ledger.seen([], AT) == []
    assert ledger.seen([CHANGE], later)[0].since == later


def test_a_page_that_is_reading_never_stops_the_watcher_from_writing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as writer, Ledger(path) as reader:
        add(writer, 1)
        writer._db.execute("PRAGMA busy_timeout=0")
        reader._db.execute("BEGIN")
        assert len(reader.last(9)) == 1
        add(writer, 2)
        assert len(reader.last(9)) == 1
        reader._db.rollback()
        assert len(reader.last(9)) == 2


def test_after_a_kill_cycles_verdicts_and_state_agree(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    for _ in range(3):
        path.unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            told = [int(writer.stdout.readline()) for _ in range(20)][-1]
            writer.send_signal(signal.SIGKILL)
        with Ledger(path) as ledger:
            newest = ledger.last()[0].verdict.cycle
            found = ledger.cycle()
            assert found is not None
            assert found.id == newest >= f"{told:06}"
            assert ledger.state() == state(int(newest))
        with sqlite3.connect(path) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()


def test_a_ledger_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("no database, and longer than a header " * 9)
    with pytest.raises(EvalsError, match="move the file away"):
        Ledger(tmp_path / "ledger.sqlite")
