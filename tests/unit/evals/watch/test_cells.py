"""What each cell asks of whom, and what it hears if the application fails or is not there."""

from types import SimpleNamespace

import pytest
from tests.fakes.layers_app import PROBES, cycle, reply

from evals.errors import Unavailable, Unreachable
from evals.probes.score import with_own_words
from evals.settings import Settings
from evals.watch import cells
from evals.watch.cells import ask_cells, asked_as_users, chat_requests, with_ladder
from evals.watch.decide import answered
from evals.watch.model import CELLS

SETTINGS = Settings(index="live", application_url="http://live", reference_url="http://ref")


@pytest.fixture
def application(monkeypatch, answer):
    """Puts a build of the application in place that answers, or ends every call in an error."""

    def build(error=None, error_of_reference=None):
        asked = []

        class Build:
            def __init__(self, settings, index, *, url="http://live", cycle=None):
                self.who = (index, url, cycle)
                self.error = error if url == "http://live" else error_of_reference

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def ask(self, question):
                asked.append((*self.who, question))
                if self.error:
                    raise self.error
                return answer(text=f"{self.who[0]} index, {self.who[1]}")

        monkeypatch.setattr(cells, "Application", Build)
        return asked

    return build


def ask(in_order, probes=PROBES):
    return ask_cells(SETTINGS, "pinned", probes, "c1", in_order)


def test_each_cell_reads_its_index_and_asks_its_build_within_one_cycle(application, in_order):
    asked = application()
    said = {reply.cell: reply.text for reply in ask(in_order)}
    assert said == {
        "00": "pinned index, http://ref",
        "10": "live index, http://ref",
        "01": "pinned index, http://live",
        "11": "live index, http://live",
    }
    assert {cycle for _, _, cycle, _ in asked} == {"c1"}


def test_a_question_is_asked_once_in_a_cell_and_marked_for_each_of_its_probes(
    application, in_order
):
    asked, twins = application(), with_own_words([PROBES[1]])
    replies = ask(in_order, twins)
    assert len(asked) == len(CELLS)
    assert {(reply.probe, reply.cell) for reply in replies} == {
        (twin.id, cell) for twin in twins for cell in CELLS
    }


def test_the_users_way_reads_the_live_index_and_shares_no_generation(application, in_order):
    asked = application()
    ((probe, given),) = asked_as_users(SETTINGS, [PROBES[0]], in_order)
    assert (probe, given.text) == (PROBES[0], "live index, http://live")
    assert asked == [("live", "http://live", None, PROBES[0].question)]


def test_users_who_get_no_answer_get_none(application, in_order):
    application(Unavailable("It ended with 500."))
    assert asked_as_users(SETTINGS, [PROBES[0]], in_order) == [(PROBES[0], None)]


def test_the_requests_of_a_cell_are_those_that_the_model_was_sent_in_it():
    sent = [reply(PROBES[0], cell, 1.0, prompt=f'{{"of": "{cell}"}}') for cell in CELLS]
    assert chat_requests(sent, "11") == {"p0": {"of": "11"}}
    assert chat_requests([reply(PROBES[0], "11", 0.0, prompt=None)], "11") == {}


def test_the_requests_of_one_cell_are_not_those_of_another():
    sent = [reply(PROBES[0], cell, 1.0, prompt=f'{{"of": "{cell}"}}') for cell in CELLS]
    for cell in CELLS:
        assert chat_requests(sent, cell) == {"p0": {"of": cell}}


def test_only_what_was_lost_is_looked_for_in_the_index():
    probes = {probe.id: probe for probe in PROBES}
    index = SimpleNamespace(indexed=list)
    replies = [
        reply(PROBES[1], "11", score, in_index=None).model_copy(update={"cell": cell})
        for cell, score in (("11", 0.5), ("00", 1.0))
    ]
    lost, right = with_ladder(replies, probes, {"0": index, "1": index})
    assert (lost.in_index, right.in_index) == (False, None)


def test_an_answer_that_fails_is_a_wrong_one_for_users_get_none(application, in_order):
    failed = Unavailable("It ended with 500.")
    application(failed, failed)
    replies = ask(in_order)
    assert {(reply.status, reply.score) for reply in replies} == {("error", 0.0)}
    assert len(answered(cycle(replies=replies))) == len(PROBES)


def test_an_application_that_is_not_there_leaves_no_data_and_no_layer_to_blame(
    application, in_order
):
    application(Unreachable("Nothing answers at http://live."))
    replies = ask(in_order)
    assert {reply.cell for reply in replies} == set(CELLS)
    assert answered(cycle(replies=replies)) == {}
