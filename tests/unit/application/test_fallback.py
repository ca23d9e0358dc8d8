"""The chain of models: first, second, and what the answer says of who answered."""

import pytest
from tests.fakes.application import DEAD, FakeChatModel, answerer, ask, passage

from application.adapters.fallback import FallbackChatModel
from application.errors import ModelUnavailable
from application.ports import Usage
from application.upstream import Deadline
from contracts.answer import Answer

QUESTION = "How long is parental leave?"


class SecondModel(FakeChatModel):
    endpoint = "http://second"
    model = "second-model"


async def answered(first: FakeChatModel, second: FakeChatModel, cycle: str | None = None) -> Answer:
    use_case = answerer(FallbackChatModel(first, second), passage())  # type: ignore[arg-type]  # a port
    asked = ask(QUESTION)
    *_, answer = [event async for event in use_case.stream(asked)]
    assert isinstance(answer, Answer)
    return answer


async def test_the_first_model_answers_where_it_can() -> None:
    second = SecondModel("52 weeks.")
    answer = await answered(FakeChatModel("26 weeks."), second)
    assert (answer.provenance.endpoint, answer.provenance.model) == ("http://llm", "fake-model")
    assert answer.provenance.model_manifest == "llm-digest"
    assert second.requests == []


async def test_the_second_answers_where_the_first_fails_and_is_named() -> None:
    answer = await answered(FakeChatModel(DEAD), SecondModel("26 weeks."))
    assert (answer.status, answer.text) == ("answered", "26 weeks. [1]")
    made = answer.provenance
    assert (made.endpoint, made.model) == ("http://second", "second-model")
    assert made.model_manifest == "unknown"  # the first one's says nothing of it


async def test_where_both_fail_the_answer_is_degraded_and_says_both_reasons() -> None:
    other = ModelUnavailable("Set the second key.")
    answer = await answered(FakeChatModel(DEAD), SecondModel(other))
    assert answer.status == "degraded"
    assert "check that it is running" in (answer.reason or "")
    assert "Set the second key" in (answer.reason or "")


async def test_a_reply_that_has_begun_is_not_begun_again() -> None:
    second = SecondModel("26 weeks.")
    answer = await answered(FakeChatModel("26 ", DEAD), second)
    assert (answer.status, second.requests) == ("degraded", [])


async def test_a_probe_is_answered_by_the_first_model_or_not_at_all() -> None:
    chain = FallbackChatModel(FakeChatModel(DEAD), SecondModel("26 weeks."))
    asked = ask(QUESTION)
    with pytest.raises(ModelUnavailable):
        [_ async for _ in chain.stream([], asked.bundle.sampling, Deadline(5), "c-1")]


async def test_a_first_model_that_only_thought_is_no_begun_reply() -> None:
    class Thinker(FakeChatModel):
        async def stream(self, *_: object, **__: object):  # type: ignore[no-untyped-def,override]  # as the port
            yield Usage("length", 40, 64)
            raise ModelUnavailable("used all of its tokens")

    answer = await answered(Thinker(), SecondModel("26 weeks."))
    assert answer.provenance.endpoint == "http://second"
