from math import sqrt

import pytest

from evals.errors import DatasetError
from evals.probes.selection import ProbeSet, digest, select
from evals.watch.model import CellReply, Probe


def probe(number: int) -> Probe:
    return Probe(
        id=f"p{number}",
        question="?",
        origin="golden" if number < 30 else "canary",
        strata=("even" if number % 2 == 0 else "odd", *(("rare",) if number < 2 else ())),
        values=() if number < 12 else ("v",),
    )


PROBES = [probe(number) for number in range(64)]


def asked(scores: dict[str, float] | None = None) -> list[CellReply]:
    return [
        CellReply(probe=p.id, cell="11", score=(scores or {}).get(p.id, 1.0), status="", text="")
        for p in PROBES
    ]


def test_steady_replies_leave_the_least_delta() -> None:
    chosen = select(PROBES, [asked()] * 4)
    assert chosen.deltas == {"all": 0.03, "even": 0.03, "odd": 0.03}
    assert (chosen.rounds, set(chosen.baseline.values())) == (2, {1.0})


def test_a_probe_that_was_wrong_when_selecting_is_left_out() -> None:
    wrong = asked({"p40": 0.5})
    ids = {p.id for p in select(PROBES, [wrong] * 3).probes}
    assert ids == {p.id for p in PROBES} - {"p40"}


def test_the_baseline_is_measured_on_other_rounds_than_the_selection() -> None:
    rounds = [asked({f"p{n}": 0.0 for n in range(60, 64)} if r == 0 else None) for r in range(6)]
    kept = [select(PROBES, rounds, seed) for seed in range(20)]
    by_size = {len(chosen.probes): chosen for chosen in kept}
    assert set(by_size) == {60, 64}  # the bad round selects, or else it is in the baseline
    assert min(by_size[60].baseline.values()) == 1.0
    assert by_size[64].baseline["p60"] == pytest.approx(2 / 3)


def test_noise_widens_the_delta_of_its_stratum_by_two_standard_errors() -> None:
    varying = [asked()[20].model_copy(update={"score": score}) for score in (0.5, 1.0, 0.5)]
    chosen = select(PROBES, [*[asked()] * 4, *([reply] for reply in varying)])
    error = sqrt(chosen.variance["p20"] / 5) / 32  # two whole rounds measure, and three of its own
    assert chosen.baseline["p20"] == pytest.approx(0.8)
    assert chosen.deltas["even"] == pytest.approx(0.03 + 2 * error)
    assert chosen.deltas["odd"] == 0.03


def test_a_small_stratum_is_pooled_only() -> None:
    chosen = select(PROBES, [asked()] * 3)
    assert not any("rare" in p.strata for p in chosen.probes)
    assert "rare" not in chosen.deltas


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (range(30, 40), "54 of 60 probes"),
        (range(12, 26), "16 of 20 goldens"),
        (range(3), "9 of 10 probes whose answer is to abstain"),
    ],
)
def test_too_few_right_probes_are_refused_with_their_number(wrong: range, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        select(PROBES, [asked({f"p{number}": 0.0 for number in wrong})] * 3)


def test_a_stratum_of_three_is_large_enough() -> None:
    three = [
        p.model_copy(update={"strata": (*p.strata, "three")}) if n < 3 else p
        for n, p in enumerate(PROBES)
    ]
    assert select(three, [asked()] * 3).deltas["three"] == 0.03


def test_two_rounds_are_too_few() -> None:
    with pytest.raises(DatasetError, match="at least 3 times"):
        select(PROBES, [asked()] * 2)


def test_another_truth_changes_the_digest_and_order_and_strata_do_not() -> None:
    chosen = select(PROBES, [asked()] * 3)
    assert digest(reversed(PROBES)) == chosen.digest
    relabelled = PROBES[20].model_copy(update={"values": ("w",)})
    assert digest([*PROBES[:20], relabelled, *PROBES[21:]]) != chosen.digest


def test_a_probe_set_outlives_its_file() -> None:
    chosen = select(PROBES, [asked()] * 3)
    assert ProbeSet.model_validate_json(chosen.model_dump_json()) == chosen
