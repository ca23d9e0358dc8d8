"""Replicas are held against accepted replies one by one; what they confirm may be replayed."""

import pytest

from evals.errors import Unavailable
from evals.watch.model import Indicator
from evals.watch.replicas import REPLICA_REQUESTS


@pytest.mark.parametrize(("wrong", "told"), [(4, True), (3, True), (2, False)])
def test_a_replica_with_few_of_the_accepted_replies_speaks_against_serving(layers, wrong, told):
    layers.models.replicas = ["http://a", "http://b"]
    lost = {probe.id for probe in layers.probes[:wrong]}

    def reply(url, request):
        return "glorb" if url == "http://b" and request["probe"] in lost else "28 days"

    layers.models.reply = reply
    detail = f"http://b gave {4 - wrong} of 4 of the accepted replies."
    found = Indicator(layer="serving", source="contract", what="replica", detail=detail)
    assert layers.indicators() == ([found] if told else [])


def test_a_replica_that_is_silent_gives_none_of_the_accepted_replies(layers, raises):
    layers.models.replicas = ["http://a", "http://b"]
    silent = raises(Unavailable("gone"))
    layers.models.reply = lambda url, request: silent() if url == "http://b" else "28 days"
    assert [found.detail for found in layers.indicators()] == [
        "http://b gave 0 of 4 of the accepted replies."
    ]


@pytest.mark.parametrize(
    ("replay", "replied", "replayed"),
    [(True, "28 days", True), (True, "glorb", False), (False, "28 days", False)],
)
def test_only_models_that_reply_as_accepted_are_replayed_and_only_where_it_is_set(
    layers, replay, replied, replayed
):
    layers.settings = layers.settings.model_copy(update={"replay": replay})
    layers.models.reply = lambda url, request: replied
    id = layers.cycle().cycle.id
    assert layers.asked_as == (f"{id}-accept-before" if replayed else id)
    layers.models.llm = lambda url: layers.other_llm()
    id = layers.cycle().cycle.id
    assert layers.asked_as == id


@pytest.mark.parametrize(("wrong", "of"), [(1, "http://a"), (4, "http://b")])
def test_one_reply_of_one_replica_that_is_not_the_accepted_one_forbids_a_replay(layers, wrong, of):
    layers.settings = layers.settings.model_copy(update={"replay": True})
    layers.models.replicas = ["http://a", "http://b"]
    lost = {probe.id for probe in layers.probes[:wrong]}

    def reply(url, request):
        return "glorb" if url == of and request["probe"] in lost else "28 days"

    layers.models.reply = reply
    id = layers.cycle().cycle.id
    assert layers.asked_as == id


def test_replicas_are_sent_what_the_model_was_sent_for_users(layers):
    layers.models.replicas, sent = ["http://a", "http://b"], []
    layers.models.reply = lambda url, request: sent.append(request) or "28 days"
    accepted = layers.accepted()
    replies = [
        reply.model_copy(update={"prompt": f'{{"cell": "{reply.cell}"}}'})
        for reply in accepted.cycle.replies
    ]
    cycle = accepted.cycle.model_copy(update={"replies": replies})
    layers.cycles().run(accepted.model_copy(update={"cycle": cycle}))
    assert sent == [{"cell": "11"}] * 8


def test_a_single_replica_is_what_the_cells_ask_anyway(layers):
    layers.models.reply = lambda url, request: "glorb"
    assert layers.indicators() == []


def test_the_replies_to_hold_replicas_against_are_a_few_of_the_first_ones_own_words(layers):
    requests = {f"p{number}": {"number": number} for number in range(40)}
    layers.models.replicas = ["http://a", "http://b"]
    layers.models.reply = lambda url, request: f"{url} {request['number']}"
    kept = layers.cycles().replicas.replies(requests)
    assert len(kept) == REPLICA_REQUESTS < 40
    assert all(text == f"http://a {probe[1:]}" for probe, text in kept.items())
