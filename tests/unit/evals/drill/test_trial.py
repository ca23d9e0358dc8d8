"""A trial heals by the card, takes its fault out of the live index, and counts only the former."""

from datetime import UTC, datetime
from itertools import count

import pytest
import typer
from tests.fakes.layers_app import card_of, cycle, verdict
from typer.testing import CliRunner

from evals.drill import trial as module
from evals.drill.cli import trial as command
from evals.drill.drill import Drill
from evals.drill.trial import BY_DRILL, CYCLES, HARM, HEALING, NO_EFFECT, run
from evals.drill.trials import Trials, figures
from evals.errors import DrillFailed
from evals.machine import Origin
from evals.settings import Settings
from evals.watch.model import LAYERS, Indicator, Probe

HERE = Origin(command="c", commit="c", date="d", machine="m")


class Oracle:
    def harm(self):
        return 0.5


class Guards:
    """A run is held before each of so many approvals."""

    def __init__(self, held, told):
        self._holds = iter(held)
        self._told = told

    def held(self):
        return next(self._holds, False)

    def approve(self):
        self._told("approved")


@pytest.fixture
def trial(tmp_path):
    log = tmp_path / "log"

    def trial(
        *statuses,
        heals="ingestion restore p",
        layer="data",
        named=None,
        replay=False,
        reports=True,
        held=(),
        layers=(),
        can_heal=True,
        one_by_one=(),
    ):
        parts = [
            Drill(name=half, layers=(half,), title="t", undo=[f"sh -c 'echo {half} >> {log}'"])
            for half in ("data", "serving")
        ]
        drill = Drill(
            name="d",
            layers=("data", "serving") if one_by_one else layers or (layer,),
            title="t",
            run=[f"sh -c 'echo injected >> {log}'"],
            undo=[f"sh -c 'echo undone >> {log}'"],
            parts=parts if one_by_one else [],
        )
        cards, names = iter(statuses), iter(one_by_one)

        def told(word):
            with log.open("a") as file:
                file.write(f"{word}\n")

        class Watcher:
            def once(self):
                status = next(cards)
                of = named if isinstance(named, tuple) else (named or layer,)
                if one_by_one and status == "FAULT":
                    of = (next(names),)
                layers = of if status == "FAULT" else ()
                self.card = card_of(cycle(), verdict(status, *layers))
                return self.card

            def report(self):
                told("reported")
                drifted = [
                    Indicator(layer=at, source="drift", what=f"drift of {at}", detail="d")
                    for at in LAYERS
                ]
                drifted += [
                    Indicator(layer=at, source="contract", what=f"contract of {at}", detail="d")
                    for at in LAYERS
                ]
                return self.card.model_copy(update={"indicators": drifted}) if reports else None

        def heal(card):
            told("healed")
            return heals

        arguments = (drill, {}, tmp_path / "saved", Oracle(), Watcher(), tmp_path / "cards")
        healing = heal if can_heal else None
        guards = Guards(held, told)
        outcome = run(*arguments, healing, lambda: told("resumed"), guards, "c0ffee", replay)
        return outcome, log.read_text().split()

    return trial


def test_the_live_index_is_back_before_the_fault_is_taken_out(trial):
    outcome, order = trial("SUSPECT", "FAULT", "OK")
    assert order == ["injected", "reported", "healed", "resumed", "undone"]
    assert (outcome.named, outcome.cycles, outcome.healed) == (("data",), 2, True)
    assert outcome.reverted_by == "ingestion restore p"


@pytest.mark.parametrize("reports", [True, False])
def test_a_trial_keeps_what_failed_in_the_report_of_its_layers_boundary(trial, tmp_path, reports):
    outcome, _ = trial("FAULT", "OK", reports=reports)
    assert outcome.failed == (("drift of data",) if reports else ())
    assert ("drift of data" in (tmp_path / "cards" / "d.json").read_text()) == reports
    found = {row.id: row.value for row in figures([outcome], HERE)}
    assert found["real_engine_report_shows"] == float(reports)


def test_a_trial_keeps_the_card_the_oracles_harm_and_the_watchers(trial, tmp_path):
    outcome, _ = trial("FAULT", "OK")
    assert '"status": "FAULT"' in (tmp_path / "cards" / "d.json").read_text()
    assert (outcome.harm, outcome.hot_harm) == (0.5, pytest.approx(0.52))
    assert (outcome.drill, outcome.layers, outcome.commit) == ("d", ("data",), "c0ffee")
    assert len(outcome.cycle_seconds) == outcome.cycles == 1
    assert 0 <= outcome.cycle_seconds[0] <= outcome.seconds < 60


@pytest.mark.parametrize(("replay", "named"), [(True, ("data",)), (False, ())])
def test_in_the_workshop_profile_a_verdict_has_five_minutes(trial, monkeypatch, replay, named):
    seconds = count(1000, step=10)  # a cycle takes 30 of them
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(seconds))
    late = [*["OK"] * (CYCLES + 1), "FAULT" if replay else "OK", "OK"]
    assert trial(*late, replay=replay)[0].named == named


def test_a_command_for_another_layer_is_not_run(trial):
    outcome, order = trial("FAULT", "OK", named="application")
    assert order == ["injected", "reported", "resumed", "undone"]
    assert (outcome.named, outcome.reverted_by) == (("application",), BY_DRILL)


@pytest.mark.parametrize("heals", ["ingestion restore p", ""])
def test_healed_is_what_is_well_again_within_its_cycles(trial, heals):
    outcome, _ = trial("FAULT", "UNSURE", "SUSPECT", "OK", heals=heals)
    assert outcome.healed
    outcome, _ = trial("FAULT", *["SUSPECT"] * HEALING, "OK", heals=heals)
    assert not outcome.healed


def test_a_model_that_is_still_wrong_after_the_cards_restart_is_put_back_by_the_drill(trial):
    outcome, order = trial("FAULT", *["FAULT"] * HEALING, layer="serving")
    assert not outcome.healed
    assert order == ["injected", "reported", "healed", "resumed", "undone"]


def test_of_two_faults_each_is_taken_out_by_the_drill_since_a_card_heals_one_at_a_time(trial):
    both = ("data", "serving")
    outcome, order = trial("FAULT", "OK", layers=both, named=both)
    assert order == ["injected", "reported", "resumed", "undone"]
    assert (outcome.layers, outcome.named, outcome.reverted_by) == (both, both, BY_DRILL)


def test_the_fault_that_is_named_first_is_taken_out_and_the_other_one_is_watched_for(trial):
    outcome, order = trial("FAULT", "SUSPECT", "FAULT", "OK", one_by_one=("serving", "data"))
    assert order == ["injected", "serving", "reported", "resumed", "undone"]
    assert (outcome.named_at_once, outcome.named) == (("serving",), ("serving", "data"))
    assert outcome.taken_out == ((), ("serving",), ("serving",))
    assert (outcome.cycles, len(outcome.watched), outcome.status) == (3, 3, "FAULT")


def test_a_second_fault_that_is_not_named_in_its_time_is_missed(trial):
    told = ["FAULT", *["OK"] * (CYCLES + 1)]
    outcome, order = trial(*told, one_by_one=("serving",))
    assert order == ["injected", "serving", "reported", "resumed", "undone"]
    assert (outcome.named, outcome.cycles) == (("serving",), 1 + CYCLES)


def test_after_a_wrong_name_nobody_looks_for_the_second_fault(trial):
    outcome, order = trial("FAULT", "OK", one_by_one=("application",))
    assert order == ["injected", "reported", "resumed", "undone"]
    assert outcome.named == ("application",)


def test_half_of_a_way_back_that_a_guard_holds_is_approved_too(trial):
    _, order = trial("FAULT", "FAULT", "OK", one_by_one=("data", "serving"), held=[False, True])
    assert order == ["injected", "data", "approved", "reported", "resumed", "undone"]


def test_a_trial_for_the_record_heals_nothing_and_tells_which_cycles_it_watched(trial):
    outcome, order = trial("SUSPECT", "FAULT", can_heal=False)  # a third cycle would be an error
    assert order == ["injected", "reported", "resumed", "undone"]
    assert outcome.watched == (cycle().id,) * 2


def test_a_benign_change_is_no_trial(tmp_path):
    benign = Drill(name="restart", title="t", run=[f"touch {tmp_path / 'ran'}"], undo=[])
    with pytest.raises(DrillFailed, match="evals healthy"):
        run(benign, {}, tmp_path, Oracle(), None, tmp_path, None, None, None, "c0ffee")
    assert not (tmp_path / "ran").exists()


def test_the_oracles_harm_is_what_users_lose_of_what_was_right(monkeypatch, answer):
    probes = [
        Probe(
            id=id,
            question=id,
            origin="golden",
            strata=(),
            values=("28 days",),
            documents=("source/leave.md",),
            spans=("28 days",),
        )
        for id in ("right", "wrong")
    ]
    good = answer(text="28 days", cites=("leave.md",))
    bad = answer(text="I think 30.")
    said = {"right": good, "wrong": bad}
    monkeypatch.setattr(
        module, "asked_as_users", lambda settings, probes, each: [(p, said[p.id]) for p in probes]
    )
    oracle = module.Oracle(None, probes, None)
    assert oracle.harm() == 0
    said["wrong"] = good  # what a healthy stack gets wrong cannot be lost, nor make up for a loss
    assert oracle.harm() == 0
    said["right"] = answer(text="28 days", cites=("leave.md",), status="degraded")
    assert oracle.harm() == pytest.approx((0.5 + 1) / 2)  # the value, and the model's own words
    said["right"] = None
    assert oracle.harm() == 1


def test_a_drill_without_harm_is_taken_out_unwatched(trial, monkeypatch):
    monkeypatch.setattr(Oracle, "harm", lambda self: HARM / 2)
    outcome, order = trial()
    assert order == ["injected", "resumed", "undone"]
    assert (outcome.status, outcome.cycles, outcome.named) == (NO_EFFECT, 0, ())


def test_a_drill_that_does_just_enough_harm_is_watched(trial, monkeypatch):
    monkeypatch.setattr(Oracle, "harm", lambda self: HARM)
    assert trial("FAULT", "OK")[0].named == ("data",)


def test_a_fault_that_a_guard_held_is_told_as_stopped_and_then_approved(trial, monkeypatch):
    harms = iter((0.01, 0.5))
    monkeypatch.setattr(Oracle, "harm", lambda self: next(harms))
    outcome, order = trial("FAULT", "OK", held=[True])
    assert order == ["injected", "approved", "reported", "healed", "resumed", "undone"]
    assert (outcome.harm_held, outcome.harm, outcome.named) == (0.01, 0.5, ("data",))
    free = outcome.model_copy(update={"harm_held": None})
    found = {row.id: row.value for row in figures([outcome, free], HERE)}
    assert (found["real_engine_stopped"], found["real_engine_faults"]) == (1, 2)
    assert found["real_engine_stopped_harm"] == 0.01


def test_a_way_back_that_a_guard_holds_is_approved_too(trial):
    outcome, order = trial("FAULT", "OK", held=[False, True])
    assert order == ["injected", "reported", "healed", "resumed", "undone", "approved"]
    assert outcome.harm_held is None


def test_a_fault_that_is_never_named_is_taken_out_all_the_same(trial):
    outcome, order = trial(*["OK"] * (CYCLES + 1))
    assert order == ["injected", "reported", "resumed", "undone"]
    assert (outcome.status, outcome.named) == ("OK", ())


def test_a_model_that_the_card_restarted_is_not_restarted_again(trial):
    outcome, order = trial("FAULT", "OK", layer="serving", heals="demo restart llm --accepted")
    assert outcome.healed
    assert order == ["injected", "reported", "healed", "resumed"]


def test_a_doubtful_verdict_is_probed_again(trial):
    outcome, _ = trial("UNSURE", "SUSPECT", "FAULT", "OK")
    assert (outcome.status, outcome.cycles) == ("FAULT", 3)


def test_healing_by_the_drill_itself_is_not_the_cards(trial):
    outcome, _ = trial("FAULT", "OK", heals="")
    assert (outcome.reverted_by, outcome.healed) == (BY_DRILL, True)
    found = {row.id: row.value for row in figures([outcome], HERE)}
    assert found["real_engine_healed"] == 0
    assert found["real_engine_card_heals"] == 0
    assert found["real_engine_exact_set"] == 1


def test_what_was_not_named_had_no_card_that_could_heal(trial):
    outcome, _ = trial("FAULT", "OK")
    unnamed = outcome.model_copy(update={"named": (), "reverted_by": BY_DRILL})
    found = {row.id: row.value for row in figures([outcome, unnamed], HERE)}
    assert (found["real_engine_healed"], found["real_engine_card_heals"]) == (0.5, 1)


def test_a_second_name_beside_the_right_one_is_not_exact_and_is_a_wrong_name(trial):
    outcome, _ = trial("FAULT", "OK")
    both = outcome.model_copy(update={"named": ("data", "application")})
    found = {row.id: row.value for row in figures([both], HERE)}
    assert (found["real_engine_exact_set"], found["real_engine_wrong_name"]) == (0, 1)


def test_double_faults_are_no_part_of_the_single_ones_figures(trial):
    outcome, _ = trial("FAULT", "OK")
    double = outcome.model_copy(update={"layers": ("data", "serving")})
    found = {row.id: row for row in figures([outcome, double], HERE)}
    assert found["real_engine_faults"].value == 1
    assert found["real_engine_exact_set"].value == 1


def test_the_time_to_a_verdict_is_the_longest_of_all(trial):
    outcome, _ = trial("FAULT", "OK", replay=True)
    drills = [outcome.model_copy(update={"seconds": seconds}) for seconds in (200.0, 10.0)]
    found = {row.id: row.value for row in figures(drills, HERE)}
    assert found["verdict_seconds"] == 200


def test_a_drill_without_harm_is_in_no_share(trial):
    outcome, _ = trial("FAULT", "OK")
    harmless = outcome.model_copy(update={"harm": 0.01, "at": datetime(2026, 1, 1, tzinfo=UTC)})
    found = {row.id: row.value for row in figures([harmless], HERE)}
    assert found["real_engine_faults"] == 0
    least = outcome.model_copy(update={"harm": HARM, "at": datetime(2026, 1, 1, tzinfo=UTC)})
    assert {row.id: row.value for row in figures([least], HERE)}["real_engine_faults"] == 1
    assert "real_engine_exact_set" not in found


def test_a_folder_stands_for_its_drills_and_those_done_are_left_out(trial, tmp_path, monkeypatch):
    outcome, _ = trial("FAULT", "OK")
    kept = tmp_path / "state" / "drills" / "outcomes.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_text(outcome.model_dump_json() + "\n")
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "d.yaml").write_text("{layer: data, title: t, run: [nothing-of-this-name]}")
    monkeypatch.setenv("EVALS_STATE_DIR", str(tmp_path / "state"))
    one = typer.Typer()
    one.command()(command)
    found = CliRunner().invoke(one, [str(folder)])
    assert found.exit_code == 0, found.output
    assert "data" in found.output


def test_the_longest_time_until_a_name_is_of_those_named_in_the_workshop_profile(trial):
    outcome, _ = trial("FAULT", "OK", replay=True)
    slow = outcome.model_copy(update={"seconds": 100.0})
    unnamed = outcome.model_copy(update={"seconds": 300.0, "named": ()})
    whole = outcome.model_copy(update={"seconds": 200.0, "replay": False})
    found = {row.id: (row.value, row.n) for row in figures([slow, unnamed, whole], HERE)}
    assert found["verdict_seconds"] == (100, 1)


def test_every_outcome_is_published_and_the_cards_of_those_that_did_harm_without_prompts(
    trial, tmp_path, in_order
):
    outcome, _ = trial("FAULT", "OK")
    settings = Settings(state_dir=tmp_path / "state")
    kept = settings.state_dir / "drills"
    kept.mkdir(parents=True)
    (tmp_path / "cards").rename(kept / "cards")
    (kept / "cards" / "harmless.json").write_bytes((kept / "cards" / "d.json").read_bytes())
    harmless = outcome.model_copy(update={"drill": "harmless", "harm": 0.01})
    lines = [each.model_dump_json() + "\n" for each in (outcome, harmless)]
    (kept / "outcomes.jsonl").write_text("".join(lines))
    trials = Trials(settings, in_order)
    trials.publish_outcomes(tmp_path / "drills.jsonl")
    assert (tmp_path / "drills.jsonl").read_text() == "".join(lines)
    trials.publish_cards(tmp_path / "published")
    (published,) = (tmp_path / "published").iterdir()
    assert published.name == "d.md"
    assert published.read_text().startswith("# ")
