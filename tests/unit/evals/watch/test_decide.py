"""Cycles in, verdicts out: each status, and what is no data. Which layer did it: test_blame.py."""

from math import sqrt

import pytest
from tests.fakes.scored_cycles import BASELINE, PROBES, asked, faulty, rescored, run, scored

from evals.watch.detector import Baseline, State, digest
from evals.watch.model import CELLS, Cell, Change, Cycle, Layer, Verdict


def test_a_quiet_cycle_and_a_harmless_change_are_ok() -> None:
    change = Change(layer="application", what="bundle", before="a", after="b")
    verdict, _ = run(*[asked(changes=[change.model_dump()])] * 50)
    assert (verdict.status, verdict.layers, verdict.hot) == ("OK", (), {})
    assert verdict.reason == (
        "60 probes are right 1.00 of the time, 1.00 accepted; "
        "changed without harm: application (bundle)."
    )


def test_a_verdict_of_no_fault_still_tells_shares_and_interaction() -> None:
    verdict, _ = run(asked({"11": range(1)}))
    assert verdict.status == "OK"
    assert verdict.shares["data"].value == verdict.shares["application"].value == 0.5 / 60
    assert verdict.interaction == -1 / 60


def test_a_change_that_costs_answers_is_not_called_harmless_before_it_is_a_suspicion() -> None:
    change = Change(layer="serving", what="chat model", before="a", after="b")
    cycle = faulty(serving=range(0, 60, 20)).model_copy(update={"changes": [change]})
    verdict, _ = run(cycle)
    assert verdict.status == "OK"
    assert verdict.reason.endswith("too little evidence of harm so far: serving (chat model).")


def test_past_the_square_root_it_is_suspect_before_it_is_a_fault() -> None:
    statuses, state = [], State()
    for cycle in [asked()] * 30 + [faulty(application=range(6))] * 4:
        verdict, state = run(cycle, state=state)
        statuses.append(verdict.status)
    assert set(statuses[:30]) == {"OK"}
    assert statuses[30:].index("SUSPECT") < statuses[30:].index("FAULT")


@pytest.mark.parametrize("fault", [{"application": range(3)}, {"data": range(10)}])
def test_the_evidence_alone_tells_ok_from_a_suspicion_and_a_suspicion_from_a_fault(
    fault: dict[Layer, range],
) -> None:
    ((layer, _),) = fault.items()
    state, told = State(), []
    for _ in range(8):
        verdict, state = run(faulty(**fault), state=state)
        evidence, limit = verdict.evidence[layer], verdict.threshold
        due = "FAULT" if evidence >= limit else "SUSPECT" if evidence >= sqrt(limit) else "OK"
        told.append((verdict.status, due))
    assert all(status == due for status, due in told)
    assert (told[0][0], told[-1][0]) == ("OK", "FAULT")


@pytest.mark.parametrize(
    ("broken", "most"), [([0, 1, 2, 10, 11], "kind0, kind1"), ([0, 1, 2, 10, 20], "kind0")]
)
def test_a_thin_suspicion_points_to_the_strata_at_least_half_as_bad_as_the_worst(
    broken: list[int], most: str
) -> None:
    verdict, _ = run(*[faulty(data=broken)] * 4)
    assert verdict.status == "SUSPECT"
    assert f", most in {most}; probed again at once." in verdict.reason


def test_a_quiet_stack_is_never_suspect_however_low_the_threshold() -> None:
    verdict, _ = run(*[asked()] * 120, arl=12)
    assert verdict.status == "OK"


def test_harm_within_the_noise_of_the_noisiest_hot_stratum_is_no_suspicion() -> None:
    noisy = BASELINE.model_copy(update={"deltas": {**BASELINE.deltas, "kind1": 0.9}})
    verdict, _ = run(*[scored({"10": 0.6, "11": 0.6}, range(20))] * 2, baseline=noisy)
    assert verdict.evidence["data"] > verdict.threshold**0.5
    assert verdict.status == "OK"


def test_putting_the_layer_back_ends_the_fault_in_the_next_cycle() -> None:
    _, state = run(*[faulty(data=range(30))] * 10)
    verdict, state = run(asked(), state=state)
    assert verdict.status == "OK"
    assert verdict.reason.startswith("Healed (data and all layers together): 60 probes")
    assert verdict.evidence["data"] == 0
    assert state.recent == ()


def test_a_cycle_whose_harm_is_within_noise_is_healed() -> None:
    _, state = run(*[faulty(data=range(10))] * 5)
    verdict, _ = run(scored({"10": 0.9, "11": 0.9}, range(1)), state=state)
    assert (verdict.status, verdict.reason[:6]) == ("OK", "Healed")


def test_users_questions_that_move_while_probes_are_well_are_workload() -> None:
    moved = ["questions are 40% longer"]
    verdict, _ = run(asked(), moved=moved)
    assert (verdict.status, verdict.layers) == ("WORKLOAD", ())
    assert "questions are 40% longer" in verdict.reason
    hurt, _ = run(faulty(data=range(30)), moved=moved)
    assert hurt.status == "FAULT"
    doubted, _ = run(*[faulty(data=range(6))] * 3, moved=moved)
    assert doubted.status == "SUSPECT"


def test_another_ruler_compares_nothing_and_leaves_the_state_alone() -> None:
    relabelled = [PROBES[0].model_copy(update={"values": ("other",)}), *PROBES[1:]]
    _, state = run(faulty(data=range(6)))
    verdict, after = run(asked(), state=state, probes=relabelled)
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
    gone = {"status": "error", "reason": "Unreachable: connection refused", "score": 0.0}
    return rescored(numbers, {cell: gone})


def test_more_than_half_unreachable_is_no_data_and_never_ok() -> None:
    _, state = run(faulty(data=range(6)))
    verdict, after = run(unreachable("00", range(31)), state=state)
    assert (verdict.status, after) == ("NO DATA", state)
    assert "29 of 60" in verdict.reason
    assert "00 for 31 probes" in verdict.reason


def test_half_of_the_probes_are_enough_and_none_are_not() -> None:
    verdict, _ = run(unreachable("00", range(30)))
    assert (verdict.status, verdict.reason[:9]) == ("OK", "30 probes")
    verdict, state = run(asked(replies=[]))
    assert (verdict.status, state) == ("NO DATA", State())


def test_an_answer_that_says_its_model_was_unreachable_is_harm_all_the_same() -> None:
    gone = {"status": "degraded", "reason": "The model is unreachable.", "score": 0.0}
    verdict, _ = run(rescored(range(60), dict.fromkeys(CELLS, gone)))
    assert (verdict.status, verdict.layers) == ("FAULT", ("serving",))


def test_a_few_unreachable_probes_are_left_out_and_blame_no_layer() -> None:
    verdict, _ = run(*[unreachable("11", range(10))] * 10)
    assert verdict.status == "OK"
    assert verdict.reason.startswith("50 probes")


def test_probes_that_were_retired_are_simply_not_compared() -> None:
    kept = [reply.model_dump() for reply in asked().replies if reply.probe >= "p05"]
    verdict, _ = run(asked(replies=kept))
    assert (verdict.status, verdict.reason[:9]) == ("OK", "55 probes")


def test_equal_cycles_give_equal_verdicts() -> None:
    cycle = faulty(data=range(7))
    assert run(*[cycle] * 5) == run(*[cycle] * 5)


def test_a_verdict_and_its_state_survive_json() -> None:
    verdict, state = run(*[faulty(data=range(30))] * 60)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert State.model_validate_json(state.model_dump_json()) == state


def test_a_ruler_without_probes_is_no_data_and_never_ok() -> None:
    nothing = Baseline(digest=digest([]), scores={}, deltas={"all": 0.03})
    verdict, _ = run(asked(replies=[]), probes=[], baseline=nothing)
    assert verdict.status == "NO DATA"
