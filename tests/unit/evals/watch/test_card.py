"""The card says who, how much, since when, why, and what heals it; texts can do nothing in it."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from tests.fakes.layers_app import (
    AT,
    BASELINE,
    DELTAS,
    EDIT,
    LENGTH,
    OWNERS,
    PROBES,
    card_of,
    cycle,
    reply,
    verdict,
)

from evals.watch.card import build, hot_probes, owners
from evals.watch.card_text import as_markdown, as_terminal, readings
from evals.watch.model import CELLS, Change, Estimate, Indicator

ROOT = Path(__file__).parents[4]


def test_the_title_names_layer_share_strata_time_and_cause():
    card = card_of(cycle(changes=[EDIT]), verdict("FAULT", "application"))
    assert card.title == (
        "The application broke 50% of the answers to table probes since 14:00 UTC: "
        "the prompt answer.v1.md was edited in place."
    )


def test_an_older_onset_has_its_date_and_two_faults_are_both_named():
    old = EDIT.model_copy(update={"since": AT - timedelta(days=2)})
    card = card_of(
        cycle(("10", "01", "11"), changes=[EDIT, old]), verdict("FAULT", "data", "application")
    )
    assert card.title.startswith("The data and the application broke 100%")
    assert "since 21 Nov 16:00 UTC" in card.title
    assert "nothing that the data layer reports of itself has changed; the prompt" in card.title


def test_an_audit_is_the_cause_where_no_fingerprint_changed():
    found = Indicator(layer="data", source="audit", what="text lost", detail="Tables are gone.")
    drift = Indicator(layer="data", source="drift", what="table", detail="Fewer tables.")
    card = card_of(cycle(("10", "11"), indicators=[drift, found]), verdict("FAULT", "data"))
    assert card.title.endswith("UTC: tables are gone (and 1 more).")


def test_documents_that_lost_content_are_the_title_where_no_probe_tells_of_them():
    found = Indicator(layer="data", source="audit", what="sample", detail="Shape: 9 documents.")
    told = verdict("FAULT", "data", hot={"data": ("audit of sample",)})
    card = card_of(cycle((), indicators=[found]), told)
    assert card.title.startswith("The data lost content of documents (audit of sample) since ")
    assert [row.right for row in card.switches] == [True] * 4


def test_a_long_cause_is_cut_to_its_first_sentence():
    edit = EDIT.model_copy(update={"detail": f"A prompt changed. {'And so did others. ' * 20}"})
    assert card_of(cycle(changes=[edit]), verdict("FAULT", "application")).title.endswith(
        "UTC: a prompt changed."
    )


@pytest.mark.parametrize("status", ["OK", "SUSPECT", "UNSURE", "WORKLOAD", "RULER", "NO DATA"])
def test_without_a_fault_the_title_is_the_reason_and_no_layer_is_blamed(status):
    told = verdict(status, reason="Eight words on why this is the verdict.")
    card = card_of(cycle(()), told)
    assert card.title == "Eight words on why this is the verdict."
    assert card.reverts == []


@pytest.mark.parametrize(
    ("broken", "right", "said"),
    [
        ((), [True] * 4, ["not they", "not it", "not it", "what users get"]),
        (CELLS, [False] * 4, ["they broke it", "the data came live", "the application came live"]),
        (("10", "11"), [True, False, True, False], ["not they", "the data came live: it broke it"]),
        (
            ("01", "11"),
            [True, True, False, False],
            ["not they", "not it", "application came live: it"],
        ),
        (("11",), [True, True, True, False], ["not they", "not it", "not it", "only where both"]),
    ],
)
def test_the_four_rows_say_which_switch_broke_it(broken, right, said):
    card = card_of(cycle(broken), verdict("FAULT", "application"))
    assert [(row.data, row.application) for row in card.switches] == [
        ("pinned", "pinned"),
        ("live", "pinned"),
        ("pinned", "live"),
        ("live", "live"),
    ]
    assert [row.right for row in card.switches] == right
    assert all(part in row for part, row in zip(said, readings(card.switches), strict=False))


def test_a_row_within_its_stratums_noise_is_right():
    card = card_of(cycle(probes=1), verdict("FAULT", "application"))
    assert card.switches[3].right is False
    noisy = build(verdict("OK"), cycle(probes=1), PROBES, BASELINE, {"all": 0.2}, OWNERS, {})
    assert noisy.switches[3].right is True


def test_only_probes_of_hot_strata_count_and_all_where_the_pooled_stream_is_hot():
    told = verdict("FAULT", "application", hot={"application": ("table",)})
    assert [probe.id for probe in hot_probes(told, PROBES)] == ["p0", "p1", "p2"]
    pooled = verdict(
        "FAULT", "data", "application", hot={"data": ("all",), "application": ("table",)}
    )
    assert hot_probes(pooled, PROBES) == PROBES


def test_the_ladder_is_where_most_of_the_worse_probes_lost_the_value():
    seen = cycle()
    lost = [
        reply(PROBES[int(r.probe[1])], r.cell, r.score, retrieved=False)
        if r.cell == "11" and r.probe in ("p1", "p2")
        else r
        for r in seen.replies
    ]
    card = card_of(seen.model_copy(update={"replies": lost}), verdict("FAULT", "application"))
    assert card.ladder == "the value was not retrieved (2 of 3 worse probes)"


@pytest.mark.parametrize(
    ("layers", "broken"),
    [(("data",), ("10", "11")), (("application",), ("01", "11"))],
)
def test_examples_show_what_the_layer_put_back_gives_beside_what_users_get(layers, broken):
    card = card_of(cycle(broken), verdict("FAULT", *layers))
    assert len(card.examples) == 3
    worst = card.examples[1]
    assert (worst.expected, worst.before) == ("17 kWh", "It allows 17 kWh [1].")
    assert worst.after.startswith("The passages are about travel.")
    assert "Briefly" not in worst.prompt_before
    assert "Briefly" in worst.prompt_after


def test_examples_of_a_models_fault_show_the_accepted_answer():
    accepted = {probe.id: reply(probe, "11", 1.0) for probe in PROBES}
    card = card_of(cycle(CELLS), verdict("FAULT", "serving"), accepted=accepted)
    assert card.examples[1].before == "It allows 17 kWh [1]."


@pytest.mark.parametrize(
    ("replayed", "named"), [(0.0, "mostly the generator"), (1.0, "mostly the embedder")]
)
def test_replays_tell_the_generator_from_the_embedder(replayed, named):
    seen = cycle(CELLS, replayed={probe.id: replayed for probe in PROBES})
    assert card_of(seen, verdict("FAULT", "serving")).serving_split.startswith(named)
    assert card_of(seen, verdict("FAULT", "data")).serving_split is None


def change(layer, what, detail=""):
    return Change(layer=layer, what=what, before="b1", after="b2", detail=detail)


@pytest.mark.parametrize(
    ("layer", "changes", "command"),
    [
        ("data", [], "ingestion restore pin-7"),
        ("application", [change("application", "bundle")], "application bundle rollback"),
        ("application", [change("application", "build")], "demo restart application --accepted"),
        (
            "application",
            [change("application", "build"), change("application", "bundle")],
            "application bundle rollback && demo restart application --accepted",
        ),
        ("application", [], "application bundle rollback"),
        ("serving", [change("serving", "chat model")], "demo restart llm --accepted"),
        ("serving", [change("serving", "embedder")], "demo restart embedder --accepted"),
        (
            "serving",
            [change("serving", "chat model at http://b"), change("serving", "embedder")],
            "demo restart embedder --accepted && demo restart llm --accepted",
        ),
        ("serving", [], "demo restart llm --accepted"),
    ],
)
def test_what_heals_is_a_command_with_the_expected_gain(layer, changes, command):
    told = verdict("FAULT", layer)
    card = card_of(cycle(changes=changes), told, pin="pin-7")
    (revert,) = card.reverts
    assert revert.command == command
    assert revert.expected == Estimate(value=0.31, low=0.22, high=0.4)


def test_a_program_is_named_as_a_person_types_it():
    restart = "bin/demo restart {process} --accepted"
    typed = {"restart": restart, "application": "bin/demo exec application -- application"}
    changes = [change("application", "build"), change("application", "bundle")]
    healed = {"application": Estimate(value=0.31, low=0.22, high=0.4)}
    told = verdict("FAULT", "application")
    card = build(
        told, cycle(changes=changes), PROBES, BASELINE, DELTAS, OWNERS, healed, commands=typed
    )
    assert card.reverts[0].command == (
        "bin/demo exec application -- application bundle rollback"
        " && bin/demo restart application --accepted"
    )


def test_an_undecided_card_offers_only_what_would_heal_for_certain():
    healed = {
        "data": Estimate(value=0.2, low=0.1, high=0.3),
        "application": Estimate(value=0.1, low=-0.1, high=0.3),
    }
    card = build(verdict("UNSURE"), cycle(), PROBES, BASELINE, DELTAS, OWNERS, healed)
    assert [revert.layer for revert in card.reverts] == ["data"]


def test_a_cycle_without_replies_has_a_card_without_rows():
    card = card_of(cycle(replies=[], error="gone"), verdict("NO DATA", reason="gone"))
    assert (card.switches, card.examples, card.ladder) == ([], [], "")
    assert "NO DATA" in as_markdown(card)


def test_owners_are_those_of_the_layers_folders_in_codeowners(tmp_path):
    assert owners(ROOT / "CODEOWNERS")["application"] == "@faultline/product"
    other = tmp_path / "CODEOWNERS"
    other.write_text("* @all\n/serving/ @ml @ops  # models\n")
    assert owners(other) == {"data": "@all", "serving": "@ml @ops", "application": "@all"}
    assert owners(tmp_path / "none") == {}


def test_the_markdown_holds_the_table_the_shares_and_the_revert():
    text = as_markdown(
        card_of(cycle(changes=[EDIT], indicators=[LENGTH]), verdict("FAULT", "application"))
    )
    for part in (
        "| live | live | pinned | 1.00 | ✓ right | the data came live: not it |",
        "application +0.50 [0.31, 0.72]",
        "revert the application, expected +0.31 [0.22, 0.40], by: application bundle rollback",
        "application, bundle since 2026-11-23 14:00 UTC: 9c1d5a7e2b40 -> 51f0c3aa87de",
        "application: @faultline/product",
        "Prompt now:",
    ):
        assert part in text


def test_hostile_texts_neither_format_link_leave_their_fence_nor_steer_a_terminal():
    hostile = reply(
        PROBES[1], "11", 0.0, text="```\n# x\n[a](http://b) <b>\x1b[2J", prompt="````\n# y\x1b[2J"
    )
    seen = cycle()
    replies = [hostile if (r.probe, r.cell) == ("p1", "11") else r for r in seen.replies]
    card = card_of(seen.model_copy(update={"replies": replies}), verdict("FAULT", "application"))
    text = as_markdown(card)
    assert "\x1b" not in text
    assert "`````text\n````\n# y[2J\n`````" in text
    assert r"[a\](http://b) \<b>" in text
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(as_terminal(card))
    assert "The application broke" in console.file.getvalue()
