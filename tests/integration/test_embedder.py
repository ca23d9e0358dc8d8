"""The real embedder of a running stack: lengths, identity, and queries beside an ingestion."""

import hashlib
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.conftest import Stack

from contracts.endpoints import PROBE_TEXTS, SAME_EMBEDDER_COSINE, EmbedderManifest

pytestmark = pytest.mark.integration

LONG = "The pump stopped after seventeen hours because the valve had frozen. " * 12


@pytest.fixture
def embedder(stack: Stack) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {stack.embed_api_key}"}
    with httpx.Client(base_url=stack.embed_url, headers=headers, timeout=120) as client:
        yield client


def embed(client: httpx.Client, texts: list[str]) -> list[list[float]]:
    data = client.post("/v1/embeddings", json={"input": texts}).raise_for_status().json()["data"]
    return [item["embedding"] for item in data]


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def manifest_of(client: httpx.Client) -> EmbedderManifest:
    return EmbedderManifest.model_validate(client.get("/manifest").json())


def test_a_text_means_the_same_alone_and_in_any_batch(embedder: httpx.Client) -> None:
    texts = [*PROBE_TEXTS, LONG, "pump"]
    for text, together in zip(texts, embed(embedder, texts), strict=True):
        (alone,) = embed(embedder, [text])
        assert dot(together, alone) >= SAME_EMBEDDER_COSINE
        assert math.hypot(*together) == pytest.approx(1, abs=1e-5)


def test_near_meanings_are_nearer_than_far_ones(embedder: httpx.Client) -> None:
    question, right, wrong = embed(
        embedder,
        [
            "How do I reset my password?",
            "To choose a new password, press 'Forgotten' on the sign-in page.",
            "The canteen serves lunch from noon.",
        ],
    )
    assert dot(question, right) > dot(question, wrong) + 0.3


def test_the_longest_input_is_taken_whole_and_one_token_more_is_refused(
    embedder: httpx.Client,
) -> None:
    limit = manifest_of(embedder).fingerprint.max_tokens
    longest = "pump " * (limit - 2)  # and the two special tokens
    taken = embedder.post("/v1/embeddings", json={"input": longest})
    assert taken.json()["usage"]["prompt_tokens"] == limit
    refused = embedder.post("/v1/embeddings", json={"input": ["pump", longest + "pump"]})
    problem = refused.json()
    assert refused.status_code == 413
    assert (problem["index"], problem["tokens"], problem["limit"]) == (1, limit + 1, limit)


def test_the_served_tokenizer_is_the_one_of_the_manifest(embedder: httpx.Client) -> None:
    content = embedder.get("/v1/tokenizer").content
    assert hashlib.sha256(content).hexdigest() == manifest_of(embedder).fingerprint.tokenizer_sha256


def test_the_manifest_is_the_running_models(embedder: httpx.Client) -> None:
    manifest = manifest_of(embedder)
    running = embed(embedder, list(PROBE_TEXTS))
    seen = manifest.fingerprint.model_copy(update={"probe_vectors": running})
    assert manifest.fingerprint.matches(seen)


def test_a_query_does_not_wait_for_an_ingestion(embedder: httpx.Client) -> None:
    with ThreadPoolExecutor(1) as ingestion:
        batch = ingestion.submit(embed, embedder, [f"{number} {LONG}" for number in range(128)])
        answered = 0
        while not batch.done():
            embed(embedder, ["Where is the pump?"])
            answered += 1
    assert len(batch.result()) == 128
    assert answered >= 3  # a pass of the ingestion lies between any two of them
