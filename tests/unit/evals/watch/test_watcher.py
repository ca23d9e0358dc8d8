"""The watcher writes what it decides, and moves its baseline for the worse with a reason only."""

from datetime import timedelta

import pytest
from tests.fakes.layers_app import card_of, cycle, verdict

from contracts.status import GateResult
from evals.errors import NotAccepted
from evals.watch import watcher as module
from evals.watch.ledger import Ledger
from evals.watch.model import Change
from evals.watch.watcher import Watcher


def accept_first(watched):
    """Put a first baseline into the ledger, as `evals accept` would."""
    watched.watcher.accept()
    watched.dropped.clear()


def of(watched, what):
    with Ledger(watched.settings.ledger) as ledger:
        return getattr(ledger, what)()


def test_before_the_first_accept_there_is_nothing_to_watch(watched):
    for asked in (watched.watcher.once, watched.watcher.gate):
        with pytest.raises(NotAccepted, match="make accept"):
            asked()
    assert watched.watcher.report() is None
    assert watched.ran == []


def test_an_accept_a_cycle_and_a_gate_take_their_turns(watched):
    accept_first(watched)
    watched.watcher.once()
    watched.watcher.gate()
    assert watched.turns == [True] * 3


def test_a_cycle_leaves_cycle_verdict_card_and_facts_in_the_ledger_and_is_told(watched):
    accept_first(watched)
    watched.changes = [Change(layer="data", what="index content", before="a", after="b")]
    card = watched.watcher.once()
    assert watched.ran == [watched.accepted]
    assert (card.verdict.status, watched.told) == ("OK", ["OK"])
    ((told, kept),) = of(watched, "last")
    assert (told, kept) == (card.verdict, card)
    assert of(watched, "cycle").replies == watched.replies
    assert of(watched, "cycle").changes[0].since == watched.accepted.at
    assert of(watched, "facts")["application"].versions["build"] == "b1"


def test_evidence_grows_from_cycle_to_cycle_until_the_layer_is_named(watched):
    accept_first(watched)
    watched.replies = [reply.model_copy(update={"score": 0.0}) for reply in watched.replies]
    cards = [watched.watcher.once() for _ in range(6)]
    statuses = [card.verdict.status for card in cards]
    assert statuses == sorted(statuses, key=["OK", "SUSPECT", "FAULT"].index)
    assert set(statuses) == {"OK", "SUSPECT", "FAULT"}
    assert cards[-1].verdict.layers == ("serving",)
    assert cards[-1].reverts[0].expected.value == 1
    assert watched.told == statuses


def test_a_cycle_without_data_keeps_its_reason_and_the_facts_of_the_last_one(watched):
    accept_first(watched)
    watched.watcher.once()
    watched.error = "The pinned index is gone."
    card = watched.watcher.once()
    assert (card.verdict.status, card.verdict.reason) == ("NO DATA", "The pinned index is gone.")
    assert watched.watcher.report() == card
    assert of(watched, "facts")["data"].versions["documents"] == "1"


def test_a_change_dates_from_its_first_cycle_though_one_between_had_no_data(watched):
    accept_first(watched)
    change = Change(layer="data", what="index content", before="a", after="b")
    for changes, error in (([change], None), ([], "The index is gone."), ([change], None)):
        watched.changes, watched.error = changes, error
        card = watched.watcher.once()
    assert [each.since for each in card.changes] == [watched.accepted.at]
    watched.changes = []
    watched.watcher.once()
    watched.changes = [change]
    card = watched.watcher.once()  # put back meanwhile, and changed anew
    assert [each.since for each in card.changes] == [watched.accepted.at + timedelta(hours=4)]


@pytest.mark.parametrize("change", ["a label", "a probe that is gone"])
def test_probes_that_are_not_the_accepted_ones_are_another_ruler(watched, change):
    accept_first(watched)
    other = watched.now[0].model_copy(update={"values": ("30 days",)})
    watched.now = [*([other] if change == "a label" else []), *watched.now[1:]]
    assert watched.watcher.once().verdict.status == "RULER"


def test_strata_are_those_of_the_accept_and_new_questions_wait_for_the_next_one(watched):
    accept_first(watched)
    watched.now = [probe.model_copy(update={"strata": ("new",)}) for probe in watched.now]
    watched.now.append(watched.now[0].model_copy(update={"id": "another"}))
    assert watched.watcher.once().verdict.status == "OK"


def test_users_questions_that_moved_while_probes_are_well_are_told(watched, monkeypatch):
    accept_first(watched)
    monkeypatch.setattr(module.workload, "told", lambda *_: ["questions grew longer"])
    card = watched.watcher.once()
    assert (card.verdict.status, watched.told) == ("WORKLOAD", ["WORKLOAD"])
    assert "questions grew longer" in card.title


@pytest.mark.parametrize("status", ["FAULT", "SUSPECT", "UNSURE", "OK", "NO DATA", "RULER"])
def test_a_worse_state_is_accepted_with_a_reason_only(watched, monkeypatch, status):
    accept_first(watched)
    looked = []
    card = card_of(cycle(()), verdict(status))
    monkeypatch.setattr(watched.watcher, "once", lambda: looked.append(status) or card)
    if status in ("FAULT", "SUSPECT", "UNSURE"):
        with pytest.raises(NotAccepted, match="--reason"):
            watched.watcher.accept()
        assert (len(of(watched, "accepts")), watched.dropped) == (1, [])
        watched.watcher.accept("The new model stays.")
        assert looked == [status]  # and not before an accept that has its reason
    else:
        watched.watcher.accept()
    assert len(of(watched, "accepts")) == 2


def test_the_first_accept_needs_no_cycle_and_each_tells_which_pins_there_are(watched):
    for name in ("first", "second"):
        pin = watched.accepted.pin.model_copy(update={"name": name})
        watched.accepted = watched.accepted.model_copy(update={"pin": pin})
        watched.watcher.accept(None if name == "first" else "why not")
    assert watched.ran == []
    assert [[pin.name for pin in pins] for pins in watched.dropped] == [
        ["first"],
        ["second", "first"],
    ]


def test_a_watcher_that_starts_anew_takes_the_last_verdict_of_the_ledger_as_told(watched):
    accept_first(watched)
    card = watched.watcher.once()
    Watcher(watched.settings, None)
    url, page = watched.settings.webhook_url, "http://127.0.0.1:8090"
    assert watched.hooks == [(url, None, page), (url, card.verdict, page)]


def test_an_accept_lets_the_detectors_start_anew(watched):
    accept_first(watched)
    watched.watcher.once()
    assert of(watched, "state").bets
    watched.watcher.accept("The new model stays.")
    assert of(watched, "state").bets == {}


def test_cycles_are_held_against_the_last_accept(watched):
    accept_first(watched)
    watched.accepted = watched.accepted.model_copy(update={"reason": "The new model stays."})
    watched.watcher.accept("The new model stays.")
    watched.watcher.once()
    assert [accepted.reason for accepted in watched.ran] == ["The new model stays."]


@pytest.mark.parametrize("is_worse", [False, True])
def test_a_gate_writes_its_result_under_the_name_of_the_bundle(watched, is_worse):
    accept_first(watched)
    watched.status = watched.status.model_copy(update={"bundle": "x2"})
    watched.replies = [
        reply.model_copy(update={"retrieved": True, "score": float(not is_worse)})
        for reply in watched.replies
    ]
    result = watched.watcher.gate()
    assert (result.passed, result.bundle, result.build) == (not is_worse, "x2", "b1")
    (written,) = watched.settings.gates.iterdir()
    kept = GateResult.model_validate_json(written.read_text())
    assert (written.name, kept.passed, kept.summary) == ("x2.json", not is_worse, result.summary)
    assert of(watched, "last") == []  # a gate is no cycle


def test_a_gate_without_data_passes_nothing(watched):
    accept_first(watched)
    watched.error = "The pinned index is gone."
    with pytest.raises(NotAccepted, match="nothing to compare: The pinned index is gone"):
        watched.watcher.gate()
    assert not watched.settings.gates.exists()
