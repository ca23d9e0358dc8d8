"""A trial heals by the card, takes its fault out of the live index, and counts only the former."""

from datetime import UTC, datetime

import pytest
from tests.fakes.layers_app import card_of, cycle, verdict

from evals.drill.drill import Drill
from evals.drill.trial import BY_DRILL, CYCLES, run
from evals.drill.trials import figures
from evals.machine import Origin

HERE = Origin(command="c", commit="c", date="d", machine="m")


class Oracle:
    def harm(self):
        return 0.5


@pytest.fixture
def trial(tmp_path):
    log = tmp_path / "log"

    def trial(*statuses, heals="ingestion restore p", layer="data"):
        drill = Drill(
            name="d",
            layer=layer,
            title="t",
            run=[f"sh -c 'echo injected >> {log}'"],
            undo=[f"sh -c 'echo undone >> {log}'"],
        )
        cards = iter(statuses)

        def told(word):
            with log.open("a") as file:
                file.write(f"{word}\n")

        def once():
            status = next(cards)
            return card_of(cycle(), verdict(status, *([layer] if status == "FAULT" else [])))

        def heal(card):
            told("healed")
            return heals

        arguments = (drill, {}, tmp_path / "saved", Oracle(), once, tmp_path / "cards", heal)
        outcome = run(*arguments, lambda: told("resumed"), "c0ffee")
        return outcome, log.read_text().split()

    return trial


def test_the_live_index_is_back_before_the_fault_is_taken_out(trial):
    outcome, order = trial("SUSPECT", "FAULT", "OK")
    assert order == ["injected", "healed", "resumed", "undone"]
    assert (outcome.named, outcome.cycles, outcome.healed) == (("data",), 2, True)
    assert outcome.reverted_by == "ingestion restore p"


def test_a_fault_that_is_never_named_is_taken_out_all_the_same(trial):
    outcome, order = trial(*["OK"] * (CYCLES + 1))
    assert order == ["injected", "resumed", "undone"]
    assert (outcome.status, outcome.named) == ("OK", ())


def test_a_model_that_the_card_restarted_is_not_restarted_again(trial):
    outcome, order = trial("FAULT", "OK", layer="serving", heals="demo restart llm --accepted")
    assert outcome.healed
    assert order == ["injected", "healed", "resumed"]


def test_a_doubtful_verdict_is_probed_again(trial):
    outcome, _ = trial("UNSURE", "SUSPECT", "FAULT", "OK")
    assert (outcome.status, outcome.cycles) == ("FAULT", 3)


def test_healing_by_the_drill_itself_is_not_the_cards(trial):
    outcome, _ = trial("FAULT", "OK", heals="")
    assert (outcome.reverted_by, outcome.healed) == (BY_DRILL, True)
    found = {row.id: row.value for row in figures([outcome], HERE)}
    assert found["real_engine_healed"] == 0
    assert found["real_engine_exact_set"] == 1


def test_a_drill_without_harm_is_in_no_share(trial):
    outcome, _ = trial("FAULT", "OK")
    harmless = outcome.model_copy(update={"harm": 0.01, "at": datetime(2026, 1, 1, tzinfo=UTC)})
    found = {row.id: row.value for row in figures([harmless], HERE)}
    assert found["real_engine_faults"] == 0
    assert "real_engine_exact_set" not in found
