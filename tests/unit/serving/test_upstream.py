"""A hosted embedder: one retry, and every failure becomes one of two errors of ours."""

from collections.abc import Callable

import httpx
import pytest

from serving.errors import UpstreamRefusedError, UpstreamUnavailableError
from serving.settings import Settings
from serving.upstream import TEXTS_PER_CALL, UpstreamEncoder

Handler = Callable[[httpx.Request], httpx.Response]


def encoder(handler: Handler, **settings: object) -> UpstreamEncoder:
    values = {
        "embed_upstream_url": "http://models.example/v1/",
        "embed_upstream_key": "k",
        "embed_upstream_model": "m",
    }
    return UpstreamEncoder(
        Settings.model_validate(values | settings), transport=httpx.MockTransport(handler)
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


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_passing_fault_is_retried_once(status: int) -> None:
    replies = [httpx.Response(status)]

    async with encoder(lambda r: replies.pop() if replies else vectors(r)) as upstream:
        assert len(await upstream.embed(["a"], [])) == 1


async def test_a_lasting_fault_is_unavailable_after_two_tries() -> None:
    calls = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise httpx.ReadTimeout("slow")

    async with encoder(handler) as upstream:
        with pytest.raises(UpstreamUnavailableError, match=r"models\.example"):
            await upstream.embed(["a"], [])
    assert calls == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_is_not_retried_and_names_the_settings(status: int) -> None:
    replies = [httpx.Response(status)]
    async with encoder(lambda r: replies.pop()) as upstream:
        with pytest.raises(UpstreamRefusedError, match="SERVING_EMBED_UPSTREAM_URL"):
            await upstream.embed(["a"], [])


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


def test_credentials_in_the_url_stay_out_of_what_is_told() -> None:
    url = "http://user:secret@models.example"
    assert encoder(vectors, embed_upstream_url=url).host == "models.example"
