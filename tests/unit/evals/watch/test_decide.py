"""Cycles in, verdicts out: each status, each pattern of faults, and what would heal them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from evals.watch.decide import decide, estimate, healed
from evals.watch.detector import Baseline, State, digest, streams, threshold
from evals.watch.model import CELLS, LAYERS, Cell, CellReply, Change, Cycle, Layer, Probe, Verdict

AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
PROBES = [
    Probe(
        id=f"p{number:02}",
        question="?",
        origin="canary",
        strata=(f"kind{number // 10}",),
        values=("value",),
    )
    for number in range(60)
]
BASELINE = Baseline(
    digest=digest(PROBES),
    scores={probe.id: 1.0 for probe in PROBES},
    deltas=dict.fromkeys(streams(PROBES), 0.03),
)
BROKEN_CELLS: dict[Layer, tuple[Cell, ...]] = {
    "data": ("10", "11"),
    "application": ("01", "11"),
    "serving": CELLS,
}
Scores = Mapping[Cell, np.ndarray]


def asked(broken: Mapping[Cell, range | list[int]] | None = None, **changed: object) -> Cycle:
    """A cycle in which every reply is right but those of these probes in these cells."""
    wrong = broken or {}
    replies = [
        CellReply(
            probe=probe.id,
            cell=cell,
            score=float(number not in wrong.get(cell, ())),
            status="answered",
            text="",
        )
        for cell in CELLS
        for number, probe in enumerate(PROBES)
    ]
    values: dict[str, object] = {
        "id": "20261123T160000Z",
        "at": AT,
        "seconds": 30,
        "replies": replies,
        "replayed": {},
        "changes": [],
        "indicators": [],
        "lag_seconds": {},
        "generations": 60,
    }
    return Cycle.model_validate(values | changed)


def faulty(**faults: range) -> Cycle:
    """A cycle with these probes broken by these layers."""
    return asked(
        {
            cell: sorted(
                {n for layer, ids in faults.items() if cell in BROKEN_CELLS[layer] for n in ids}
            )
            for cell in CELLS
        }
    )


def run(*cycles: Cycle, state: State | None = None, arl: float = 720) -> tuple[Verdict, State]:
    """The verdict after these cycles."""
    state = state or State()
    for cycle in cycles:
        verdict, state = decide(cycle, PROBES, BASELINE, state, arl=arl)
    return verdict, state


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_that_breaks_half_the_probes_is_named_alone_at_once(layer: Layer) -> None:
    verdict, _ = run(faulty(**{layer: range(30)}))
    assert (verdict.status, verdict.layers) == ("FAULT", (layer,))
    assert set(verdict.hot[layer]) == {"kind0", "kind1", "kind2"}
    assert verdict.shares[layer].value == 1
    assert verdict.evidence[layer] >= verdict.threshold == threshold()
    assert f"{layer} +1.00 [+1.00, +1.00]" in verdict.reason
    assert verdict.reason.startswith("Answers are right 0.00 of the time, 1.00 accepted, on 30")


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_that_breaks_six_probes_of_a_kind_is_named_alone(layer: Layer) -> None:
    cycles = [asked()] * 30 + [faulty(**{layer: range(6)})] * 4
    verdict, _ = run(*cycles)
    assert (verdict.status, verdict.layers) == ("FAULT", (layer,))
    assert verdict.hot[layer] == ("kind0",)


@pytest.mark.parametrize(
    "faults",
    [
        {"data": range(10), "application": range(30, 40)},
        {"data": range(10), "serving": range(30, 60)},
        {"serving": range(20), "application": range(20, 40)},
        {"data": range(10), "application": range(10)},
    ],
)
def test_both_layers_of_a_double_fault_are_named(faults: dict[Layer, range]) -> None:
    verdict, _ = run(*[faulty(**faults)] * 3)
    assert (verdict.status, set(verdict.layers)) == ("FAULT", set(faults))


def test_two_changes_that_harm_only_together_are_both_named_and_either_heals() -> None:
    cycle = asked({"11": range(10)})
    verdict, _ = run(*[cycle] * 5)
    assert (set(verdict.layers), verdict.interaction) == ({"data", "application"}, -1)
    assert "either put back heals" in verdict.reason
    for layer in ("data", "application"):
        assert healed(verdict, cycle, PROBES, BASELINE, [layer]).value == 1


def test_two_faults_of_which_either_does_all_the_harm_heal_only_together() -> None:
    cycle = faulty(data=range(10), application=range(10))
    verdict, _ = run(*[cycle] * 5)
    assert "put both back" in verdict.reason
    assert healed(verdict, cycle, PROBES, BASELINE, ["data"]).value == 0
    assert healed(verdict, cycle, PROBES, BASELINE).value == 1


def test_harm_that_another_layers_gain_hides_from_users_is_named_and_said_so() -> None:
    masked = asked({"10": range(20)})  # a new application makes up for a new index
    verdict, _ = run(*[masked] * 4)
    assert (verdict.status, verdict.layers) == ("FAULT", ("data",))
    assert verdict.shares["application"].value == -0.5
    assert "another layer's gain hides the harm" in verdict.reason


def test_the_expected_heal_of_models_is_what_they_took() -> None:
    cycle = faulty(serving=range(30), data=range(30, 60))
    verdict, _ = run(*[cycle] * 2)
    heal = healed(verdict, cycle, PROBES, BASELINE, ["serving"])
    assert (heal.value, heal.low, heal.high) == (1, 1, 1)


def test_the_expected_heal_of_one_layer_leaves_out_what_the_models_took() -> None:
    cycle = scored({"00": 0.5, "10": 0.0, "01": 0.5, "11": 0.0}, range(30))
    verdict, _ = run(*[cycle] * 2)
    assert set(verdict.layers) == {"data", "serving"}
    assert healed(verdict, cycle, PROBES, BASELINE, ["data"]).value == 0.5
    assert healed(verdict, cycle, PROBES, BASELINE).value == 1


def test_a_verdict_of_no_fault_still_tells_shares_and_interaction() -> None:
    verdict, _ = run(asked({"11": range(1)}))
    assert verdict.status == "OK"
    assert verdict.shares["data"].value == verdict.shares["application"].value == 0.5 / 60
    assert verdict.interaction == -1 / 60


def test_there_is_no_estimate_of_no_probe() -> None:
    with pytest.raises(ValueError, match="at least one probe"):
        estimate([])


def test_the_expected_heal_has_the_interval_of_its_hot_probes() -> None:
    cycle = faulty(data=range(6))
    verdict, _ = run(*[cycle] * 6)
    heal = healed(verdict, cycle, PROBES, BASELINE)
    assert heal.value == pytest.approx(0.6)
    assert 0.2 < heal.low < 0.6 < heal.high < 1


def test_a_quiet_cycle_and_a_harmless_change_are_ok() -> None:
    change = Change(layer="application", what="bundle", before="a", after="b")
    verdict, _ = run(*[asked(changes=[change.model_dump()])] * 50)
    assert (verdict.status, verdict.layers, verdict.hot) == ("OK", (), {})
    assert verdict.reason == (
        "60 probes are right 1.00 of the time, 1.00 accepted; "
        "changed without harm: application (bundle)."
    )


def test_a_change_that_costs_answers_is_not_called_harmless_before_it_is_a_suspicion() -> None:
    change = Change(layer="serving", what="chat model", before="a", after="b")
    cycle = faulty(serving=range(0, 60, 20)).model_copy(update={"changes": [change]})
    verdict, _ = run(cycle)
    assert verdict.status == "OK"
    assert verdict.reason.endswith("too little evidence of harm so far: serving (chat model).")


def test_past_the_square_root_it_is_suspect_before_it_is_a_fault() -> None:
    statuses, state = [], State()
    for cycle in [asked()] * 30 + [faulty(application=range(6))] * 4:
        verdict, state = decide(cycle, PROBES, BASELINE, state)
        statuses.append(verdict.status)
    assert set(statuses[:30]) == {"OK"}
    assert statuses[30:].index("SUSPECT") < statuses[30:].index("FAULT")


def test_a_quiet_stack_is_never_suspect_however_low_the_threshold() -> None:
    verdict, _ = run(*[asked()] * 120, arl=12)
    assert verdict.status == "OK"


def audited(lost: int, of: int = 57, **changed: object) -> Cycle:
    """A cycle whose audit finds so many documents of the sample damaged."""
    marks = (1.0,) * lost + (0.0,) * (of - lost)
    return asked(audits={"audit of sample": marks, "audit of one not accepted": (1.0,) * 9})


AUDITED = BASELINE.model_copy(update={"deltas": BASELINE.deltas | {"audit of sample": 0.05}})


def after_audits(*lost: int, state: State | None = None) -> tuple[Verdict, State]:
    """The verdict after cycles whose audits find so many damaged."""
    state = state or State()
    for number in lost:
        verdict, state = decide(audited(number), PROBES, AUDITED, state)
    return verdict, state


def test_documents_that_lost_content_name_the_data_though_no_probe_misses_it() -> None:
    verdict, _ = after_audits(10, 10, 10, 10)
    assert (verdict.status, verdict.layers) == ("FAULT", ("data",))
    assert verdict.hot == {"data": ("audit of sample",)}
    assert verdict.reason.endswith("; documents lost content: 18% in the audit of sample.")
    assert healed(verdict, audited(10), PROBES, AUDITED).value == 0


def test_documents_that_lost_content_are_a_suspicion_before_they_are_a_fault() -> None:
    assert after_audits(10, 10, 10)[0].status == "SUSPECT"


def test_a_few_documents_that_changed_are_no_suspicion_for_a_month() -> None:
    assert {after_audits(*[2] * cycles)[0].status for cycles in (1, 100, 720)} == {"OK"}


def test_documents_put_back_end_the_fault_in_the_next_cycle() -> None:
    verdict, state = after_audits(10, 10, 10, 10)
    verdict, state = after_audits(2, state=state)  # as many as an edit may change
    assert verdict.status == "OK"
    assert "Healed (data)" in verdict.reason


def test_an_audit_beside_another_layers_fault_names_both() -> None:
    state = after_audits(10, 10, 10)[1]  # a suspicion
    both = faulty(serving=range(30)).model_copy(update={"audits": audited(10).audits})
    assert set(decide(both, PROBES, AUDITED, state)[0].layers) == {"data", "serving"}


def test_putting_the_layer_back_ends_the_fault_in_the_next_cycle() -> None:
    _, state = run(*[faulty(data=range(30))] * 10)
    verdict, state = run(asked(), state=state)
    assert verdict.status == "OK"
    assert verdict.reason.startswith("Healed (data and all layers together): 60 probes")
    assert verdict.evidence["data"] == 0
    assert state.recent == ()


def scored(scores: Mapping[Cell, float], probes: range) -> Cycle:
    """A cycle in which these probes score so in each cell, and all others as accepted."""
    ids = {f"p{number:02}" for number in probes}
    changed = [
        reply.model_copy(update={"score": scores.get(reply.cell, 1.0)}).model_dump()
        for reply in asked().replies
        if reply.probe in ids
    ]
    return asked(replies=[r.model_dump() for r in asked().replies if r.probe not in ids] + changed)


def test_a_cycle_whose_harm_is_within_noise_is_healed() -> None:
    _, state = run(*[faulty(data=range(10))] * 5)
    verdict, _ = run(scored({"10": 0.9, "11": 0.9}, range(1)), state=state)
    assert (verdict.status, verdict.reason[:6]) == ("OK", "Healed")


def test_harm_within_the_noise_of_the_noisiest_hot_stratum_is_no_suspicion() -> None:
    noisy = BASELINE.model_copy(update={"deltas": {**BASELINE.deltas, "kind1": 0.9}})
    cycle, state = scored({"10": 0.6, "11": 0.6}, range(20)), State()
    for _ in range(2):
        verdict, state = decide(cycle, PROBES, noisy, state)
    assert verdict.evidence["data"] > verdict.threshold**0.5
    assert verdict.status == "OK"


def test_a_layer_without_an_alarm_of_its_own_is_not_named_while_users_lose_nothing() -> None:
    # Models that got better hide a fault of the data; what the application took is no evidence yet.
    accepted = BASELINE.scores | {f"p{number:02}": 0.5 for number in range(10)}
    better = BASELINE.model_copy(update={"scores": accepted})
    cycle, state = scored({"00": 1.0, "10": 0.5, "01": 0.9, "11": 0.4}, range(10)), State()
    for _ in range(6):
        verdict, state = decide(cycle, PROBES, better, state)
    assert (verdict.status, verdict.layers) == ("FAULT", ("data",))
    assert verdict.shares["application"].low > 0.05
    assert verdict.evidence["application"] < verdict.threshold


def test_few_probes_that_are_lost_in_every_cycle_are_named_though_a_bootstrap_may_miss_them() -> (
    None
):
    few = faulty(data=range(0, 30, 10))  # three of sixty, one a stratum
    verdict, state = run(few)
    while verdict.status in ("OK", "SUSPECT"):
        verdict, state = run(few, state=state)
    assert (verdict.status, verdict.layers) == ("FAULT", ("data",))
    assert verdict.shares["data"].low < 0.03 / 2


def test_a_share_within_noise_is_not_named_beside_a_fault() -> None:
    verdict, _ = run(scored({"00": 1.0, "10": 0.0, "01": 0.99, "11": 0.0}, range(30)))
    assert verdict.layers == ("data",)
    assert 0 < verdict.shares["application"].low < 0.015


def test_putting_one_of_two_layers_back_leaves_the_other_named() -> None:
    _, state = run(*[faulty(data=range(20), serving=range(20, 40))] * 5)
    verdict, _ = run(faulty(serving=range(20, 40)), state=state)
    assert (verdict.status, verdict.layers) == ("FAULT", ("serving",))


def test_a_layer_that_was_put_back_before_its_own_alarm_is_named_no_more() -> None:
    both = faulty(application=range(30), serving=range(30, 40))
    verdict, state = run(both)
    assert verdict.layers == ("application", "serving")
    verdict, _ = run(faulty(application=range(30)), state=state)
    assert verdict.layers == ("application",)


def test_harm_that_no_layers_share_shows_beyond_noise_is_unsure() -> None:
    # Each layer breaks 2 of 60: the six together are plain, the two are not.
    pairs = [range(0, 20, 10), range(20, 40, 10), range(40, 60, 10)]
    cycle = faulty(**dict(zip(LAYERS, pairs, strict=True)))
    state = State()
    verdict, state = run(cycle)
    while verdict.status in ("OK", "SUSPECT"):
        verdict, state = run(cycle, state=state)
    assert (verdict.status, verdict.layers) == ("UNSURE", ())
    assert "no layer's share is clear of noise" in verdict.reason


def test_users_questions_that_move_while_probes_are_well_are_workload() -> None:
    moved = ["questions are 40% longer"]
    verdict, _ = decide(asked(), PROBES, BASELINE, State(), moved=moved)
    assert (verdict.status, verdict.layers) == ("WORKLOAD", ())
    assert "questions are 40% longer" in verdict.reason
    hurt, _ = decide(faulty(data=range(30)), PROBES, BASELINE, State(), moved=moved)
    assert hurt.status == "FAULT"


def test_another_ruler_compares_nothing_and_leaves_the_state_alone() -> None:
    relabelled = [PROBES[0].model_copy(update={"values": ("other",)}), *PROBES[1:]]
    _, state = run(faulty(data=range(6)))
    verdict, after = decide(asked(), relabelled, BASELINE, state)
    assert (verdict.status, after) == ("RULER", state)
    assert "evals accept" in verdict.reason


def test_a_cycle_that_failed_is_no_data_with_its_own_reason() -> None:
    _, state = run(faulty(data=range(6)))
    verdict, after = run(asked(replies=[], error="The pinned index is gone."), state=state)
    assert (verdict.status, verdict.reason, after) == (
        "NO DATA",
        "The pinned index is gone.",
        state,
    )


def unreachable(cell: Cell, numbers: range) -> Cycle:
    lost = {f"p{number:02}" for number in numbers}
    gone = {"status": "error", "reason": "Unreachable: connection refused", "score": 0}
    replies = [
        reply.model_copy(update=gone) if reply.cell == cell and reply.probe in lost else reply
        for reply in asked().replies
    ]
    return asked(replies=[reply.model_dump() for reply in replies])


def test_more_than_half_unreachable_is_no_data_and_never_ok() -> None:
    verdict, state = run(unreachable("00", range(31)))
    assert (verdict.status, state) == ("NO DATA", State())
    assert "29 of 60" in verdict.reason
    assert "00 for 31 probes" in verdict.reason


def test_half_of_the_probes_are_enough_and_none_are_not() -> None:
    verdict, _ = run(unreachable("00", range(30)))
    assert (verdict.status, verdict.reason[:9]) == ("OK", "30 probes")
    verdict, state = run(asked(replies=[]))
    assert (verdict.status, state) == ("NO DATA", State())


def test_an_answer_that_says_its_model_was_unreachable_is_harm_all_the_same() -> None:
    gone = {"status": "degraded", "reason": "The model is unreachable.", "score": 0}
    replies = [reply.model_copy(update=gone).model_dump() for reply in asked().replies]
    verdict, _ = run(asked(replies=replies))
    assert (verdict.status, verdict.layers) == ("FAULT", ("serving",))


def test_a_few_unreachable_probes_are_left_out_and_blame_no_layer() -> None:
    verdict, _ = run(*[unreachable("11", range(10))] * 10)
    assert verdict.status == "OK"
    assert verdict.reason.startswith("50 probes")


def test_errors_that_were_answered_are_harm_and_blame_their_layer() -> None:
    cycle = faulty(application=range(30))
    broken = {"status": "error", "reason": "500: KeyError"}
    replies = [r if r.score else r.model_copy(update=broken) for r in cycle.replies]
    verdict, _ = run(asked(replies=[reply.model_dump() for reply in replies]))
    assert verdict.layers == ("application",)


def test_probes_that_were_retired_are_simply_not_compared() -> None:
    kept = [reply.model_dump() for reply in asked().replies if reply.probe >= "p05"]
    verdict, _ = run(asked(replies=kept))
    assert (verdict.status, verdict.reason[:9]) == ("OK", "55 probes")


def test_harm_that_comes_and_goes_is_named_from_several_cycles() -> None:
    random, named = np.random.default_rng(3), []
    for _ in range(8):
        state, layers = State(), None
        for _ in range(25):
            hit = [n for n in range(10) if random.random() < 0.3]
            verdict, state = decide(asked({"10": hit, "11": hit}), PROBES, BASELINE, state)
            if verdict.status in ("FAULT", "UNSURE"):
                layers = verdict.layers
                break
        named.append(layers)
    assert named.count(("data",)) >= 7
    assert all(layers in (("data",), ()) for layers in named)


def test_equal_cycles_give_equal_verdicts() -> None:
    cycle = faulty(data=range(7))
    assert run(*[cycle] * 5) == run(*[cycle] * 5)


def test_a_verdict_and_its_state_survive_json() -> None:
    verdict, state = run(*[faulty(data=range(30))] * 60)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert State.model_validate_json(state.model_dump_json()) == state
