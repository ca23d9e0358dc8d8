"""The first baseline says how far it is while it is taken, why it failed, and leaves nothing."""

import threading

import pytest
import typer
from tests.fakes.layers_app import card_of, cycle, verdict

from evals.errors import NotAccepted
from evals.progress import Parallel
from evals.watch import cli, first
from evals.watch.first import COMPARED, First, Taking, read, taking
from evals.watch.ledger import Ledger


def told(folder):
    found = read(folder)
    return found.sentence if found else None


def asked(taking, count=2):
    return taking(lambda item: item, list(range(count)), "questions")


def ends(folder, each, error, stopped=False):
    """A first baseline that ends with this error."""
    with taking(folder, each) as found:
        found.plan(10)
        if stopped:
            found.stop()
        raise error


def test_questions_are_counted_while_they_are_asked(tmp_path, in_order):
    with taking(tmp_path, in_order) as found:
        assert told(tmp_path) is None
        found.plan(10)
        assert told(tmp_path) == "The first baseline is being taken: 0 of about 10 questions."
        assert asked(found) == [0, 1]
        found.plan(3)  # fewer than was expected
        assert told(tmp_path) == "The first baseline is being taken: 2 of about 5 questions."
        asked(found, 9)
        assert "5 of about 5 questions" in told(tmp_path)
        found.is_taken()
        asked(found)
        assert told(tmp_path) == COMPARED
    assert told(tmp_path) is None


@pytest.mark.parametrize("error", [NotAccepted("The cells disagree."), KeyError("a bug of ours")])
def test_a_failure_is_told_with_what_to_do_next_until_somebody_accepts(tmp_path, in_order, error):
    with pytest.raises(type(error)):
        ends(tmp_path, in_order, error)
    assert read(tmp_path).failed
    assert told(tmp_path).startswith(f"The first baseline could not be taken. {error}")
    assert told(tmp_path).endswith("`make accept` tries again.")
    first.forget(tmp_path)
    assert read(tmp_path) is None


@pytest.mark.parametrize("error", [KeyboardInterrupt(), NotAccepted("Its own command was ended.")])
def test_one_that_was_stopped_is_no_failure(tmp_path, in_order, error):
    with pytest.raises(type(error)):
        ends(tmp_path, in_order, error, stopped=True)
    assert not (tmp_path / first.FILE).exists()


def test_one_that_was_stopped_asks_no_further_question(tmp_path):
    asked = []

    def ask(number):
        asked.append(number)
        found.stop()

    with pytest.raises(KeyboardInterrupt), taking(tmp_path, Parallel(1)) as found:
        found(ask, range(5), "questions")
    assert asked == [0]


def test_one_that_was_killed_is_not_said_to_be_taken(tmp_path, in_order):
    Taking(tmp_path, in_order).plan(10)  # without the lock, which the system gave back
    assert read(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", '{"sentence": 1}'])
def test_a_file_that_is_broken_says_nothing(tmp_path, text):
    (tmp_path / first.FILE).write_text(text)
    assert read(tmp_path) is None


def test_whoever_waits_goes_on_when_it_has_ended(tmp_path, in_order):
    first.wait(tmp_path)  # nothing is being taken
    waited = threading.Thread(target=first.wait, args=(tmp_path,), daemon=True)
    with taking(tmp_path, in_order):
        waited.start()
        waited.join(0.2)
        assert waited.is_alive()
    waited.join(60)
    assert not waited.is_alive()


def accepts(watched):
    with Ledger(watched.settings.ledger) as ledger:
        return len(ledger.accepts())


def test_the_first_accept_is_kept_and_a_second_one_is_never_made(watched):
    plans = []
    assert watched.watcher.accept_first(plans.append) == watched.accepted
    assert watched.turns == [True]
    assert watched.watcher.accept_first(plans.append) is None
    assert (accepts(watched), watched.turns) == (1, [True])


def test_a_persons_accept_ends_what_was_told_of_a_failure(watched):
    watched.settings.state_dir.mkdir(exist_ok=True)
    first.write(watched.settings.state_dir, First(sentence="It failed.", failed=True))
    watched.watcher.accept()
    assert first.read(watched.settings.state_dir) is None
    assert watched.watcher.accept_first(lambda left: None) is None


def test_whoever_asks_for_a_cycle_meanwhile_is_told_how_far_it_is(watched, in_order):
    with taking(watched.settings.state_dir, in_order) as found:
        found.plan(10)
        with pytest.raises(NotAccepted, match="0 of about 10 questions"):
            watched.watcher.once()


@pytest.fixture
def commands(monkeypatch, watched):
    """`evals accept` over a watcher whose cycles are scripted."""
    settings, done = watched.settings, watched.turns
    monkeypatch.setattr(cli, "Settings", lambda: settings)
    monkeypatch.setattr(cli, "Watcher", lambda settings, each: watched.watcher)
    monkeypatch.setattr(cli.signal, "signal", lambda signal, handler: done.append(handler))
    monkeypatch.setattr(cli, "_pages", lambda settings: None)
    monkeypatch.setattr(cli, "gateway", lambda settings, app: first._lock(settings.state_dir / "g"))
    return done


def test_the_first_accept_is_followed_by_a_cycle_so_that_there_is_a_verdict(commands, watched):
    cli.accept(only_first=True)
    assert len(watched.ran) == 1
    assert (accepts(watched), watched.told) == (1, ["OK"])
    assert commands[0].__func__ is Taking.stop
    cli.accept(only_first=True)
    assert (accepts(watched), len(watched.ran)) == (1, 1)


def test_an_accept_typed_meanwhile_says_so_and_waits(commands, watched, in_order, capsys):
    typed = threading.Thread(target=cli.accept, daemon=True)
    with taking(watched.settings.state_dir, in_order) as found:
        found.plan(10)
        typed.start()
        typed.join(0.2)
        assert (typed.is_alive(), accepts(watched)) == (True, 0)
        watched.watcher.accept_first(found.plan)
        found.is_taken()
    typed.join(60)
    assert accepts(watched) == 2  # the person's comes after, and holds
    said = capsys.readouterr().err
    assert "0 of about 10 questions. This accept waits until that has ended." in said


def test_an_accept_typed_meanwhile_is_refused_where_the_stack_got_worse(
    commands, watched, in_order, monkeypatch, capsys
):
    worse = card_of(cycle(()), verdict("FAULT", "data"))
    monkeypatch.setattr(watched.watcher, "once", lambda: worse)

    def refused():
        with pytest.raises(typer.Exit):
            cli.accept()

    typed = threading.Thread(target=refused, daemon=True)
    with taking(watched.settings.state_dir, in_order) as found:
        found.plan(10)
        typed.start()
        watched.watcher.accept_first(found.plan)
    typed.join(60)
    assert accepts(watched) == 1
