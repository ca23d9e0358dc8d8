"""From an alarm to the layers that did it, and to what would heal them."""

from math import sqrt

import numpy as np
import pytest
from tests.fakes.scored_cycles import (
    BASELINE,
    PROBES,
    asked,
    faulty,
    rescored,
    run,
    scored,
    until_decided,
)

from evals.watch.decide import estimate, healed
from evals.watch.detector import State, threshold
from evals.watch.model import LAYERS, Layer


@pytest.mark.parametrize("layer", LAYERS)
def test_one_layer_that_breaks_half_the_probes_is_named_alone_at_once(layer: Layer) -> None:
    verdict, _ = run(faulty(**{layer: range(30)}))
    assert (verdict.status, verdict.layers) == ("FAULT", (layer,))
    assert set(verdict.hot[layer]) == {"kind0", "kind1", "kind2"}
    assert verdict.shares[layer].value == 1
    assert verdict.evidence[layer] >= verdict.threshold == threshold()
    assert f"{layer} +1.00 [+1.00, +1.00]" in verdict.reason
    assert verdict.reason.startswith("Answers are right 0.00 of the time, 1.00 accepted, on 30")
    assert "documents lost content" not in verdict.reason


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


@pytest.mark.parametrize(("whole", "share"), [(5, (1 + 1 + 1 + 0.5) / 4), (2, (1 + 0.5) / 2)])
def test_shares_are_means_over_the_cycles_since_the_suspicion_and_four_at_most(
    whole: int, share: float
) -> None:
    # The first cycle of the fault is no suspicion yet.
    cycles = [*[asked()] * 3, *[faulty(data=range(10))] * whole, faulty(data=range(5))]
    verdict, _ = run(*cycles)
    assert verdict.shares["data"].value == pytest.approx(share)


def test_a_layer_without_an_alarm_of_its_own_is_not_named_while_users_lose_nothing() -> None:
    # Models that got better hide a fault of the data; what the application took is no evidence yet.
    accepted = BASELINE.scores | {f"p{number:02}": 0.5 for number in range(10)}
    better = BASELINE.model_copy(update={"scores": accepted})
    cycle = scored({"00": 1.0, "10": 0.5, "01": 0.9, "11": 0.4}, range(10))
    verdict, _ = run(*[cycle] * 6, baseline=better)
    assert (verdict.status, verdict.layers) == ("FAULT", ("data",))
    assert verdict.shares["application"].low > 0.05
    assert verdict.evidence["application"] < verdict.threshold


def test_few_probes_that_are_lost_in_every_cycle_are_named_though_a_bootstrap_may_miss_them() -> (
    None
):
    verdict, _ = until_decided(faulty(data=range(0, 30, 10)))  # three of sixty, one a stratum
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
    assert verdict.shares["data"].value == 0  # of this cycle: those before have another stack


def test_a_layer_that_was_put_back_before_its_own_alarm_is_named_no_more() -> None:
    both = faulty(application=range(30), serving=range(30, 40))
    verdict, state = run(both)
    assert verdict.layers == ("application", "serving")
    verdict, _ = run(faulty(application=range(30)), state=state)
    assert verdict.layers == ("application",)


def test_a_silent_layer_is_named_only_while_it_does_harm() -> None:
    both = faulty(application=range(5, 30), serving=range(5))
    verdict, state = run(both, both)
    assert set(verdict.layers) == {"application", "serving"}
    assert verdict.evidence["serving"] < verdict.threshold  # it has no alarm of its own
    verdict, _ = run(faulty(application=range(5, 30)), state=state)
    assert verdict.layers == ("application",)
    assert verdict.shares["serving"].low > 0.015  # since the suspicion, though not in this cycle


def test_harm_that_no_layers_share_shows_beyond_noise_is_unsure() -> None:
    # Each layer breaks 2 of 60: the six together are plain, the two are not.
    pairs = [range(0, 20, 10), range(20, 40, 10), range(40, 60, 10)]
    verdict, _ = until_decided(faulty(**dict(zip(LAYERS, pairs, strict=True))))
    assert (verdict.status, verdict.layers) == ("UNSURE", ())
    assert "no layer's share is clear of noise" in verdict.reason


def test_strata_past_the_threshold_are_hot_and_not_every_one_that_is_as_bad_now() -> None:
    verdict, _ = run(*[faulty(data=range(16))] * 2)
    assert verdict.hot == {"data": ("kind0",)}


def test_a_suspicion_is_told_of_whom_there_is_most_evidence() -> None:
    verdict, _ = run(faulty(data=range(6)), faulty(data=range(8), serving=range(10, 13)))
    assert verdict.status == "SUSPECT"
    assert verdict.evidence["data"] >= sqrt(threshold())
    assert "the evidence on all layers together is" in verdict.reason


def test_a_silent_layer_is_named_by_half_of_what_is_tolerated() -> None:
    little = {probe.id: 0.96 for probe in PROBES}
    cycle = asked(
        replies=[
            reply.model_copy(update={"score": little[reply.probe] * reply.score})
            for reply in faulty(application=range(30)).replies
        ]
    )
    verdict, _ = run(cycle)
    assert verdict.evidence["serving"] < 2
    assert verdict.shares["serving"].value == pytest.approx(0.04)
    assert set(verdict.layers) == {"application", "serving"}


def test_a_silent_layer_is_held_against_the_widest_tolerance_of_those_that_alarm() -> None:
    noisy = BASELINE.model_copy(update={"deltas": BASELINE.deltas | {"kind0": 0.2}})
    cells = {"01": 0.8, "11": 0.8}
    faults = faulty(data=range(10), serving=range(10, 20))
    cycle = asked(
        replies=[
            reply.model_copy(update={"score": reply.score * cells.get(reply.cell, 1.0)})
            if int(reply.probe[1:]) < 20
            else reply
            for reply in faults.replies
        ]
    )
    verdict, _ = run(*[cycle] * 4, baseline=noisy)
    assert verdict.shares["application"].value == pytest.approx(0.05)
    assert set(verdict.layers) == {"data", "serving"}


def test_documents_that_lost_content_are_hot_for_the_data_alone() -> None:
    audited = BASELINE.model_copy(update={"deltas": BASELINE.deltas | {"audit of sample": 0.05}})
    cycle = faulty(serving=range(30)).model_copy(
        update={"audits": {"audit of sample": (1.0,) * 57}}
    )
    verdict, _ = run(cycle, baseline=audited)
    assert verdict.hot["data"] == ("audit of sample",)
    assert set(verdict.hot["serving"]) == {"kind0", "kind1", "kind2"}


def test_errors_that_were_answered_are_harm_and_blame_their_layer() -> None:
    broken = {"status": "error", "reason": "500: KeyError", "score": 0.0}
    verdict, _ = run(rescored(range(30), {"01": broken, "11": broken}))
    assert verdict.layers == ("application",)


def test_harm_that_comes_and_goes_is_named_from_several_cycles() -> None:
    random, named = np.random.default_rng(3), []
    for _ in range(8):
        state, layers = State(), None
        for _ in range(25):
            hit = [n for n in range(10) if random.random() < 0.3]
            verdict, state = run(faulty(data=hit), state=state)
            if verdict.status in ("FAULT", "UNSURE"):
                layers = verdict.layers
                break
        named.append(layers)
    assert named.count(("data",)) >= 7
    assert all(layers in (("data",), ()) for layers in named)


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


def test_the_expected_heal_has_the_interval_of_its_hot_probes() -> None:
    cycle = faulty(data=range(6))
    verdict, _ = run(*[cycle] * 6)
    heal = healed(verdict, cycle, PROBES, BASELINE)
    assert heal.value == pytest.approx(0.6)
    assert 0.2 < heal.low < 0.6 < heal.high < 1


def test_there_is_no_estimate_of_no_probe() -> None:
    with pytest.raises(ValueError, match="at least one probe"):
        estimate([])
