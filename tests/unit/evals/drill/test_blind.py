"""A drill for people: put in, guessed, shown beside the card, and taken out byte for byte."""

import random
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
import typer
from tests.fakes.layers_app import card_of, cycle, verdict
from typer.testing import CliRunner

from evals.drill import cli
from evals.drill.blind import Drills, drawn
from evals.drill.drill import Drill
from evals.drill.trial import CYCLES
from evals.errors import DrillFailed
from evals.settings import Settings

FREE = SimpleNamespace(held=lambda: False, approve=lambda: None)


@pytest.fixture
def stack(tmp_path):
    """A state folder, a file that a drill edits, and what was typed."""
    page = tmp_path / "page.md"
    page.write_text("28 days\n")
    log = tmp_path / "log"
    log.touch()
    settings = Settings(state_dir=tmp_path / "state", places={"page": str(page)})
    return SimpleNamespace(drills=Drills(settings), page=page, log=log, settings=settings)


def fault(log, **changed):
    fields = {
        "name": "stale",
        "layers": ("data",),
        "title": "Old figures",
        "keep": ["{page}"],
        "edits": [{"file": "{page}", "find": "28", "replace": "25"}],
        "settle": [f"sh -c 'echo settled >> {log}'"],
    }
    return Drill(**fields | changed)


class Watcher:
    def __init__(self, *statuses):
        self.statuses = iter(statuses)

    def once(self):
        status = next(self.statuses)
        return card_of(cycle(), verdict(status, *(["data"] if status == "FAULT" else [])))


def start(stack, **changed):
    return stack.drills.start(fault(stack.log, **changed), FREE, is_blind=True)


def end(stack):
    return stack.drills.end(lambda: None, FREE)


def test_a_drill_goes_in_and_is_taken_out_by_a_later_command_byte_for_byte(stack):
    start(stack)
    assert stack.page.read_text() == "25 days\n"
    later = Drills(stack.settings)
    assert later.end(lambda: None, FREE).name == "stale"
    assert stack.page.read_text() == "28 days\n"
    assert stack.log.read_text().split() == ["settled", "settled"]
    with pytest.raises(DrillFailed, match="No drill is in"):
        later.now()
    assert not (stack.settings.state_dir / "drill" / "saved" / "stale").exists()


def test_two_drills_are_never_in_at_once(stack):
    start(stack)
    with pytest.raises(DrillFailed, match="drill-end"):
        start(stack)
    assert stack.page.read_text() == "25 days\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, DrillFailed])
def test_a_drill_that_is_interrupted_or_fails_leaves_everything_as_it_was(
    stack, monkeypatch, error
):
    settles = iter([True, False, False])

    def commands(self, commands, may_be_held):
        if next(settles):
            raise error

    monkeypatch.setattr("evals.drill.drill.Running._commands", commands)
    with pytest.raises(error):
        start(stack)
    assert stack.page.read_text() == "28 days\n"
    with pytest.raises(DrillFailed, match="No drill is in"):
        stack.drills.now()


def test_a_fault_that_was_killed_while_it_went_in_is_taken_out_by_drill_end(stack, monkeypatch):
    monkeypatch.setattr("evals.drill.blind.Drills.end", lambda *_: None)  # SIGKILL: no clean-up
    monkeypatch.setattr("evals.drill.drill.Running.revert", lambda *_, **__: None)
    with pytest.raises(DrillFailed):
        start(stack, settle=[f'{sys.executable} -c "raise SystemExit(1)"'])
    monkeypatch.undo()
    assert stack.page.read_text() == "25 days\n"
    with pytest.raises(DrillFailed, match="ended with 1"):
        end(stack)
    assert stack.page.read_text() == "28 days\n"
    assert stack.drills.now()  # it can be tried again, once the command works


def test_a_copy_that_was_not_whole_is_never_restored(stack, monkeypatch):
    def killed(source, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr("evals.drill.drill._copy", killed)
    monkeypatch.setattr("evals.drill.blind.Drills.end", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        start(stack)
    monkeypatch.undo()
    end(stack)
    assert stack.page.read_text() == "28 days\n"


def test_a_hold_is_let_through_on_the_way_in_and_on_the_way_out(stack):
    holds, approved = iter([True, True]), []
    guards = SimpleNamespace(held=lambda: next(holds), approve=lambda: approved.append(1))
    stack.drills.start(fault(stack.log), guards, is_blind=False)
    assert len(approved) == 1
    stack.drills.end(lambda: None, guards)
    assert len(approved) == 2


def test_readers_see_the_live_index_before_the_fault_is_taken_out(stack):
    start(stack)
    before = stack.log.read_text()
    stack.drills.end(lambda: stack.log.write_text(f"{before}resumed\n") and None, FREE)
    assert stack.log.read_text().split() == ["settled", "resumed", "settled"]


@pytest.mark.parametrize(("guess", "right"), [("data", True), ("serving", False), (None, False)])
def test_a_guess_stands_on_the_board_beside_the_stacks_verdict(stack, guess, right):
    start(stack)
    seen = []
    card, line = stack.drills.reveal(guess, Watcher("OK", "SUSPECT", "FAULT"), seen.append)
    assert card.verdict.status == "FAULT"
    assert len(seen) == line.cycles == 3
    assert (line.person_is_right, line.stack_is_right) == (right, True)
    assert 0 <= line.minutes < 1
    assert stack.drills.board() == [line]


def test_a_second_guess_after_the_truth_was_told_does_not_count(stack):
    start(stack)
    stack.drills.reveal("serving", Watcher("FAULT"), lambda card: None)
    stack.drills.reveal("data", Watcher("FAULT"), lambda card: None)
    assert [line.guess for line in stack.drills.board()] == ["serving"]


def test_a_stack_that_names_nothing_is_wrong_after_its_last_cycle(stack):
    start(stack)
    _, line = stack.drills.reveal("data", Watcher(*["OK"] * CYCLES), lambda card: None)
    assert (line.named, line.cycles, line.stack_is_right) == ((), CYCLES, False)


def test_half_of_a_double_fault_is_right_for_a_person_and_wrong_for_the_stack(stack):
    start(stack, layers=("data", "serving"))
    _, line = stack.drills.reveal("serving", Watcher("FAULT"), lambda card: None)
    assert (line.person_is_right, line.stack_is_right) == (True, False)


def test_without_a_drill_there_is_nothing_to_reveal_or_to_end(stack):
    with pytest.raises(DrillFailed, match="make drill BLIND=1"):
        stack.drills.reveal("data", Watcher(), lambda card: None)
    with pytest.raises(DrillFailed, match="make drill BLIND=1"):
        end(stack)


def test_each_layer_is_as_likely_and_what_nobody_would_notice_is_not_drawn(stack):
    def drill(name, *layers):
        return fault(stack.log, name=name, layers=layers)

    every = [
        *(drill(f"data-{n}", "data") for n in range(8)),
        drill("serving-1", "serving"),
        drill("serving-faint", "serving"),
        drill("benign"),
        drill("both", "data", "serving"),
    ]
    known = [
        SimpleNamespace(drill=each.name, harm=0.01 if "faint" in each.name else 0.5)
        for each in every
    ]
    rng = random.Random(1)
    names = [drawn(every, known, rng).name for _ in range(400)]
    layers = Counter(name.partition("-")[0] for name in names)
    assert {*names} == {*(f"data-{n}" for n in range(8)), "serving-1"}
    assert abs(layers["data"] - layers["serving"]) < 80
    assert drawn(every, [], rng).layers  # nothing is known yet


def test_drawing_from_nothing_is_told(stack):
    with pytest.raises(DrillFailed, match="repository's root"):
        drawn([], [], random.Random(1))


@pytest.fixture
def command(tmp_path, monkeypatch, stack):
    """The commands on a catalogue of one drill, with a watcher that finds it."""
    catalogue = tmp_path / "catalogue"
    catalogue.mkdir()
    (catalogue / "stale.yaml").write_text(
        "layer: data\ntitle: Old figures\nkeep: ['{page}']\n"
        "edits: [{file: '{page}', find: '28', replace: '25'}]\n"
    )
    monkeypatch.setattr(cli, "DRILLS", catalogue)
    monkeypatch.setattr(cli, "ApprovedGuards", lambda settings: FREE)
    monkeypatch.setattr(cli, "Watcher", lambda settings, each: Watcher("FAULT"))
    monkeypatch.setattr(cli, "serving_pages", lambda settings: stack.log.open())
    monkeypatch.setattr(cli, "resume", lambda settings: None)
    monkeypatch.setattr(cli, "Settings", lambda: stack.settings)
    monkeypatch.setattr(cli, "_tell", lambda: None)

    def run(*arguments):
        app = typer.Typer()
        app.add_typer(cli.app)
        return CliRunner().invoke(app, [*arguments])

    return run


def test_from_blind_to_the_board_by_commands(command, stack):
    blind = command("drill", "--blind")
    assert blind.exit_code == 0, blind.output
    assert "Old figures" not in blind.output
    assert stack.page.read_text() == "25 days\n"
    assert "It was data: Old figures." in command("reveal", "--guess", "data").output
    ended = command("drill-end")
    assert "Old figures" in ended.output
    assert stack.page.read_text() == "28 days\n"
    assert "people were right in 1, the stack in 1" in command("board").output
    assert '"drill":"stale"' in command("board", "--json").output


def test_a_named_drill_says_what_it_does_and_no_name_lists_them(command, stack):
    assert "Old figures" in command("drill").output
    assert stack.page.read_text() == "28 days\n"
    assert "Old figures. It is in." in command("drill", "stale").output
    assert stack.page.read_text() == "25 days\n"


def test_a_name_that_is_no_drill_is_told_and_nothing_is_changed(command, stack):
    found = command("drill", "absent")
    assert found.exit_code
    assert stack.page.read_text() == "28 days\n"
