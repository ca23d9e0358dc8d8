"""Many drills on one stack: none starts on a sick one, none profits from the one before."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.fakes.layers_app import card_of, cycle, verdict

from evals.drill import trials as module
from evals.drill.drill import Drill
from evals.drill.trial import Outcome
from evals.drill.trials import Trials
from evals.errors import DrillFailed, NotAccepted
from evals.probes import goldens
from evals.settings import Settings

GOLDEN = Path(__file__).parents[4] / "evals" / "datasets" / "sample" / "golden.jsonl"


def drill(name):
    return Drill(name=name, layer="data", title="t", run=["true"], undo=[])


def outcome(name):
    return Outcome(
        drill=name,
        title="t",
        layer="data",
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
    )


@pytest.fixture
def stack(tmp_path, monkeypatch, in_order):
    """Trials on a scripted stack; what happened in it, and what its oracle asks."""

    settings = Settings(state_dir=tmp_path / "state", golden=GOLDEN)
    stack = SimpleNamespace(status="OK", told=[], asked=[], trials=Trials(settings, in_order))

    class Watcher:
        def __init__(self, settings, each):
            pass

        def once(self):
            return card_of(cycle(), verdict(stack.status))

    def oracle(settings, probes, each):
        stack.asked = [probe.id for probe in probes]

    def run(drill, *_):
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
