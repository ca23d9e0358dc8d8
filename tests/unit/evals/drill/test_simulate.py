"""A simulation decides on recorded cycles with the watcher's own code; only chance is added."""

import random
from datetime import UTC, datetime
from math import sqrt

import pytest
from tests.fakes.scored_cycles import BASELINE, PROBES, asked, faulty

from evals.drill import simulate
from evals.drill.recording import Recording, Ruler, recorded
from evals.drill.simulate import AFTER, BEFORE, BENIGN, TWIN, alarms, healthy, run
from evals.watch.model import Change

AT = datetime(2026, 1, 1, tzinfo=UTC)
RULER = Ruler(probes=tuple(PROBES), baseline=BASELINE, retrieved=(True,) * len(PROBES))


def drill(cycle, *layers, name="d", harm=0.5):
    change = [Change(layer=layer, what="w", before="a", after="b") for layer in layers]
    replies = [reply.model_copy(update={"retrieved": True}) for reply in cycle.replies]
    cycle = cycle.model_copy(update={"changes": change, "replies": replies})
    return Recording(
        drill=name,
        title="t",
        layers=layers,
        commit="c",
        at=AT,
        harm=harm,
        ruler="r",
        cycles=(recorded(cycle, RULER.probes),),
    )


BENIGN_ONES = [drill(asked(), name="benign-none"), drill(asked(), name="benign-restart")]


@pytest.mark.parametrize("layer", ["data", "serving", "application"])
def test_a_recorded_fault_is_named_and_its_healthy_twin_is_silent(layer):
    found = run(drill(faulty(**{layer: range(20)}), layer), RULER, BENIGN_ONES, 1, 0.02)
    assert (found.named, found.status, found.alarms) == ((layer,), "FAULT", 0)
    assert 1 <= found.cycles <= 3
    assert found.questions == 60 * found.cycles
    assert BEFORE[0] + TWIN <= found.healthy <= BEFORE[1] + TWIN


def test_two_recorded_faults_are_both_named():
    both = drill(faulty(data=range(20), serving=range(20, 40)), "data", "serving")
    found = run(both, RULER, BENIGN_ONES, 1, 0.02)
    assert {*found.named} == {"data", "serving"}


def masked(*later):
    """Models so broken that the data's harm shows only once they are healed."""
    first = drill(faulty(serving=range(60)), "data", "serving")
    then = [
        seen.model_copy(update={"taken_out": ("serving",)})
        for cycle in later
        for seen in drill(cycle, "data").cycles
    ]
    return first.model_copy(update={"cycles": (*first.cycles, *then)})


def test_a_fault_behind_a_fault_is_named_once_the_first_was_taken_out():
    double = masked(faulty(data=range(20)))
    found = run(double, RULER, BENIGN_ONES, 1, 0.02)
    assert (found.named_at_once, found.named) == (("serving",), ("serving", "data"))
    assert found.cycles >= 2
    found = simulate.as_it_was(double, RULER)
    assert (found.named_at_once, found.named) == (("serving",), ("serving", "data"))


def test_a_second_fault_that_does_no_harm_is_not_named_and_the_first_one_counts_once():
    found = run(masked(asked()), RULER, BENIGN_ONES, 1, 0.0)
    assert (found.named, found.cycles) == (("serving",), AFTER)


def test_nothing_is_drawn_of_what_was_never_seen_on_the_real_engine():
    found = run(masked(), RULER, BENIGN_ONES, 1, 0.02)
    assert (found.named, found.cycles) == (("serving",), 1)


def test_a_wrong_name_ends_a_simulation():
    wrong = drill(faulty(application=range(20)), "data", "serving")
    found = run(wrong, RULER, BENIGN_ONES, 1, 0.0)
    assert (found.named, found.named_at_once) == (("application",), ("application",))


def test_a_fault_that_no_probe_meets_is_not_named_within_its_cycles():
    found = run(drill(asked(), "data"), RULER, BENIGN_ONES, 1, 0.02)
    assert (found.named, found.cycles) == ((), AFTER)


def test_the_same_seed_gives_the_same_run_and_another_one_another():
    fault = drill(faulty(data=range(4)), "data")
    runs = [run(fault, RULER, BENIGN_ONES, seed, 0.02) for seed in (1, 1, 2, 3, 4, 5, 6)]
    assert runs[0] == runs[1]
    assert len({each.healthy for each in runs}) > 1


def test_replies_flip_at_the_rate_that_was_asked_for():
    for flips in (0.0, 0.1):
        engine = simulate._Engine(RULER, flips, random.Random(1))
        scores = [
            reply.score
            for _ in range(40)
            for reply in engine._cycle(BENIGN_ONES[0].cycles[0]).replies
            if reply.cell == "11"
        ]
        assert sum(score < 1 for score in scores) / len(scores) == pytest.approx(flips, abs=0.015)


def test_cells_that_sent_the_same_request_flip_together():
    engine = simulate._Engine(RULER, 0.5, random.Random(1))
    by_probe = {}
    for reply in engine._cycle(BENIGN_ONES[0].cycles[0]).replies:
        by_probe.setdefault(reply.probe, set()).add(reply.score)
    assert all(len(scores) == 1 for scores in by_probe.values())
    assert {0.0, 0.5, 1.0} == set.union(*by_probe.values())


def test_tolerances_are_wider_where_replies_flip_at_the_accept():
    still, noisy = (simulate._Engine(RULER, f, random.Random(1))._baseline for f in (0.0, 0.1))
    assert still.deltas == RULER.baseline.deltas
    # 2 standard errors of 60 means of 20 replies, of which a tenth scores about a quarter
    assert noisy.deltas["all"] == pytest.approx(0.03 + 2 * 0.25 / sqrt(20 * 60), abs=0.004)
    assert sum(noisy.scores.values()) < sum(still.scores.values())


def test_benign_changes_are_in_their_share_of_healthy_cycles():
    marked = drill(asked(generations=1), name="benign-restart")
    rng = random.Random(1)
    drawn = [healthy([BENIGN_ONES[0], marked], rng).generations == 1 for _ in range(1000)]
    assert sum(drawn) / 1000 == pytest.approx(BENIGN, abs=0.05)


@pytest.mark.parametrize("broken", [False, True])
def test_every_verdict_on_a_healthy_stack_is_a_false_alarm(broken):
    quiet = drill(faulty(data=range(20)) if broken else asked(), name="benign-none")
    cycles, count = alarms(RULER, [quiet, BENIGN_ONES[1]], 30, 0.02, 1)
    assert cycles == 30
    assert (count > 0) == broken
    found = run(drill(faulty(data=range(20)), "data"), RULER, [quiet, BENIGN_ONES[1]], 1, 0.02)
    assert (found.alarms > 0) == broken


def test_the_first_baseline_says_data_where_recall_fell_and_else_the_prompt():
    fault = drill(faulty(serving=range(20)), "serving")
    assert run(fault, RULER, BENIGN_ONES, 1, 0.0).recall_says == "application"
    lost = fault.cycles[0].model_copy(update={"retrieved": (False,) * 20 + (True,) * 40})
    fault = fault.model_copy(update={"cycles": (lost,)})
    assert run(fault, RULER, BENIGN_ONES, 1, 0.0).recall_says == "data"


def test_the_second_baseline_cannot_tell_the_fault_from_what_changed_beside_it():
    fault = drill(faulty(serving=range(20)), "serving")
    said = {run(fault, RULER, BENIGN_ONES, seed, 0.0).last_says for seed in range(12)}
    assert "serving" in said
    assert len(said) > 1


def test_a_probe_that_was_not_asked_has_no_reply_and_no_recall_to_lose():
    cycle = asked(replies=[r for r in faulty(serving=range(20)).replies if r.probe != "p59"])
    seen = drill(cycle, "serving").cycles[0]
    engine = simulate._Engine(RULER, 0.9, random.Random(1))
    assert {reply.probe for reply in engine._cycle(seen).replies} == {
        probe.id for probe in PROBES if probe.id != "p59"
    }
    assert simulate._recall(RULER, seen) == 0


def test_a_probe_without_a_value_says_nothing_of_recall():
    ruler = RULER.model_copy(update={"retrieved": (None,) * 30 + (True,) * 30})
    lost = BENIGN_ONES[0].cycles[0].model_copy(update={"retrieved": (True,) * 45 + (False,) * 15})
    assert simulate._recall(ruler, lost) == 0.5
