from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.answer import Answer, Passage
from evals.suite import losses
from evals.suite.answers import Gold, Question, Reply
from evals.suite.labels import Label
from evals.suite.losses import MERGED, Step

SPAN = "Leave is requested ten working days before it starts"
GOLD = Gold(answerable=True, answer="ten working days", documents=[Label("leave.md", SPAN)])
QUESTION = "Is it twenty or ten working days?"
SENT = f"[1] {SPAN}\n\nQuestion: {QUESTION}"


@pytest.fixture
def reply(answer: Callable[..., Answer], passage: Callable[..., Passage]) -> Callable[..., Reply]:
    def build(
        retrieved: str = SPAN,
        sent: str | None = SENT,
        own_words: str | None = "ten working days [1].",
        gold: Gold = GOLD,
        **said: Any,
    ) -> Reply:
        worked_example = {"role": "user", "content": "[1] ten working days\n\nQuestion: example?"}
        messages = [worked_example, {"role": "user", "content": sent}]
        passages = [passage("leave.md", retrieved)]
        found = answer(passages=passages, **({"text": "Ten working days [1]."} | said))
        request = None if sent is None else {"messages": messages}
        return Reply(
            revision="r1",
            question=Question(id="q1", question=QUESTION, kind="k", gold={"r1": gold}),
            retrieved=passages,
            bm25=[],
            answer=found.model_copy(update={"chat_request": request}),
            own_words=own_words,
        )

    return build


def test_each_step_says_what_was_lost_there(reply: Callable[..., Reply]) -> None:
    replies = [
        reply(),
        reply(retrieved="Something else"),
        reply(sent=f"[1] no value\n\nQuestion: {QUESTION}"),
        reply(own_words="I do not know."),
        reply(text="A quotation instead."),
        reply(status="abstained", text="ten working days"),
        reply(gold=Gold(answerable=False)),
    ]
    assert losses.steps(replies) == [
        Step("retrieved", 5, 1),
        Step("in the context", 4, 1),
        Step("answered", 3, 1),
        Step("kept", 1, 2),
    ]


def test_a_refusal_before_the_model_is_a_loss_of_the_context(reply: Callable[..., Reply]) -> None:
    found = losses.steps([reply(sent=None, own_words="", status="abstained")])
    assert [step.lost for step in found] == [0, 1, 0, 0]


def test_an_application_that_does_not_tell_what_it_sent_showed_its_passages(
    reply: Callable[..., Reply],
) -> None:
    assert [step.lost for step in losses.steps([reply(sent=None)])] == [0, 0, 0, 0]


def test_the_last_two_steps_are_one_where_the_model_was_not_heard(
    reply: Callable[..., Reply],
) -> None:
    found = losses.steps([reply(own_words=None), reply(text="wrong")])
    assert found[-1] == Step(MERGED, 1, 1)
    assert len(found) == 3


def test_the_length_of_an_answer_leaves_its_citations_out(reply: Callable[..., Reply]) -> None:
    replies = [
        reply(),
        reply(text="Yes [1][2]."),
        reply(text="a b c d e"),
        reply(status="degraded"),
    ]
    assert losses.answer_words_p50(replies) == 3
    assert losses.answer_words_p50([]) is None


def test_statements_are_shares_by_support(reply: Callable[..., Reply]) -> None:
    def supported(*kinds: str) -> Any:
        statements = [SimpleNamespace(support=kind) for kind in kinds]
        return SimpleNamespace(answer=SimpleNamespace(status="answered", statements=statements))

    told = [supported("supported", "supported", "contradicted"), supported("unsupported")]
    assert losses.support_shares(told) == {
        "contradicted": 0.25,
        "supported": 0.5,
        "unsupported": 0.25,
    }
    assert losses.support_shares([reply()]) == {}
