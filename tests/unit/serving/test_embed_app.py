"""The embedder's endpoints: OpenAI's shape, problems in sentences, and a key on all but health."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.fakes.encoder import HangingEncoder, HashEncoder, opened_with
from tests.fakes.openai_server import DIMENSIONS

from contracts.endpoints import EmbedderManifest
from serving import embedder
from serving.batching import BatchingEncoder
from serving.embed_app import create_app
from serving.errors import UpstreamRefusedError, UpstreamUnavailableError
from serving.ports import DenseEncoder, Vectors
from serving.settings import Settings
from serving.tokenizer import ModelTokenizer

ROUTES = [
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/sparse"),
    ("GET", "/v1/tokenizer"),
    ("GET", "/v1/models"),
    ("GET", "/manifest"),
    ("GET", "/metrics"),
]


@contextmanager
def served(
    tokenizer: ModelTokenizer,
    encoder: DenseEncoder,
    key: str | None = None,
    aliases: tuple[str, ...] = (),
    **prefixes: str,
) -> Iterator[TestClient]:
    app = create_app(
        Settings.model_validate({"embed_api_key": key}),
        opened_with(tokenizer, encoder, aliases, **prefixes),
    )
    url = "http://127.0.0.1"
    with TestClient(app, base_url=url, raise_server_exceptions=False) as client:
        yield client


def serving(
    tokenizer: ModelTokenizer, error: Exception | None = None, key: str | None = None
) -> AbstractContextManager[TestClient]:
    return served(tokenizer, HashEncoder(error), key)


@pytest.fixture
def client(tokenizer: ModelTokenizer) -> Iterator[TestClient]:
    with serving(tokenizer) as client:
        yield client


def test_embeddings_have_openais_shape(client: TestClient) -> None:
    reply = client.post("/v1/embeddings", json={"input": ["word", "word word"], "model": "hashes"})
    body = reply.json()
    assert [item["index"] for item in body["data"]] == [0, 1]
    assert body["object"] == "list"
    assert body["model"] == "hashes"
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_one_string_is_one_input_and_base64_holds_the_same_floats(client: TestClient) -> None:
    floats = client.post("/v1/embeddings", json={"input": "word"}).json()["data"]
    body = {"input": "word", "encoding_format": "base64"}
    packed = client.post("/v1/embeddings", json=body).json()["data"]
    vector = np.frombuffer(base64.b64decode(packed[0]["embedding"]), dtype="<f4")
    assert np.allclose(vector, floats[0]["embedding"])


def test_an_input_that_is_too_long_is_refused_with_its_index_size_and_limit(
    client: TestClient,
) -> None:
    reply = client.post("/v1/embeddings", json={"input": ["word", "word " * 7]})
    problem = reply.json()
    assert reply.status_code == 413
    assert reply.headers["content-type"] == "application/problem+json"
    assert (problem["index"], problem["tokens"], problem["limit"]) == (1, 7, 6)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.input"),
        ({"input": []}, "body.input"),
        ({"input": ["word", ""]}, "body.input"),
        ({"input": ""}, "body.input"),
        ({"input": [None]}, "body.input.0"),
        ({"input": [["word"]]}, "body.input.0"),
        ({"input": {"text": "word"}}, "body.input"),
        ({"input": "word", "input_type": "image"}, "body.input_type"),
        ({"input": ["word"] * 2049}, "body.input"),
        ({"input": "word", "encoding_format": "int8"}, "body.encoding_format"),
    ],
)
def test_a_bad_body_is_a_problem_that_names_the_field(
    client: TestClient, body: dict[str, object], field: str
) -> None:
    reply = client.post("/v1/embeddings", json=body)
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("ids", [[1, 2], [[1, 2]], [[1], [2, 3]], [101, 7592, 102]])
def test_token_ids_are_refused_with_the_setting_that_sends_text(
    client: TestClient, ids: list[object]
) -> None:
    """Whose ids they are cannot be known, and another tokenizer's would be other words."""
    reply = client.post("/v1/embeddings", json={"input": ids})
    assert reply.status_code == 422
    assert "check_embedding_ctx_length=False" in reply.json()["detail"]


def test_fields_that_are_null_count_as_left_out(client: TestClient) -> None:
    names = ("model", "encoding_format", "dimensions", "user", "input_type")
    body = {"input": "word"} | dict.fromkeys(names)
    reply = client.post("/v1/embeddings", json=body)
    assert isinstance(reply.json()["data"][0]["embedding"], list)


def test_only_the_models_own_number_of_dimensions_is_given(client: TestClient) -> None:
    body = {"input": "word", "user": "someone", "dimensions": DIMENSIONS}
    assert client.post("/v1/embeddings", json=body).status_code == 200
    refused = client.post("/v1/embeddings", json=body | {"dimensions": 256})
    assert refused.status_code == 422
    assert f"{DIMENSIONS} dimensions" in refused.json()["detail"]
    assert "Leave `dimensions` out" in refused.json()["detail"]


@pytest.mark.parametrize("name", ["hashes", "Owner/Hashes", "owner/hashes", "", None])
def test_the_model_is_named_by_its_name_by_its_hub_id_or_not_at_all(
    tokenizer: ModelTokenizer, name: str | None
) -> None:
    with served(tokenizer, HashEncoder(), aliases=("owner/hashes",)) as client:
        reply = client.post("/v1/embeddings", json={"input": "word", "model": name})
        assert reply.json()["model"] == "hashes"
        other = client.post("/v1/embeddings", json={"input": "word", "model": "other"})
    assert "'hashes' (or 'owner/hashes')" in other.json()["detail"]


@pytest.mark.parametrize(
    ("input_type", "prefix"),
    [
        *[(name, "p: ") for name in (None, "document", "passage", "search_document")],
        *[(name, "q: ") for name in ("query", "search_query", "QUERY")],
    ],
)
def test_the_prefix_follows_the_type_of_the_input(
    tokenizer: ModelTokenizer, input_type: str | None, prefix: str
) -> None:
    encoder = HashEncoder()
    with served(tokenizer, encoder, query_prefix="q: ", document_prefix="p: ") as client:
        client.post("/v1/embeddings", json={"input": ["word"], "input_type": input_type})
    assert encoder.texts == [f"{prefix}word"]


def test_a_prefix_counts_as_tokens_of_its_input(tokenizer: ModelTokenizer) -> None:
    with served(tokenizer, HashEncoder(), query_prefix="word ") as client:
        body = {"input": "word " * 6}
        assert client.post("/v1/embeddings", json=body).status_code == 200
        assert client.post("/v1/embeddings", json=body | {"input_type": "query"}).status_code == 413


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/sparse"])
def test_half_a_character_is_a_problem_not_a_failure(client: TestClient, path: str) -> None:
    body = r'{"input": ["word", "\ud800"], "kind": "query"}'
    json = {"Content-Type": "application/json"}
    assert client.post(path, content=body, headers=json).status_code == 422


def test_another_model_is_refused_and_none_is_taken(client: TestClient) -> None:
    other = client.post("/v1/embeddings", json={"input": "word", "model": "other"})
    assert other.status_code == 404
    assert "'hashes'" in other.json()["detail"]
    assert client.post("/v1/embeddings", json={"input": "word", "model": ""}).status_code == 200


def test_sparse_vectors_of_any_length_of_text(client: TestClient) -> None:
    reply = client.post("/v1/sparse", json={"input": ["pump " * 500, ""], "kind": "document"})
    first, empty = reply.json()["data"]
    assert len(first["indices"]) == 1
    assert empty == {"indices": [], "values": []}


def test_the_tokenizer_is_served_with_its_hash_as_etag(
    client: TestClient, tokenizer: ModelTokenizer
) -> None:
    reply = client.get("/v1/tokenizer")
    assert reply.content == tokenizer.content
    assert reply.headers["etag"] == f'"{tokenizer.sha256}"'
    manifest = EmbedderManifest.model_validate(client.get("/manifest").json())
    assert manifest.fingerprint.tokenizer_sha256 == tokenizer.sha256


def test_metrics_count_texts_and_tokens(client: TestClient) -> None:
    client.post("/v1/embeddings", json={"input": ["word", "word word"]})
    page = client.get("/metrics").text
    assert "serving_embed_texts_total 2.0" in page
    assert "serving_embed_tokens_total 3.0" in page


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "k"}])
def test_every_route_but_health_needs_the_key(
    tokenizer: ModelTokenizer, method: str, path: str, sent: dict[str, str]
) -> None:
    with serving(tokenizer, key="k") as client:
        assert client.request(method, path, headers=sent).status_code == 401
        assert client.get("/health/ready").status_code == 200
        assert client.get("/health/live").status_code == 200


def test_the_right_key_is_let_in(tokenizer: ModelTokenizer) -> None:
    with serving(tokenizer, key="k") as client:
        reply = client.get("/v1/models", headers={"Authorization": "Bearer k"})
    assert [model["id"] for model in reply.json()["data"]] == ["hashes"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UpstreamRefusedError("wrong key"), 502),
        (UpstreamUnavailableError("try later"), 503),
        (RuntimeError("CUDA secret path /root"), 500),
    ],
)
def test_each_failure_has_its_status_and_a_librarys_words_never_leak(
    tokenizer: ModelTokenizer, error: Exception, status: int
) -> None:
    with serving(tokenizer, error) as client:
        reply = client.post("/v1/embeddings", json={"input": "word"})
    assert reply.status_code == status
    assert reply.json()["status"] == status
    assert "/root" not in reply.text
    assert ("retry-after" in reply.headers) == (status == 503)


def test_readiness_fails_with_the_model_and_liveness_does_not(tokenizer: ModelTokenizer) -> None:
    with serving(tokenizer, UpstreamUnavailableError("try later")) as client:
        reply = client.get("/health/ready")
        assert client.get("/health/live").status_code == 200
    assert reply.status_code == 503
    assert reply.json()["checks"]["model"]["detail"] == "try later"


@pytest.mark.parametrize(
    ("headers", "priority"),
    [({}, None), ({"X-Priority": "bulk"}, "bulk"), ({"x-priority": "interactive"}, "interactive")],
)
def test_the_declared_priority_reaches_the_queue(
    tokenizer: ModelTokenizer, headers: dict[str, str], priority: str | None
) -> None:
    encoder = HashEncoder()
    with served(tokenizer, encoder) as client:
        client.post("/v1/embeddings", json={"input": ["word"]}, headers=headers)
    assert encoder.priorities == [priority]


def test_an_unknown_priority_is_a_problem_that_names_the_two(client: TestClient) -> None:
    headers = {"X-Priority": "urgent"}
    reply = client.post("/v1/embeddings", json={"input": "word"}, headers=headers)
    assert reply.status_code == 422
    assert "'interactive' or 'bulk'" in reply.json()["detail"]


async def test_a_request_whose_client_went_away_leaves_the_queue(
    tokenizer: ModelTokenizer,
) -> None:
    """Asked without a server, so that the client leaves exactly when the work has begun."""
    encoder = HangingEncoder()
    app = create_app(Settings(), opened_with(tokenizer, encoder))
    body = {"type": "http.request", "body": b'{"input": "word"}', "more_body": False}
    messages = iter([body])

    async def receive() -> dict[str, object]:
        if message := next(messages, None):
            return message
        await encoder.begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    sent: list[dict[str, object]] = []
    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/embeddings", "headers": headers}
    async with app.router.lifespan_context(app), asyncio.timeout(10):
        await app(scope | {"query_string": b""}, receive, send)
    assert encoder.cancelled
    assert sent[0]["status"] == 499


def test_readiness_computes_something_new_each_time(tokenizer: ModelTokenizer) -> None:
    encoder = HashEncoder()
    with served(tokenizer, encoder) as client:
        for _ in range(3):
            assert client.get("/health/ready").json()["status"] == "ready"
    assert len(set(encoder.texts)) == 3
    assert encoder.priorities == ["interactive"] * 3


def test_a_model_that_hangs_is_not_ready_though_it_remembers(
    tokenizer: ModelTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, ended = threading.Event(), threading.Event()

    def encode(texts: list[str]) -> Vectors:
        if hangs.is_set():
            ended.wait(10)
        return np.zeros((len(texts), 2), dtype=np.float32)

    with BatchingEncoder(encode) as dense, served(tokenizer, dense) as client:
        assert client.get("/health/ready").status_code == 200
        hangs.set()
        monkeypatch.setattr(embedder, "READY_SECONDS", 0.05)
        reply = client.get("/health/ready")
        assert client.get("/health/live").status_code == 200
        ended.set()
    assert reply.status_code == 503
    assert "no vector within" in reply.json()["checks"]["model"]["detail"]


def test_an_unknown_path_is_a_problem_too(client: TestClient) -> None:
    reply = client.get("/docs")
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "rebound.example"}, {"Origin": "null"}]
)
def test_without_a_key_no_web_page_may_ask(client: TestClient, headers: dict[str, str]) -> None:
    reply = client.post("/v1/embeddings", json={"input": "word"}, headers=headers)
    assert reply.status_code == 403
    assert "access-control-allow-origin" not in reply.headers
