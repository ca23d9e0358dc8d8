"""Many drills on one stack: none starts on a sick one, none profits from the one before."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.fakes.layers_app import card_of, cycle, verdict
from tests.fakes.scripted_layers import Layers

from evals.drill import recording
from evals.drill import trials as module
from evals.drill.drill import Drill
from evals.drill.trial import Outcome
from evals.drill.trials import ApprovedGuards, Trials
from evals.errors import DrillFailed, NotAccepted
from evals.probes import goldens
from evals.settings import Settings
from evals.watch.detector import State
from evals.watch.ledger import Ledger
from evals.watch.model import Estimate, Revert

GOLDEN = Path(__file__).parents[4] / "evals" / "datasets" / "sample" / "golden.jsonl"


def drill(name):
    return Drill(name=name, layers=("data",), title="t", run=["true"], undo=[])


def accept(settings, in_order):
    with Ledger(settings.ledger) as ledger:
        accepted = Layers(settings, in_order).accepted()
        ledger.accept(accepted.at, accepted.model_dump_json())
        ledger.append(cycle(()), verdict("OK"), None, State())


def outcome(name):
    return Outcome(
        drill=name,
        title="t",
        layers=("data",),
        commit="c0ffee",
        replay=False,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        harm=0.5,
        hot_harm=0.5,
        named=("data",),
        status="FAULT",
        cycles=1,
        seconds=1,
        reverted_by="ingestion restore p",
        healed=True,
        cycle_seconds=(1.0,),
        watched=(cycle().id, "long-gone"),
    )


@pytest.fixture
def stack(tmp_path, monkeypatch, in_order):
    """Trials on a scripted stack; what happened in it, and what its oracle asks."""

    settings = Settings(state_dir=tmp_path / "state", golden=GOLDEN)
    accept(settings, in_order)
    stack = SimpleNamespace(
        status="OK", told=[], asked=[], heals=[], trials=Trials(settings, in_order)
    )

    class Watcher:
        def __init__(self, settings, each):
            pass

        def once(self):
            return card_of(cycle(), verdict(stack.status))

    def oracle(settings, probes, each):
        stack.asked = [probe.id for probe in probes]

    def run(drill, places, saved, oracle, watcher, cards, heal, *_):
        stack.heals.append(bool(heal))
        if drill.name == "broken":
            raise DrillFailed("its command failed")
        stack.told.append(drill.name)
        return outcome(drill.name)

    monkeypatch.setattr(module, "Watcher", Watcher)
    monkeypatch.setattr(module, "Oracle", oracle)
    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module.Ledger, "restart", lambda self: stack.told.append("restarted"))
    return stack


@pytest.mark.parametrize("status", ["FAULT", "SUSPECT", "NO DATA", "RULER"])
def test_no_drill_starts_on_a_stack_that_is_not_well(stack, status):
    stack.status = status
    with pytest.raises(NotAccepted, match="heal it before a drill"):
        stack.trials.run([drill("a")], 60)
    assert stack.told == []


def test_each_drill_starts_without_the_evidence_of_the_one_before(stack):
    stack.trials.run([drill("a"), drill("b")], 60)
    assert stack.told == ["restarted", "a", "restarted", "b"]
    assert [each.drill for each in stack.trials.outcomes()] == ["a", "b"]


def test_a_drill_that_does_not_go_in_is_told_and_the_next_one_runs(stack, caplog):
    stack.trials.run([drill("broken"), drill("b")], 60)
    assert [each.drill for each in stack.trials.outcomes()] == ["b"]
    assert "its command failed" in caplog.messages


def test_no_drill_starts_when_the_time_is_up(stack):
    stack.trials.run([drill("a")], -1)
    assert stack.told == []


def test_the_oracle_asks_what_the_watcher_never_asks(stack):
    stack.trials.run([], 60)
    settings = Settings(golden=GOLDEN)
    every = goldens.probes(GOLDEN, settings.golden_revision, settings.golden_source)
    watched, unseen = goldens.halves(every)
    assert stack.asked == [probe.id for probe in unseen]
    assert stack.asked
    assert not {*stack.asked} & {probe.id for probe in watched}


def test_the_cycles_of_every_drill_are_recorded_and_published(stack, tmp_path):
    stack.trials.run([drill("a")], 60)
    assert stack.trials.recorded() == {"a"}
    stack.trials.publish_recordings(tmp_path / "published")
    (found,), _ = recording.read(tmp_path / "published")
    assert (found.drill, found.layers, found.harm, len(found.cycles)) == ("a", ("data",), 0.5, 1)


def test_what_is_only_recorded_is_not_healed_and_is_no_outcome(stack):
    stack.trials.run([drill("a")], 60, heal=False)
    assert (stack.heals, stack.trials.outcomes()) == ([False], [])
    assert stack.trials.recorded() == {"a"}


def command(text):
    return f'{sys.executable} -c "{text}"'


@pytest.mark.parametrize(
    ("reverts", "healed"),
    [
        ([command("0")], True),
        ([f"{command('0')} && {command('0')}"], True),
        ([command("raise SystemExit(1)")], False),
        ([f"{command('0')} && {command('raise SystemExit(1)')}"], False),
        ([""], False),
        ([], False),
    ],
)
def test_the_cards_first_command_is_typed_as_it_stands_and_heals_if_all_of_it_ran(
    stack, reverts, healed
):
    nothing = Estimate(value=0, low=0, high=0)
    told = [Revert(layer="data", command=each, expected=nothing) for each in reverts]
    card = card_of(cycle(), verdict("FAULT", "data")).model_copy(update={"reverts": told})
    assert stack.trials._heal(card) == (reverts[0] if healed else "")


def test_a_command_of_the_card_that_fails_ends_the_ones_behind_it(stack, tmp_path):
    nothing = Estimate(value=0, low=0, high=0)
    line = f"{command('raise SystemExit(1)')} && touch {tmp_path / 'ran'}"
    card = card_of(cycle(), verdict("FAULT", "data")).model_copy(
        update={"reverts": [Revert(layer="data", command=line, expected=nothing)]}
    )
    stack.trials._heal(card)
    assert not (tmp_path / "ran").exists()


def test_holds_of_every_source_are_let_through_by_the_ordinary_command(tmp_path, monkeypatch):
    typed = tmp_path / "typed"
    settings = Settings(ingestion_command=f"sh -c 'echo \"$@\" >> {typed}' ingestion")
    guards = ApprovedGuards(settings)
    holds = [SimpleNamespace(hold=SimpleNamespace(run_id=id)) for id in ("r1", "r2")]
    monkeypatch.setattr(guards, "_sources", SimpleNamespace(status=lambda: holds))
    assert guards.held()
    guards.approve()
    told = ["approve r1 --by drill", "approve r2 --by drill"]
    assert typed.read_text().splitlines() == told
    monkeypatch.setattr(
        guards, "_sources", SimpleNamespace(status=lambda: [SimpleNamespace(hold=None)])
    )
    assert not guards.held()
    guards.approve()
    assert typed.read_text().splitlines() == told


def test_readers_see_again_what_syncs_write_by_the_ordinary_command(tmp_path, in_order):
    typed = tmp_path / "typed"
    settings = Settings(
        state_dir=tmp_path, ingestion_command=f"sh -c 'echo \"$@\" >> {typed}' ingestion"
    )
    Trials(settings, in_order)._resume()
    assert typed.read_text() == "resume\n"
