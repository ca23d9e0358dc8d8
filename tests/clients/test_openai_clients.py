"""OpenAI's API with unmodified clients that people already use, against the real application."""

import json
from functools import cache
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike
from tests.clients.light_stack import SAMPLE, LightStack

pytestmark = [
    pytest.mark.integration,
    # what the clients' own libraries warn of
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROWS = [json.loads(line) for line in (SAMPLE / "golden.jsonl").read_text().splitlines()]
QUESTIONS = [row["question"] for row in ROWS][:50]
MODEL = "faultline"
LEAVE = "How many days of annual leave do full-time staff get?"


@cache
def asked(stack: LightStack, question: str) -> dict[str, Any]:
    return stack.ask(question)


@pytest.fixture(scope="module")
def client(faultline: LightStack) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{faultline.url}/v1", api_key=faultline.key, max_retries=0)


def user(question: str) -> Any:
    return [{"role": "user", "content": question}]


def test_the_openai_client_gets_the_answers_and_citations_of_ask_for_50_questions(
    faultline: LightStack, client: openai.OpenAI
) -> None:
    answered = 0
    for question in QUESTIONS:
        ours = asked(faultline, question)
        reply = client.chat.completions.create(model=MODEL, messages=user(question))
        assert reply.choices[0].message.content == ours["text"]
        assert reply.model_extra is not None
        assert reply.model_extra["citations"] == ours["citations"]
        assert reply.model_extra["answer"]["statements"] == ours["statements"]
        assert reply.choices[0].finish_reason == "stop"
        assert reply.usage is not None
        assert reply.usage.completion_tokens == (ours["tokens"]["completion"] or 0)
        answered += ours["status"] == "answered"
    assert answered >= 20  # equal abstentions would prove little


def test_a_stream_gives_the_same_text_citations_and_usage(
    faultline: LightStack, client: openai.OpenAI
) -> None:
    for question in QUESTIONS[:10]:
        ours = asked(faultline, question)
        stream = client.chat.completions.create(
            model=MODEL,
            messages=user(question),
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
        told = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert told == ours["text"]
        last = [c for c in chunks if c.choices][-1]
        assert last.choices[0].finish_reason == "stop"
        assert last.model_extra is not None
        assert last.model_extra["citations"] == ours["citations"]
        usage = chunks[-1].usage
        assert usage is not None
        assert usage.prompt_tokens == (ours["tokens"]["prompt"] or 0)


def test_langchain_gets_the_answers_of_ask(faultline: LightStack) -> None:
    chat = ChatOpenAI(base_url=f"{faultline.url}/v1", api_key=faultline.key, model=MODEL)  # type: ignore[arg-type]
    for question in QUESTIONS:
        assert chat.invoke(question).content == asked(faultline, question)["text"]
    for question in QUESTIONS[:5]:
        told = "".join(str(chunk.content) for chunk in chat.stream(question))
        assert told == asked(faultline, question)["text"]


def test_llamaindex_gets_the_answers_and_citations_of_ask(faultline: LightStack) -> None:
    llm = OpenAILike(
        model=MODEL, api_base=f"{faultline.url}/v1", api_key=faultline.key, is_chat_model=True
    )
    for question in QUESTIONS:
        ours = asked(faultline, question)
        reply = llm.chat([ChatMessage(role="user", content=question)])
        assert reply.message.content == ours["text"]
        assert reply.raw is not None
        assert reply.raw.model_extra["citations"] == ours["citations"]
    for question in QUESTIONS[:5]:
        *_, whole = llm.stream_chat([ChatMessage(role="user", content=question)])
        assert whole.message.content == asked(faultline, question)["text"]


def test_the_models_are_listed_and_found_by_name(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).owned_by == MODEL


def test_an_answer_ends_at_a_stop(faultline: LightStack, client: openai.OpenAI) -> None:
    question = next(q for q in QUESTIONS if " [1]" in asked(faultline, q)["text"])
    reply = client.chat.completions.create(model=MODEL, messages=user(question), stop=[" [1]"])
    assert reply.choices[0].message.content == asked(faultline, question)["text"].split(" [1]")[0]


def test_errors_are_those_that_the_openai_client_knows(
    faultline: LightStack, client: openai.OpenAI
) -> None:
    with pytest.raises(openai.AuthenticationError, match="Send a valid key"):
        openai.OpenAI(base_url=f"{faultline.url}/v1", api_key="wrong").models.list()
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4o'"):
        client.chat.completions.create(model="gpt-4o", messages=user(LEAVE))
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4o'"):
        client.models.retrieve("gpt-4o")
    with pytest.raises(openai.BadRequestError, match="leave `n` out"):
        client.chat.completions.create(model=MODEL, messages=user(LEAVE), n=2)
    with pytest.raises(openai.BadRequestError, match="at most 4000 characters"):
        client.chat.completions.create(model=MODEL, messages=user("x" * 4001))
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model=MODEL, messages=user("x" * 70_000))
    assert raised.value.status_code == 413


def test_a_request_leaves_an_event_like_any_other(
    faultline: LightStack, client: openai.OpenAI
) -> None:
    reply = client.chat.completions.with_raw_response.create(model=MODEL, messages=user(LEAVE))
    events = (faultline.state / "events" / "answers.jsonl").read_text().splitlines()
    request_id = reply.headers["x-request-id"]
    assert [e for e in events if json.loads(e)["provenance"]["request_id"] == request_id]


def test_without_a_key_no_route_of_the_api_answers(faultline: LightStack) -> None:
    for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models")):
        reply = httpx.request(method, faultline.url + path)
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "invalid_api_key"
