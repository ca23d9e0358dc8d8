"""Evidently's reports come after a verdict: what is compared, and what of it joins the card."""

import pytest

from contracts.index import ChunkPayload
from evals.watch import watcher as module
from evals.watch.ledger import Ledger
from evals.watch.model import Indicator

DRIFT = Indicator(layer="data", source="drift", what="mojibake", detail="It rose.")


@pytest.fixture
def sides(watched, monkeypatch):
    """What a report compares: the accepted side and the live one."""
    compared = []

    def indicators(workspace, id, *both):
        assert watched.watcher._reporting.locked()  # two reports would spoil one workspace
        compared.extend(both)
        return [DRIFT]

    monkeypatch.setattr(module.drift, "indicators", indicators)
    monkeypatch.setattr(
        module.drift, "events_of", lambda path, cycle, probes, cell: [(path, cycle.id, cell)]
    )
    watched.watcher.accept()
    return compared


def test_what_drifted_joins_the_card_of_the_last_cycle_once(watched, sides):
    card = watched.watcher.once()
    told = watched.watcher.report()
    assert told.indicators == [*card.indicators, DRIFT]
    assert watched.watcher.report() is None
    with Ledger(watched.settings.ledger) as ledger:
        assert ledger.card() == told


def test_what_users_get_is_compared_with_what_was_accepted(watched, sides):
    watched.replies = [
        reply.model_copy(update={"score": 0.5 if reply.cell == "11" else 0.75})
        for reply in watched.replies
    ]
    card = watched.watcher.once()
    watched.watcher.report()
    then, now = sides
    assert set(then.scores.values()) == {1.0}
    assert set(now.scores.values()) == {0.5}
    assert {share["serving"] for share in now.shares.values()} == {0.25}
    events = watched.settings.events
    assert then.events == [(events, "before", "11")]
    assert now.events == [(events, card.verdict.cycle, "11")]


def test_the_chunks_of_both_indexes_are_compared_and_those_that_no_sync_wrote_are_marked(
    watched, sides, layers
):
    fields = {"tenant": "default", "source": "sample", "version": "v1", "headings": []}
    fields |= {"ordinal": 0, "start": 0, "end": 1, "run_id": "r", "document_id": layers.page}
    was, now = (ChunkPayload(text=text, **fields) for text in ("28 days", "by hand"))
    watched.pinned, watched.live = (
        layers.content().model_copy(update={"chunks": {"c": chunk}, "dense": {"c": [1.0]}})
        for chunk in (was, now)
    )
    watched.watcher.once()
    watched.watcher.report()
    accepted, live = sides
    assert [each.chunk for each in accepted.chunks] == [was]
    assert [each.chunk for each in live.chunks] == [now]
    assert live.edited == [now]
