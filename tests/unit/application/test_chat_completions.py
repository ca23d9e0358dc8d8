"""OpenAI's door with the ports faked: what is held back, cut, listed and refused."""

import json
from typing import Any

import httpx
import pytest
from tests.fakes.application import LEAVE, FakeRetriever, passage
from tests.unit.application.conftest import Application, Running

from application.errors import RetrievalUnavailable

QUESTION = "How long is parental leave?"
PART = {"type": "text", "text": QUESTION}


async def chat(app: Application, **fields: Any) -> httpx.Response:
    body = {"model": "faultline", "messages": [{"role": "user", "content": QUESTION}]} | fields
    return await app.client.post("/v1/chat/completions", json=body, headers=app.auth)


def chunks_of(reply: httpx.Response) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in reply.text.splitlines() if "data: " in line]
    return [json.loads(line) for line in lines if line != "[DONE]"]


async def test_a_stream_shows_nothing_that_was_not_checked(application: Running) -> None:
    async with application("26 weeks", " on the moon.", " [1]") as app:
        ours = (await app.ask(QUESTION)).json()
        reply = await chat(app, stream=True)
    texts = [c["choices"][0]["delta"].get("content") for c in chunks_of(reply)]
    assert [text for text in texts if text] == [ours["text"]]
    assert reply.text.endswith("data: [DONE]\n\n")
    assert ": the answer is being checked" in reply.text


async def test_usage_comes_last_in_a_stream_where_it_is_asked_for(application: Running) -> None:
    async with application("26 weeks at full pay.") as app:
        plain = await chat(app, stream=True)
        told = await chat(app, stream=True, stream_options={"include_usage": True})
    assert all("usage" not in chunk for chunk in chunks_of(plain))
    assert chunks_of(told)[-1]["usage"]["prompt_tokens"] == 40
    assert chunks_of(told)[-1]["choices"] == []


async def test_the_source_list_is_appended_where_the_setting_says_so(application: Running) -> None:
    async with application("26 weeks at full pay. [1]", chat_source_list=True) as app:
        ours = (await app.ask(QUESTION)).json()
        text = (await chat(app)).json()["choices"][0]["message"]["content"]
    begun, _, sources = text.partition("\n\nSources:\n")
    assert begun == ours["text"]
    assert sources.startswith("[1] Parental leave: http://127.0.0.1/#doc=handbook%2Fleave.md")


async def test_annotations_say_where_each_mark_stands(application: Running) -> None:
    async with application("26 weeks at full pay. [1]") as app:
        message = (await chat(app)).json()["choices"][0]["message"]
    (one,) = message["annotations"]
    place = one["url_citation"]
    assert message["content"][place["start_index"] : place["end_index"]] == "[1]"


async def test_parts_of_text_are_read_and_a_system_message_is_not(application: Running) -> None:
    messages = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": [PART, {"type": "image_url", "image_url": {"url": "data:"}}]},
    ]
    async with application("26 weeks at full pay.") as app:
        await chat(app, messages=messages)
        assert app.retriever.queries[0].text == QUESTION
        assert "pirate" not in str(app.model.requests)


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "assistant", "content": "Hello"}]}, 400, "last message"),
        ({"messages": [{"role": "user", "content": " "}]}, 400, "empty"),
        ({"model": "other"}, 404, "other"),
        ({"n": 3}, 400, "`n`"),
        ({"tool_choice": "required"}, 400, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, 400, "response_format"),
    ],
)
async def test_a_request_that_cannot_be_served_is_refused_in_openais_form(
    application: Running, fields: dict[str, Any], status: int, says: str
) -> None:
    async with application("26 weeks.") as app:
        reply = await chat(app, **fields)
    assert reply.status_code == status
    error = reply.json()["error"]
    assert says in error["message"]
    assert error["type"] == "invalid_request_error"


async def test_a_dead_index_is_a_503_and_no_stream(application: Running) -> None:
    retriever = FakeRetriever([passage(LEAVE)], failure=RetrievalUnavailable("No index."))
    async with application("26 weeks.", retriever=retriever) as app:
        reply = await chat(app, stream=True)
    assert reply.status_code == 503
    assert reply.json()["error"]["type"] == "server_error"
    assert reply.headers["retry-after"] == "5"


async def test_a_key_without_quota_gets_a_429_in_openais_form(application: Running) -> None:
    async with application("26 weeks.", quota="1/minute") as app:
        await chat(app)
        reply = await chat(app)
    assert reply.status_code == 429
    assert reply.json()["error"]["code"] == "rate_limit_exceeded"
    assert "retry-after" in reply.headers
