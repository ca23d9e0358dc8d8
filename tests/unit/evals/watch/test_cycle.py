"""A cycle accounts for what each layer does, and never raises for it; its layers: conftest.py."""

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest

from contracts.index import ChunkPayload
from contracts.status import Hold, RawDocument
from evals.clients.qdrant import IndexContent
from evals.errors import SyncFailed, Unavailable
from evals.watch import cycle as module
from evals.watch.cycle import ASKED_AS_USERS, Cycles
from evals.watch.model import CELLS, Indicator

AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
OTHER = "Everyone has 30 days of leave in a year."


def test_a_stack_that_changes_while_it_is_asked_is_no_data_and_blames_no_layer(layers, monkeypatch):
    ask_cells, other = layers.ask_cells, layers.other_llm()

    def restarted_meanwhile(*arguments):
        layers.models.llm = lambda url: other
        return ask_cells(*arguments)

    monkeypatch.setattr(module, "ask_cells", restarted_meanwhile)
    assert "changed while it was asked" in layers.cycle().cycle.error
    assert layers.cycle().cycle.error is None  # the next one compares what is there now


def test_a_healthy_stack_has_every_reply_and_nothing_to_tell(layers):
    seen = layers.cycle()
    assert len(seen.cycle.replies) == len(layers.probes) * len(CELLS)
    assert (seen.cycle.error, seen.cycle.changes, seen.cycle.indicators) == (None, [], [])
    assert (seen.cycle.lag_seconds, seen.cycle.generations) == ({"sample": 60.0}, 4)
    assert (seen.probes, seen.facts.application) == (layers.probes, layers.status)
    assert layers.asked_pinned == "pinned"


@pytest.mark.parametrize("layer", ["index", "reference", "audit", "freshness", "cells"])
def test_a_layer_that_does_not_answer_is_no_data_with_its_reason(
    layers, raises, monkeypatch, layer
):
    target, name = {
        "index": (module.qdrant, "content"),
        "reference": (Cycles, "status"),
        "audit": (layers.sources, "audit"),
        "freshness": (layers.sources, "status"),
        "cells": (module, "ask_cells"),
    }[layer]
    monkeypatch.setattr(target, name, raises(Unavailable(f"The {layer} is gone: start it.")))
    seen = layers.cycle()
    assert (seen.cycle.error, seen.cycle.replies) == (f"The {layer} is gone: start it.", [])


@pytest.mark.parametrize("change", [{"build": "b2"}, {"bundle": "x2"}])
def test_a_reference_that_is_not_the_accepted_application_is_no_data(layers, change):
    layers.statuses["http://ref"] = layers.status.model_copy(update=change)
    seen = layers.cycle()
    assert "is not the accepted one" in seen.cycle.error
    assert layers.asked == []


def test_models_and_an_application_that_are_silent_are_changes_and_no_lack_of_data(
    layers, raises, monkeypatch
):
    gone = raises(Unavailable("gone"))
    layers.models.llm = layers.models.embedder = gone
    monkeypatch.setattr(
        Cycles, "status", lambda _, url: gone() if url == "http://live" else layers.status
    )
    seen = layers.cycle().cycle
    told = {("serving", "embedder"), ("serving", "chat model"), ("application", "build")}
    assert seen.error is None
    assert {(change.layer, change.what) for change in seen.changes} == told
    assert {(found.layer, found.what) for found in seen.indicators} == told
    assert layers.cycles().fingerprints() == [None, None, None, None]


def test_what_changed_is_told_of_its_layer_and_the_heartbeat_is_no_change(layers):
    live = layers.content("v2")
    beat = live.documents[layers.page].model_copy(update={"document_id": "canary/heartbeat.md"})
    documents = live.documents | {beat.document_id: beat}
    layers.indexes["faultline"] = live.model_copy(update={"documents": documents})
    layers.models.llm = lambda url: layers.other_llm()
    layers.statuses["http://live"] = layers.status.model_copy(update={"build": "b2"})
    details = {change.layer: change.detail for change in layers.cycle().cycle.changes}
    assert details == {
        "data": f"1 documents ({layers.page}) modified.",
        "serving": "Another template.",
        "application": "The application runs other code than was accepted.",
    }


@pytest.mark.parametrize("changed", ["build", "bundle", "embedder", "llm"])
def test_each_layer_that_changes_changes_the_fingerprints(layers, changed):
    cycles = layers.cycles()
    before = cycles.fingerprints()
    assert cycles.fingerprints() == before
    if changed in ("build", "bundle"):
        layers.statuses["http://live"] = layers.status.model_copy(update={changed: "other"})
    elif changed == "llm":
        layers.models.llm = lambda url: layers.other_llm()
    else:
        other = layers.models.embedder().model_copy(update={"sparse": "other"})
        layers.models.embedder = lambda: other
    assert cycles.fingerprints() != before


@pytest.mark.parametrize(
    ("version", "text", "retired"),
    [("v2", OTHER, True), ("v2", "Everyone has 28 days of leave.", False), ("v1", OTHER, False)],
    ids=["value gone", "value there still", "as accepted"],
)
def test_a_golden_whose_source_holds_its_value_no_more_leaves_the_ruler(
    layers, version, text, retired
):
    layers.indexes["faultline"] = layers.content(version)
    layers.raw[layers.page] = RawDocument(
        document_id=layers.page, found=True, version="v2", text=text
    )
    seen = layers.cycle()
    left = ["canary"] * 2 if retired else ["canary"] * 2 + ["golden"] * 2
    assert [probe.origin for probe in seen.probes] == left
    assert layers.asked == seen.probes


def test_a_golden_whose_page_left_the_index_is_looked_up_in_its_source(layers):
    layers.indexes["faultline"] = IndexContent(documents={}, chunks={}, dense={}, spec=None)
    assert layers.cycle().probes == layers.probes
    layers.raw[layers.page] = RawDocument(
        document_id=layers.page, found=True, version="v2", text=OTHER
    )
    assert layers.cycle().probes == layers.probes[:2]


@pytest.mark.parametrize(
    ("gone", "of", "is_damage"), [(4, 4, False), (5, 30, True), (5, 50, False), (6, 50, True)]
)
def test_many_values_that_leave_the_source_at_once_are_damage_and_asked_all_the_same(
    layers, gone, of, is_damage
):
    canary, golden = layers.probes[0], layers.probes[-1]
    elsewhere = golden.model_copy(update={"documents": ("sample/elsewhere.md",)})
    layers.probes = [canary] + [
        (golden if n < gone else elsewhere).model_copy(update={"id": f"g{n}"}) for n in range(of)
    ]
    layers.replies = layers.replied()
    layers.indexes["faultline"] = layers.content("v2")
    layers.raw[layers.page] = RawDocument(
        document_id=layers.page, found=True, version="v2", text=OTHER
    )
    seen = layers.cycle()
    assert len(seen.probes) == 1 + (of if is_damage else of - gone)
    told = [i.detail for i in seen.cycle.indicators if i.what == "goldens"]
    said = f"The values of {gone} of {of} golden probes are gone from the source itself."
    assert [detail[: len(said)] for detail in told] == ([said] if is_damage else [])


@pytest.mark.parametrize(
    ("lag", "words"),
    [(86_401.0, "sample was in sync 24.0 hours ago."), (None, "sample was never in sync.")],
)
def test_a_stale_source_speaks_against_the_data(layers, lag, words):
    layers.sources.status = lambda: [layers.fresh(86_400.0), layers.fresh(lag)]
    assert layers.indicators() == [
        Indicator(layer="data", source="freshness", what="sample", detail=words)
    ]


def test_what_ingestion_itself_says_of_a_source_is_told_in_its_words(layers):
    held = layers.fresh(60.0).model_copy(update={"reason": "run held", "detail": "Half is gone."})
    layers.sources.status = lambda: [held]
    [told] = layers.indicators()
    assert told.detail == "run held: Half is gone."


def test_a_source_of_which_a_guard_holds_a_run_is_told(layers):
    hold = Hold(run_id="r1", since=AT, digest="d", reasons=["half is gone"])
    free, held = layers.fresh(60.0), layers.fresh(60.0).model_copy(update={"hold": hold})
    layers.sources.status = lambda: [free.model_copy(update={"source": "mail"}), held]
    assert layers.cycle().cycle.held == ("sample",)


@pytest.mark.parametrize("ended", ["badly", "with a failure"])
def test_a_heartbeat_that_does_not_arrive_speaks_against_the_data(layers, raises, ended):
    failed = SimpleNamespace(status="failed", error="The worker is gone.")
    layers.sources.run = {
        "badly": raises(SyncFailed("The worker is gone.")),
        "with a failure": lambda source: failed,
    }[ended]
    (found,) = layers.indicators()
    assert (found.layer, found.source, found.what) == ("data", "freshness", "heartbeat")
    assert "The worker is gone." in found.detail


def test_the_heartbeat_page_holds_the_cycles_own_value_when_its_source_runs(layers):
    page, written = layers.settings.canaries / "heartbeat.md", []

    def run(source):
        written.append((source, page.read_text()))
        return SimpleNamespace(status="complete", error=None)

    layers.sources.run = run
    id = layers.cycle().cycle.id
    assert written == [("canary", f"# Heartbeat\n\nThe value of this cycle is {id}.\n")]


def test_a_lost_value_is_looked_for_in_the_index_of_its_cell(layers):
    fields = {"tenant": "default", "source": "sample", "version": "v1", "headings": []}
    fields |= {"ordinal": 0, "start": 0, "end": 1, "run_id": "r"}
    held = ChunkPayload(document_id=layers.page, text=layers.span, **fields)
    pinned = layers.content().model_copy(update={"chunks": {"c": held}, "dense": {"c": [1.0]}})
    layers.indexes["pinned"], layers.replies = pinned, layers.replied(score=0.0)
    found = {(reply.cell, reply.in_index) for reply in layers.cycle().cycle.replies}
    assert found == {("00", True), ("01", True), ("10", False), ("11", False)}


def test_the_copy_of_a_later_accept_is_read_in_its_turn(layers):
    cycles, first = layers.cycles(), layers.accepted()
    second = first.model_copy(update={"pin": first.pin.model_copy(update={"index": "pinned-2"})})
    layers.indexes["pinned-2"] = layers.content("v0")
    assert cycles.run(first).pinned == layers.indexes["pinned"]
    assert cycles.run(second).pinned == layers.indexes["pinned-2"]


def test_users_are_held_against_what_the_live_cell_answered(layers):
    layers.replies = [
        reply if reply.cell == "11" else reply.model_copy(update={"text": "30 days"})
        for reply in layers.replied()
    ]
    assert layers.indicators() == []


@pytest.mark.parametrize("answer", ["I cannot say.", "", None])
def test_users_who_get_another_answer_than_probes_speak_against_the_application(layers, answer):
    layers.users_get = answer
    (found,) = layers.indicators()
    assert (found.layer, found.source, found.what) == ("application", "contract", "users")
    assert found.detail.startswith("Users get another answer than the probes do, e.g. to 'Question")


def test_every_probe_goes_the_users_way_in_its_turn(layers, monkeypatch):
    hours = (AT + timedelta(hours=number) for number in count())
    monkeypatch.setattr(module, "datetime", SimpleNamespace(now=lambda zone: next(hours)))
    assert len(layers.probes) > ASKED_AS_USERS
    for _ in range(8):
        layers.cycle()
    assert layers.as_users == {probe.id for probe in layers.probes}


def test_the_accepted_score_stands_where_another_request_was_sent(layers):
    others = {"golden/1": {"prompt": "{}"}}
    layers.replies = [
        reply.model_copy(update={"score": float(reply.cell != "00")} | others.get(reply.probe, {}))
        for reply in layers.replied()
    ]
    replayed = layers.cycle().cycle.replayed
    assert replayed == {"canary/0": 0, "canary/1": 0, "golden/0": 0, "golden/1": 0.9}
