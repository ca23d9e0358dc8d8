"""The scorecard counts what was named, beside two baselines, and says what it left out."""

from datetime import UTC, datetime

import pytest
from tests.fakes.scored_cycles import BASELINE, PROBES, asked, faulty

from evals.drill import scorecard as module
from evals.drill.page import page
from evals.drill.recording import Recording, Ruler, recorded
from evals.drill.scorecard import (
    HIGH,
    MEDIUM,
    SEEDS,
    Recordings,
    as_it_was,
    false_alarms,
    figures,
    poisson,
    severity,
    simulated,
)
from evals.drill.simulate import Run
from evals.errors import DatasetError
from evals.machine import Origin

HERE = Origin(command="c", commit="c", date="d", machine="m")
AT = datetime(2026, 1, 1, tzinfo=UTC)
RULER = Ruler(probes=tuple(PROBES), baseline=BASELINE, retrieved=(None,) * len(PROBES))
RUN = Run(
    drill="d",
    recorded_at=AT,
    seed=0,
    flips=0.02,
    layers=("data",),
    harm=0.5,
    was_held=False,
    status="FAULT",
    named=("data",),
    named_at_once=("data",),
    cycles=2,
    questions=120,
    recall_says="data",
    last_says="serving",
    healthy=20,
    alarms=0,
)


def recording(name, layers=("data",), harm=0.5, cycle=None, **changed):
    cycles = (recorded(cycle or faulty(data=range(20)), PROBES),)
    fields = {"title": f"Title of {name}", "commit": "c", "at": AT, "ruler": "r", "cycles": cycles}
    return Recording(drill=name, layers=layers, harm=harm, **fields | changed)


HEALTHY = [recording(f"benign-{name}", (), 0, asked()) for name in ("none", "restart")]


def rows(runs=(RUN,), real=(RUN,), quiet=(3000, 0), noisy=(3000, 0)):
    found = figures(runs, quiet, noisy, real, HERE)
    return {row.id.removeprefix("scorecard_"): row for row in found}


def copy(run, **changed):
    return run.model_copy(update=changed)


@pytest.mark.parametrize(
    ("harm", "name"),
    [(0.03, "low"), (MEDIUM - 0.001, "low"), (MEDIUM, "medium"), (HIGH, "high"), (1, "high")],
)
def test_severity_is_the_harm_to_users(harm, name):
    assert severity(harm) == name


def test_exact_is_the_very_set_and_wrong_is_any_name_beside_it():
    beside = copy(RUN, named=("data", "serving"), drill="e")
    silent = copy(RUN, named=(), status="OK", drill="f")
    doubt = copy(RUN, named=(), status="UNSURE", drill="g")
    found = rows([RUN, beside, silent, doubt])
    assert found["exact_set"].value == 0.25
    assert found["wrong_name"].value == 0.25
    assert found["recall"].value == 0.5
    assert found["unsure"].value == 0.25


def test_low_harm_and_double_faults_are_told_apart():
    low = copy(RUN, harm=MEDIUM - 0.01, named=())
    double = copy(RUN, layers=("data", "serving"), named=("serving", "data"))
    half = copy(double, named=("data",))
    found = rows([RUN, low, double, half])
    assert (found["exact_set"].value, found["exact_set"].n) == (1, 1)
    assert found["low_exact_set"].value == 0
    assert found["double_exact_set"].value == 0.5
    assert found["double_at_once"].value == 0


def test_the_cycles_and_questions_until_a_name_are_medians_of_what_was_named():
    runs = [copy(RUN, cycles=n, questions=60 * n) for n in (1, 2, 9)]
    unnamed = copy(RUN, cycles=12, named=())
    found = rows([*runs, unnamed])
    assert (found["cycles"].value, found["cycles"].n) == (2, 3)
    assert found["questions"].value == 120


def test_the_margin_is_to_the_better_baseline():
    other = copy(RUN, drill="e", layers=("serving",), named=("serving",), recall_says="data")
    found = rows([RUN, other])
    assert (found["by_recall"].value, found["by_change"].value) == (0.5, 0.5)
    assert found["margin"].value == 0.5
    better = rows([copy(RUN, recall_says="application", last_says="data")])
    assert better["margin"].value == 0


def test_alarms_of_twins_and_of_long_healthy_runs_are_counted_together():
    found = rows([copy(RUN, alarms=1, healthy=1000)], quiet=(3000, 1))
    assert found["healthy_cycles"].value == 4000
    assert found["false_alarms"].value == 0.5


def test_no_alarm_leaves_a_rate_of_up_to_three_and_a_bit_by_the_number_of_cycles():
    found = poisson(3000, 0)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1000 * 3.689 / 3000, abs=1e-3)
    two = poisson(1000, 2)  # Garwood: .242 to 7.225
    assert (two.low, two.high) == (pytest.approx(0.242, abs=1e-3), pytest.approx(7.225, abs=1e-3))


def test_the_real_engines_rows_are_of_its_own_runs():
    wrong = copy(RUN, drill="w", named=("serving",), was_held=True)
    double = copy(RUN, drill="x", layers=("data", "serving"), named=("serving", "data"))
    found = rows(real=[RUN, wrong, double])
    assert found["real_exact_set"].value == 0.5
    assert found["real_wrong_name"].value == 0.5
    assert found["real_double_exact_set"].value == 1
    assert found["real_double_at_once"].value == 0
    at_once = copy(double, named_at_once=("serving", "data"))
    assert rows(real=[at_once])["real_double_at_once"].value == 1
    assert found["real_stopped"].value == pytest.approx(1 / 3, abs=1e-3)


def test_what_was_said_on_the_real_engine_is_decided_from_its_cycles_in_their_order():
    found = Recordings([recording("d"), recording("quiet", cycle=asked()), *HEALTHY], {"r": RULER})
    named, silent = as_it_was(found)
    assert (named.named, named.status, named.cycles) == (("data",), "FAULT", 1)
    assert (silent.named, silent.status) == ((), "OK")


def test_every_harmful_drill_runs_by_every_seed_and_an_interrupted_scorecard_goes_on(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "_side_by_side", lambda jobs, label: (job() for job in jobs))
    found = Recordings([recording("d"), recording("harmless", harm=0.01), *HEALTHY], {"r": RULER})
    runs = simulated(found, tmp_path / "runs.jsonl")
    assert [(run.drill, run.seed) for run in runs] == [("d", seed) for seed in range(SEEDS)]
    assert {run.named for run in runs} == {("data",)}
    monkeypatch.setattr(module, "_side_by_side", lambda jobs, label: [] if not jobs else 1 / 0)
    assert simulated(found, tmp_path / "runs.jsonl") == runs


def test_a_run_of_another_recording_is_not_taken_for_one_of_this(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_side_by_side", lambda jobs, label: (job() for job in jobs))
    before = simulated(Recordings([recording("d"), *HEALTHY], {"r": RULER}), tmp_path / "runs")
    again = recording("d", ("serving",), cycle=faulty(serving=range(20)), at=AT.replace(year=2027))
    after = simulated(Recordings([again, *HEALTHY], {"r": RULER}), tmp_path / "runs")
    assert {run.named for run in before} == {("data",)}
    assert {run.named for run in after} == {("serving",)}


def test_a_drill_without_healthy_cycles_of_its_accept_is_told(tmp_path):
    with pytest.raises(DatasetError, match="evals healthy"):
        simulated(Recordings([recording("d")], {"r": RULER}), tmp_path / "runs.jsonl")


def test_false_alarms_are_looked_for_in_as_many_healthy_cycles_as_promised(monkeypatch):
    monkeypatch.setattr(module, "_side_by_side", lambda jobs, label: (job() for job in jobs))
    monkeypatch.setattr(module, "HEALTHY", 40)
    monkeypatch.setattr(module, "BLOCK", 20)
    found = Recordings([recording("d"), *HEALTHY], {"r": RULER})
    assert false_alarms(found, 0.02) == (40, 0)
    sick = [copy(each, cycles=recording("d").cycles) for each in HEALTHY]
    assert false_alarms(Recordings([recording("d"), *sick], {"r": RULER}), 0.02)[1] > 0


def test_jobs_run_in_processes_of_their_own_and_come_in_order():
    from functools import partial

    jobs = [partial(divmod, number, 2) for number in range(5)]
    assert list(module._side_by_side(jobs, "five")) == [divmod(n, 2) for n in range(5)]


def test_the_page_says_who_was_taken_for_whom_and_what_was_left_out():
    missed = copy(RUN, drill="e", layers=("serving",), named=(), status="OK", harm=0.05)
    drills = [
        recording("d"),
        recording("e", ("serving",), 0.05),
        recording("h", ("data",), 0.02),
    ]
    pairs = [("d", "e"), ("d", "h")]
    told = page([*rows().values()], [RUN, missed], drills, [RUN], pairs)
    assert "| **data** | 1 |  |  |  |  |  |" in told
    assert "| **serving** |  |  |  |  |  | 1 |" in told
    assert "| Title of d | data | 0.50 |  | 1 of 1 | 2 |  |" in told
    assert "| Title of e | serving | 0.05 |  | 0 of 1 |  |  |" in told
    assert "| Title of d | data | 1 of 1 | Title of e | serving | 0 of 1 |" in told
    assert told.count("| Title of d | data | 1 of 1 |") == 1  # what did no harm is no look-alike
    assert "- Title of h: harm 0.020" in told
    assert "Title of d: harm" not in told
