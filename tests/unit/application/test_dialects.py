"""How OpenAI-compatible servers differ, as tables that a newcomer can extend by a line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.application import BUNDLE
from tests.fakes.openai_server import running
from tests.unit.application.test_chat_model import chat_model, reply

from application.adapters.proxy import proxy_of
from application.adapters.sse import EventParser
from application.adapters.thoughts import ThoughtFilter
from application.errors import ModelUnavailable
from application.ports import Message, Usage

SAID = "26 weeks."


def chunk(content: Any = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    if content is not None:
        delta["content"] = content
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def data(*chunks: dict[str, Any], end: str = "\n\n", prefix: str = "data: ") -> str:
    return "".join(f"{prefix}{json.dumps(one)}{end}" for one in chunks)


GOOD = [chunk("26 "), chunk("weeks."), chunk(finish="stop")]
DONE = "data: [DONE]\n\n"

STREAMS = {
    "as OpenAI": data(*GOOD) + DONE,
    "no space": data(*GOOD, prefix="data:") + "data:[DONE]\n\n",
    "CRLF": data(*GOOD, end="\r\n\r\n") + "data: [DONE]\r\n\r\n",
    "CR": data(*GOOD, end="\r\r") + "data: [DONE]\r\r",
    "comments": ": ping\n\n" + data(*GOOD) + ": ping\n\n" + DONE,
    "event and id": data(*GOOD, prefix="event: message\nid: 7\nretry: 9\ndata: ") + DONE,
    "data in several lines": data(*GOOD).replace('"choices": ', '"choices":\ndata: ') + DONE,
    "BOM": "\ufeff" + data(*GOOD) + DONE,
    "no blank lines": data(*GOOD, end="\n") + "data: [DONE]\n",
    "no DONE": data(*GOOD),
    "no end of the last line": data(*GOOD) + "data: [DONE]",
    "no finish reason, but DONE": data(*GOOD[:2]) + DONE,
    "more after DONE": data(*GOOD) + DONE + data(chunk(" More.")),
    "heartbeat that is no JSON": "data: ping\n\n" + data(*GOOD) + DONE,
    "empty data": "data:\n\ndata\n\n" + data(*GOOD) + DONE,
    "no delta": data({"choices": [{"index": 0, "finish_reason": None}]}, *GOOD) + DONE,
    "delta null": data(
        *GOOD[:2], {"choices": [{"index": 0, "delta": None, "finish_reason": "stop"}]}
    )
    + DONE,
    "choice null": data({"choices": [None]}, *GOOD) + DONE,
    "choices null": data({"choices": None}, *GOOD) + DONE,
    "no choices": data({"object": "ping"}, *GOOD) + DONE,
    "empty choices": data({"choices": [], "prompt_filter_results": []}, *GOOD) + DONE,
    "error null": data(*[one | {"error": None} for one in GOOD]) + DONE,
    "usage null": data(*[one | {"usage": None} for one in GOOD]) + DONE,
    "content null": data(chunk(None, role="assistant"), *GOOD) + DONE,
    "another choice": data(
        {"choices": [{"index": 1, "delta": {"content": "No"}, "finish_reason": None}]}, *GOOD
    )
    + DONE,
    "content in parts": data(chunk([{"type": "text", "text": "26 weeks."}]), chunk(finish="stop"))
    + DONE,
    "think": data(chunk("<think>Okay, 42"), chunk(" days</think>\n\n26 "), *GOOD[1:]) + DONE,
    "think in pieces": data(*map(chunk, "<think>Okay</think>"), *GOOD) + DONE,
    "think never shown": data(*map(chunk, ["<th", "ink>a < b </th", "ink>"]), *GOOD) + DONE,
    "thinking": data(chunk("<Thinking>42</Thinking>"), *GOOD) + DONE,
    "[THINK]": data(chunk("[THINK]42[/THINK]"), *GOOD) + DONE,
    "reasoning_content": data(chunk(reasoning_content="42 days"), *GOOD) + DONE,
    "reasoning": data(chunk(None, reasoning="42 days"), *GOOD) + DONE,
    "thinking parts": data(
        chunk([{"type": "thinking", "thinking": [{"type": "text", "text": "42"}]}]), *GOOD
    )
    + DONE,
}


async def raw_reply(body: str, size: int = 0, **options: Any) -> tuple[str, Usage]:
    content = body.encode()
    raw = [content[at : at + size] for at in range(0, len(content), size)] if size else [content]
    with running(raw=raw, **options) as server:
        async with chat_model(server.url) as model:
            *pieces, usage = await reply(model)
    assert isinstance(usage, Usage)
    return "".join(map(str, pieces)), usage


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [0, 7], ids=["whole", "cut"])
async def test_every_dialect_of_a_stream_gives_the_same_answer(name: str, size: int) -> None:
    text, usage = await raw_reply(STREAMS[name], size)
    assert text == SAID
    assert usage.finish_reason in ("stop", None)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_events_are_the_same_however_the_bytes_are_cut(end: str) -> None:
    lines = [": hello", "event: a", "data: {1", "data: 2}", "", "data:x", "data:  y", "", "", ""]
    raw = end.join(lines).encode()
    for size in range(1, len(raw) + 1):
        parser = EventParser()
        found = [e for at in range(0, len(raw), size) for e in parser.feed(raw[at : at + size])]
        assert found == [("a", b"{1\n2}"), ("", b"x\n y")], (end, size)


def test_an_event_is_given_at_once_also_where_lines_end_in_cr() -> None:
    assert list(EventParser().feed(b"data: x\r\r")) == [("", b"x")]


def test_an_event_without_an_end_is_an_error() -> None:
    endless = [b"x" * 65_536] * 40
    parser = EventParser()
    with pytest.raises(ValueError, match="no end"):
        [list(parser.feed(piece)) for piece in endless]


@pytest.mark.parametrize("text", ["a < b", "x <thin air", "[1] and [thi", "List<Thing> x", "</b>"])
def test_what_only_looks_like_a_thought_is_shown(text: str) -> None:
    for size in range(1, len(text) + 1):
        thoughts = ThoughtFilter()
        shown = "".join(thoughts.feed(text[at : at + size]) for at in range(0, len(text), size))
        assert shown + thoughts.end() == text


async def test_a_server_that_ignores_stream_gives_its_one_reply() -> None:
    whole = {
        "choices": [{"index": 0, "message": {"content": SAID}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 3},
    }
    text, usage = await raw_reply(json.dumps(whole, indent=1), raw_type="application/json")
    assert (text, usage) == (SAID, Usage("stop", 40, 3))


async def test_thoughts_are_counted_in_the_usage() -> None:
    counted = {
        "prompt_tokens": 40,
        "completion_tokens": 9,
        "completion_tokens_details": {"reasoning_tokens": 6},
    }
    thought = chunk(reasoning_content="42 days")
    _, usage = await raw_reply(data(thought, *GOOD, {"choices": [], "usage": counted}) + DONE)
    assert usage == Usage("stop", 40, 9, 6)


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_how_a_reply_ended_reaches_its_usage(finish: str) -> None:
    _, usage = await raw_reply(data(*GOOD[:2], chunk(finish=finish)) + DONE)
    assert usage.finish_reason == finish


@pytest.mark.parametrize(
    ("chunks", "word"),
    [
        ([chunk(reasoning_content="Okay, 42"), chunk(finish="length")], "length"),
        ([chunk("<think>Okay, 42"), chunk(finish="length")], "max_tokens"),
        ([chunk(finish="content_filter")], "content_filter"),
        ([chunk("<think>Okay, 42</think>"), chunk(finish="stop")], "no answer"),
        ([{"error": {"message": "CUDA out of memory", "code": 500}}], "CUDA out of memory"),
        ([chunk("26 "), {"error": {"message": "context too long", "code": 400}}], "too long"),
        ([chunk("26 "), {"error": "overloaded"}], "overloaded"),
        ([chunk("26 ", finish="error")], "error"),
        ([chunk("Okay.</think>26 weeks."), chunk(finish="stop")], "starts_thinking"),
    ],
)
async def test_a_reply_without_an_answer_says_why(chunks: list[Any], word: str) -> None:
    with pytest.raises(ModelUnavailable, match=word):
        await raw_reply(data(*chunks) + DONE)


async def test_an_error_event_is_told_as_such() -> None:
    with pytest.raises(ModelUnavailable, match="busy"):
        await raw_reply('event: error\ndata: {"message": "busy"}\n\n')


REFUSALS: dict[str, tuple[int, Any, str]] = {
    "wrong key": (401, {"error": {"message": "Incorrect API key: sk-abcdef123"}}, "set LLM_KEY"),
    "no right": (403, {"error": "no"}, "set LLM_KEY"),
    "wrong path": (404, {"detail": "Not Found"}, "check LLM_URL.*/v1/chat/completions was asked"),
    "unknown model": (404, {"error": {"message": "no model x"}}, "check LLM_URL.*no model x"),
    "parameter": (
        400,
        {"error": {"message": "Use 'max_completion_tokens' instead.", "param": "max_tokens"}},
        "400, parameter max_tokens.*Use 'max_completion_tokens'.*APPLICATION_LLM_QUIRKS",
    ),
    "temperature": (400, {"error": {"message": "temperature must be 1"}}, "temperature must be 1"),
    "system role": (400, {"message": "System role not supported"}, "System role not supported"),
    "FastAPI": (
        422,
        {"detail": [{"loc": ["body", "seed"], "msg": "Extra input", "input": "hello there, all"}]},
        "parameter seed.*Extra input",
    ),
    "a page": (400, "<html>secret</html>", r"refused the request \(400\)\. APPL"),
    "elsewhere": (307, "", "sends to another address"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_says_what_to_change_and_is_not_tried_again(name: str) -> None:
    status, body, words = REFUSALS[name]
    with running(refusals=[(status, body, {})] * 2) as server:
        async with chat_model(server.url, key="sk-abcdef123") as model:
            with pytest.raises(ModelUnavailable, match=words) as raised:
                await reply(model, "hello there, all")
        assert len(server.script.requests) == 1
    told = str(raised.value)
    assert "sk-abcdef" not in told
    assert "hello there" not in told
    assert "check that it is running" not in told


@pytest.mark.parametrize("wrapped", ["{}", "bad prompt: {!r}", 'got "{}" in', "A{}B"])
async def test_a_servers_reason_never_repeats_our_prompt(wrapped: str) -> None:
    prompt = "The passage says that Ada earns 41,000 euros.\nWhat does Ada earn, exactly?"
    body = {"error": {"message": wrapped.format(prompt)}}
    with running(refusals=[(400, body, {})]) as server:
        async with chat_model(server.url) as model:
            with pytest.raises(ModelUnavailable) as raised:
                await reply(model, prompt)
    assert "41,000" not in str(raised.value)
    assert "exactly" not in str(raised.value)


async def test_too_many_requests_are_tried_again_when_the_server_says() -> None:
    with running(refusals=[(429, {}, {"Retry-After": "0"})], replies=[SAID]) as server:
        async with chat_model(server.url) as model:
            assert SAID.startswith(str((await reply(model))[0]))
        assert len(server.script.requests) == 2


@pytest.mark.parametrize("after", ["60", "Wed, 21 Oct 2037 07:28:00 GMT"])
async def test_too_many_requests_are_shed_where_the_wait_is_longer_than_the_deadline(
    after: str,
) -> None:
    with running(refusals=[(429, {}, {"Retry-After": after})] * 2) as server:
        async with chat_model(server.url) as model:
            with pytest.raises(ModelUnavailable, match="too often") as raised:
                await reply(model, seconds=2)
        assert len(server.script.requests) == 1
    assert (raised.value.retry_after_seconds or 0) >= 60


QUIRKS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "max_completion_tokens": (
        {"max_completion_tokens": BUNDLE.sampling.max_tokens},
        {"max_tokens"},
    ),
    "no_temperature": ({}, {"temperature"}),
    "no_top_p": ({}, {"top_p"}),
    "no_seed": ({}, {"seed"}),
    "no_stream_options": ({}, {"stream_options"}),
    "no_system_role": ({"messages": [{"role": "user", "content": "Be brief.\n\nHi"}]}, set()),
}


@pytest.mark.parametrize("quirk", QUIRKS)
async def test_a_quirk_changes_the_request_and_nothing_else(quirk: str) -> None:
    present, absent = QUIRKS[quirk]
    messages = [Message(role="system", content="Be brief."), Message(role="user", content="Hi")]
    async with chat_model("http://llm") as plain, chat_model("http://llm", quirks={quirk}) as odd:
        usual, sent = (m.request(messages, BUNDLE.sampling) for m in (plain, odd))
    assert {name: sent[name] for name in present} == present
    assert not absent & set(sent)
    same = set(usual) - absent - set(present)
    assert {name: sent[name] for name in same} == {name: usual[name] for name in same}


async def test_a_reply_that_begins_inside_its_thoughts_is_read_where_the_quirk_says_so() -> None:
    with running(raw=[data(chunk("Okay.</think>"), *GOOD).encode()]) as server:
        async with chat_model(server.url, quirks={"starts_thinking"}) as model:
            *pieces, _ = await reply(model)
    assert "".join(map(str, pieces)) == SAID


@pytest.mark.parametrize("path", ["/v1beta/openai", "/api/v2/", "/proxy/v1"])
async def test_an_address_with_a_path_is_used_as_given(path: str) -> None:
    with running(refusals=[(404, {}, {})]) as server:
        async with chat_model(server.url + path) as model:
            with pytest.raises(ModelUnavailable, match="check LLM_URL"):
                await reply(model)
        asked = server.script.requests[0]["path"]
    assert asked == path.rstrip("/") + "/chat/completions"


async def test_credentials_in_the_address_become_the_header_and_are_shown_nowhere() -> None:
    with running(replies=[SAID]) as server:
        address = server.url.replace("http://", "http://bob:s3cret@")
        async with chat_model(address) as model:
            await reply(model)
            assert model.endpoint == server.url
        sent = server.script.requests[0]["headers"]["authorization"]
    assert sent == "Basic Ym9iOnMzY3JldA=="


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    proxy_of.cache_clear()
    yield monkeypatch
    proxy_of.cache_clear()


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://llm.example/v1", "http://proxy:3128"),
        ("http://llm.example/v1", None),
        ("https://inside.example/v1", None),
        ("https://127.0.0.1/v1", None),
        ("https://[::1]:8000/v1", None),
        ("https://localhost:8000/v1", None),
    ],
)
def test_a_proxy_is_used_for_all_but_this_machine_and_no_proxy(
    no_proxies: pytest.MonkeyPatch, url: str, proxy: str | None
) -> None:
    no_proxies.setenv("HTTPS_PROXY", "http://proxy:3128")
    no_proxies.setenv("NO_PROXY", "inside.example")
    assert proxy_of(url) == proxy
