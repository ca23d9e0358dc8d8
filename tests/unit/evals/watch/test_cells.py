"""What a cell hears from an application that is there, that fails, and that is not there."""

import pytest
from tests.fakes.layers_app import PROBES, cycle

from evals.errors import Unavailable, Unreachable
from evals.settings import Settings
from evals.watch import cells
from evals.watch.cells import ask_cells
from evals.watch.decide import answered
from evals.watch.model import CELLS


@pytest.fixture
def ask(monkeypatch, in_order):
    """The replies of all cells, where the live application's questions end with an error."""

    def ask(error):
        class Failing:
            def __init__(self, settings, index, *, url, cycle):
                self.fails = url == "http://live"

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def ask(self, question):
                raise error if self.fails else Unavailable("It ended with 500.")

        monkeypatch.setattr(cells, "Application", Failing)
        urls = {"application_url": "http://live", "reference_url": "http://ref"}
        return ask_cells(Settings(**urls), "pinned", PROBES, "c1", in_order)

    return ask


def test_an_answer_that_fails_is_a_wrong_one_for_users_get_none(ask):
    replies = ask(Unavailable("It ended with 500."))
    assert {(reply.status, reply.score) for reply in replies} == {("error", 0.0)}
    assert len(answered(cycle(replies=replies))) == len(PROBES)


def test_an_application_that_is_not_there_leaves_no_data_and_no_layer_to_blame(ask):
    replies = ask(Unreachable("Nothing answers at http://live."))
    assert {reply.cell for reply in replies} == set(CELLS)
    assert answered(cycle(replies=replies)) == {}
