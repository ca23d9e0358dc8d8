"""A hosted embedder: its limits are learned, its failures told with its reason, no secret shown."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable

import httpx
import pytest

from serving.errors import (
    InputRefusedError,
    UpstreamBusyError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from serving.settings import Settings
from serving.upstream import PAUSE_SECONDS, TEXTS_PER_CALL, UpstreamEncoder

Handler = Callable[[httpx.Request], httpx.Response]


def recorder(waited: list[float]) -> Callable[[float], Awaitable[None]]:
    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    return sleep


def encoder(
    handler: Handler,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    **settings: object,
) -> UpstreamEncoder:
    values = {
        "embed_upstream_url": "http://models.example/v1/",
        "embed_upstream_key": "k",
        "embed_upstream_model": "m",
    }
    return UpstreamEncoder(
        Settings.model_validate(values | settings), httpx.MockTransport(handler), sleep
    )


def vectors(request: httpx.Request) -> httpx.Response:
    """Answers as OpenAI does, though in reverse: only `index` gives the order."""
    texts = request.read().decode()
    count = len(httpx.Response(200, text=texts).json()["input"])
    data = [{"index": index, "embedding": [float(index), 1.0]} for index in range(count)]
    return httpx.Response(200, json={"data": data[::-1]})


async def test_vectors_come_in_order_whatever_the_order_of_the_reply() -> None:
    async with encoder(vectors) as upstream:
        found = await upstream.embed(["a", "b", "c"], [])
    assert found.tolist() == [[0, 1], [1, 1], [2, 1]]


async def test_many_texts_go_in_several_calls_with_key_and_model() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return vectors(request)

    async with encoder(handler) as upstream:
        found = await upstream.embed(["a"] * (TEXTS_PER_CALL + 1), [])
    assert found.shape == (TEXTS_PER_CALL + 1, 2)
    assert [request.url.path for request in seen] == ["/v1/embeddings"] * 2
    assert seen[0].headers["authorization"] == "Bearer k"
    assert b'"model":"m"' in seen[0].content


class Hosted:
    """A scripted server: what `refuse` answers instead of vectors; its requests are counted."""

    def __init__(self, refuse: Callable[[list[str]], httpx.Response | None]) -> None:
        self.refuse = refuse
        self.sizes: list[int] = []
        self.urls: list[str] = []
        self.headers: list[httpx.Headers] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.read())["input"]
        self.sizes.append(len(texts))
        self.urls.append(str(request.url))
        self.headers.append(request.headers)
        return self.refuse(texts) or vectors(request)


def over(limit: int, status: int) -> Hosted:
    """Takes `limit` texts at once, and answers `status` to more."""
    return Hosted(lambda texts: httpx.Response(status) if len(texts) > limit else None)


@pytest.mark.parametrize("fault", [408, 425, 500, 502, 503, 504, None])
async def test_a_passing_fault_is_unavailable_and_left_to_the_caller_to_retry(
    fault: int | None,
) -> None:
    def refuse(texts: list[str]) -> httpx.Response:
        if fault is None:
            raise httpx.ReadTimeout("slow")
        return httpx.Response(fault)

    hosted = Hosted(refuse)
    async with encoder(hosted) as upstream:
        with pytest.raises(UpstreamUnavailableError, match=r"models\.example"):
            await upstream.embed(["a"], [])
    assert hosted.sizes == [1]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_batch_over_the_servers_limit_is_halved_and_the_size_that_worked_is_kept(
    status: int,
) -> None:
    hosted = over(20, status)
    async with encoder(hosted) as upstream:
        assert len(await upstream.embed([str(n) for n in range(70)], [])) == 70
        first = len(hosted.sizes)
        assert len(await upstream.embed([str(n) for n in range(40)], [])) == 40
    assert hosted.sizes[:3] == [64, 32, 16]
    assert hosted.sizes[first:] == [16, 16, 8]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_one_text_that_is_refused_is_named_and_does_not_shrink_later_batches(
    status: int,
) -> None:
    said = httpx.Response(status, json={"error": {"message": "input must not be blank"}})
    hosted = Hosted(lambda texts: said if "bad" in texts else None)
    async with encoder(hosted) as upstream:
        with pytest.raises(InputRefusedError, match=r"input 5 \(.*says: input must not be blank"):
            await upstream.embed([*"abcde", "bad", *"fgh"], [])
        before = len(hosted.sizes)
        await upstream.embed(["a"] * TEXTS_PER_CALL, [])
    assert hosted.sizes[before:] == [TEXTS_PER_CALL]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2"}, 2),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "soon"}, PAUSE_SECONDS),
        ({"Retry-After": "-3"}, PAUSE_SECONDS),
        ({}, PAUSE_SECONDS),
    ],
)
async def test_a_rate_limit_is_waited_for_as_the_server_says(
    headers: dict[str, str], seconds: float
) -> None:
    replies = [httpx.Response(429, headers=headers)] * 2
    waited: list[float] = []
    hosted = Hosted(lambda texts: replies.pop() if replies else None)
    async with encoder(hosted, sleep=recorder(waited)) as upstream:
        assert len(await upstream.embed(["a"], [])) == 1
    assert waited == [seconds, seconds]


async def test_a_rate_limit_beyond_the_time_limit_is_passed_on_with_its_seconds() -> None:
    waited: list[float] = []
    hosted = Hosted(lambda texts: httpx.Response(429, headers={"Retry-After": "120"}))
    async with encoder(hosted, sleep=recorder(waited)) as upstream:
        with pytest.raises(UpstreamBusyError, match="Try again in 120 s") as raised:
            await upstream.embed(["a"], [])
    assert raised.value.retry_after_seconds == 120
    assert (waited, hosted.sizes) == ([], [1])


@pytest.mark.parametrize(
    ("status", "setting"),
    [
        (401, "SERVING_EMBED_UPSTREAM_KEY"),
        (403, "SERVING_EMBED_UPSTREAM_KEY"),
        (404, "SERVING_EMBED_UPSTREAM_URL and SERVING_EMBED_UPSTREAM_MODEL"),
        (402, "SERVING_EMBED_UPSTREAM_URL"),
        (302, "SERVING_EMBED_UPSTREAM_URL"),
    ],
)
async def test_a_refusal_is_not_retried_and_names_the_setting(status: int, setting: str) -> None:
    hosted = Hosted(lambda texts: httpx.Response(status, json={"detail": "no such thing"}))
    async with encoder(hosted) as upstream:
        with pytest.raises(UpstreamRefusedError, match=f"{setting}.*It says: no such thing"):
            await upstream.embed(["a", "b"], [])
    assert hosted.sizes == [2]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://m.example", "http://m.example/v1/embeddings"),
        ("http://m.example/", "http://m.example/v1/embeddings"),
        ("http://m.example/v1/", "http://m.example/v1/embeddings"),
        ("https://m.example/v1beta/openai", "https://m.example/v1beta/openai/embeddings"),
        ("https://m.example/api/v3", "https://m.example/api/v3/embeddings"),
        ("https://m.example/x?api-version=1", "https://m.example/x/embeddings?api-version=1"),
    ],
)
async def test_a_base_url_with_a_path_is_used_as_given(url: str, asked: str) -> None:
    hosted = Hosted(lambda texts: None)
    async with encoder(hosted, embed_upstream_url=url) as upstream:
        await upstream.embed(["a"], [])
    assert hosted.urls == [asked]


async def test_credentials_in_the_url_become_a_header_and_are_never_shown() -> None:
    url = "https://user:s3cret@models.example/v1"
    hosted = Hosted(lambda texts: httpx.Response(404, json={"error": f"nothing at {url}"}))
    async with encoder(hosted, embed_upstream_url=url, embed_upstream_key=None) as upstream:
        with pytest.raises(UpstreamRefusedError) as raised:
            await upstream.embed(["a"], [])
    assert "s3cret" not in str(raised.value)
    assert hosted.urls == ["https://models.example/v1/embeddings"]
    assert hosted.headers[0]["authorization"] == f"Basic {b64encode(b'user:s3cret').decode()}"


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    settings = Settings.model_validate({"embed_upstream_url": "https://models.example"})
    client = UpstreamEncoder(settings)._client
    transport = client._transport_for_url(httpx.URL("https://models.example"))
    assert transport is not client._transport


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"\xff": 1}',
        b'{"data": []}',
        b'{"data": [{"index": 1, "embedding": [1]}]}',
        b'{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]}',
        b'{"data": [{"index": 0, "embedding": [1e999]}]}',
    ],
)
async def test_a_reply_that_is_no_embedding_is_unavailable(body: bytes) -> None:
    async with encoder(lambda r: httpx.Response(200, content=body)) as upstream:
        with pytest.raises(UpstreamUnavailableError):
            await upstream.embed(["a"], [])


async def test_without_a_model_the_one_that_is_listed_is_used() -> None:
    listed = httpx.Response(200, json={"data": [{"id": "theirs"}]})
    async with encoder(lambda r: listed, embed_upstream_model=None) as upstream:
        assert upstream.model == "theirs"


async def test_without_a_model_or_a_list_the_setting_is_named() -> None:
    with pytest.raises(UpstreamRefusedError, match="SERVING_EMBED_UPSTREAM_MODEL"):
        async with encoder(lambda r: httpx.Response(404), embed_upstream_model=None):
            pass


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, UpstreamRefusedError, "set SERVING_EMBED_UPSTREAM_KEY.*It says: no such key"),
        (403, UpstreamRefusedError, "set SERVING_EMBED_UPSTREAM_KEY"),
        (503, UpstreamUnavailableError, "answered 503: try later"),
        (404, UpstreamRefusedError, "set SERVING_EMBED_UPSTREAM_MODEL"),
        (None, UpstreamUnavailableError, "does not answer .ConnectError"),
    ],
)
async def test_a_list_of_models_that_is_refused_has_its_own_reason(
    status: int | None, error: type[Exception], words: str
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if status is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(status, json={"error": {"message": "no such key"}})

    with pytest.raises(error, match=words):
        async with encoder(handler, embed_upstream_model=None):
            pass


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_is_asked_past_the_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    url = f"http://{host}:11434/v1"
    client = UpstreamEncoder(Settings.model_validate({"embed_upstream_url": url}))._client
    assert client._transport_for_url(httpx.URL(url)) is client._transport
    elsewhere = client._transport_for_url(httpx.URL("http://models.example"))
    assert elsewhere is not client._transport


def test_credentials_in_the_url_stay_out_of_what_is_told() -> None:
    url = "http://user:secret@models.example"
    assert encoder(vectors, embed_upstream_url=url).host == "models.example"
