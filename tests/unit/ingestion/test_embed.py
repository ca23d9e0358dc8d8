"""The embedder's client: what it asks, what it checks, and what it makes of every refusal."""

import base64
import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ingestion.errors import InputRefused, Refused, Unavailable
from ingestion.index.embed import TEXTS_PER_REQUEST, HttpEmbedder
from ingestion.settings import Settings

from .conftest import hash_embedder

TOKENIZER_JSON = hash_embedder.word_tokenizer().to_str().encode()
MANIFEST = hash_embedder.HashEmbedder().manifest()


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/manifest":
        return httpx.Response(200, content=MANIFEST.model_dump_json())
    if request.url.path == "/v1/tokenizer":
        return httpx.Response(200, content=TOKENIZER_JSON)
    texts = json.loads(request.content)["input"]
    if request.url.path == "/v1/sparse":
        data = [hash_embedder.sparse_vector(text).model_dump() for text in texts]
        return httpx.Response(200, json={"data": data})
    rows = [{"index": i, "embedding": hash_embedder.as_base64(t)} for i, t in enumerate(texts)]
    return httpx.Response(200, json={"data": rows[::-1]})


def embedder(
    tmp_path: Path, reply: Callable[[httpx.Request], httpx.Response] = answer
) -> HttpEmbedder:
    settings = Settings(state_dir=tmp_path, embed_url="http://embedder/v1/", embed_api_key="k")
    return HttpEmbedder(settings, httpx.MockTransport(reply))


def test_vectors_come_in_the_order_of_the_texts(tmp_path: Path) -> None:
    texts = [f"{'long ' * (n % 7)}text {n}" for n in range(TEXTS_PER_REQUEST + 9)]

    vectors = embedder(tmp_path).embed(texts, texts)

    for text, found in zip(texts, vectors, strict=True):
        assert found.dense == pytest.approx(hash_embedder.dense_vector(text, ""), abs=1e-6)
        assert found.sparse == hash_embedder.sparse_vector(text)


def test_the_key_and_the_model_go_with_every_request(tmp_path: Path) -> None:
    seen = []

    def spy(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    embedder(tmp_path, spy).embed(["a"], ["a"])

    assert {request.headers["Authorization"] for request in seen} == {"Bearer k"}
    assert {request.headers["X-Priority"] for request in seen} == {"bulk"}
    body = json.loads(next(r.content for r in seen if r.url.path == "/v1/embeddings"))
    assert body == {
        "model": "hash",
        "input": ["a"],
        "encoding_format": "base64",
        "input_type": "document",
    }


def test_the_tokenizer_is_downloaded_once_and_checked(tmp_path: Path) -> None:
    embedder(tmp_path).tokenizer()

    def without_tokenizer(request: httpx.Request) -> httpx.Response:
        return answer(request) if request.url.path == "/manifest" else httpx.Response(500)

    again = embedder(tmp_path, without_tokenizer).tokenizer()

    assert len(again.encode("three words here").ids) == 3
    [cached] = (tmp_path / "tokenizers").iterdir()
    assert cached.stem == hashlib.sha256(TOKENIZER_JSON).hexdigest()


def test_a_tokenizer_that_is_not_the_manifests_is_refused(tmp_path: Path) -> None:
    def wrong(request: httpx.Request) -> httpx.Response:
        return answer(request) if request.url.path == "/manifest" else httpx.Response(200)

    with pytest.raises(Refused, match="is not the tokenizer that its manifest names"):
        embedder(tmp_path, wrong).tokenizer()


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, Refused, "INGESTION_EMBED_API_KEY"),
        (413, InputRefused, "300 tokens"),
        (404, Refused, "/v1/embeddings answers 404 .*: point INGESTION_EMBED_URL at `serving"),
        (429, Unavailable, "not ready"),
        (503, Unavailable, "not ready"),
    ],
)
def test_every_refusal_says_what_can_be_done(
    tmp_path: Path, status: int, error: type[Exception], says: str
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        ok = request.url.path == "/manifest"
        return answer(request) if ok else httpx.Response(status, text="input 0 has 300 tokens")

    with pytest.raises(error, match=says) as raised:
        embedder(tmp_path, refuse).embed(["a"], ["a"])
    assert raised.type is error


def test_an_embedder_that_does_not_answer_is_named(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(Unavailable, match=r"http://embedder does not answer .*serving embed"):
        embedder(tmp_path, refuse).manifest()


@pytest.mark.parametrize("content", ["<html>", '{"kind": "llm"}'])
def test_another_service_in_its_place_is_told_apart(tmp_path: Path, content: str) -> None:
    with pytest.raises(Refused, match="is no embedder's manifest"):
        embedder(tmp_path, lambda request: httpx.Response(200, text=content)).manifest()


NUMBERS = {"nan": float("nan"), "inf": float("inf")}


def vectors(*rows: object) -> bytes:
    return json.dumps({"data": rows}).encode()


def packed(*values: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


DENSE = hash_embedder.dense_vector("a", "")
GARBAGE: dict[str, tuple[str, bytes]] = {
    "no JSON": ("/v1/embeddings", b"<html>Gateway</html>"),
    "nothing": ("/v1/embeddings", b""),
    "half a reply": ("/v1/embeddings", vectors({"index": 0, "embedding": packed(*DENSE)})[:40]),
    "bad UTF-8": ("/v1/embeddings", b'{"data": [\xff]}'),
    "other keys": ("/v1/embeddings", b'{"embeddings": []}'),
    "no index": ("/v1/embeddings", vectors({"embedding": packed(*DENSE)})),
    "too few": ("/v1/embeddings", vectors()),
    "too many": ("/v1/embeddings", vectors(*[{"index": n, "embedding": ""} for n in (0, 1)])),
    "another index": ("/v1/embeddings", vectors({"index": 7, "embedding": packed(*DENSE)})),
    "no base64": ("/v1/embeddings", vectors({"index": 0, "embedding": "!!!!"})),
    "half a float": ("/v1/embeddings", vectors({"index": 0, "embedding": "AAAAAA=="[:6] + "A="})),
    "another dimension": ("/v1/embeddings", vectors({"index": 0, "embedding": packed(1, 2)})),
    "empty": ("/v1/embeddings", vectors({"index": 0, "embedding": ""})),
    "NaN": (
        "/v1/embeddings",
        vectors({"index": 0, "embedding": packed(*DENSE[1:], NUMBERS["nan"])}),
    ),
    "infinite": (
        "/v1/embeddings",
        vectors({"index": 0, "embedding": packed(*DENSE[1:], NUMBERS["inf"])}),
    ),
    "sparse: no JSON": ("/v1/sparse", b"oops"),
    "sparse: a list": ("/v1/sparse", b"[1]"),
    "sparse: too few": ("/v1/sparse", vectors()),
    "sparse: words": ("/v1/sparse", vectors({"indices": ["a"], "values": [1]})),
    "sparse: unequal": ("/v1/sparse", vectors({"indices": [1, 2], "values": [1]})),
    "sparse: NaN": ("/v1/sparse", vectors({"indices": [1], "values": [NUMBERS["nan"]]})),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_from_the_embedder_is_refused_in_a_sentence(tmp_path: Path, case: str) -> None:
    where, content = GARBAGE[case]

    def garbage(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, content=content) if request.url.path == where else answer(request)
        )

    with pytest.raises(
        Refused, match=f"The embedder at http://embedder answers {where} with .*: restart"
    ):
        embedder(tmp_path, garbage).embed(["a"], ["a"])


def test_vectors_as_numbers_are_taken_too(tmp_path: Path) -> None:
    def numbers(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/v1/embeddings":
            return answer(request)
        return httpx.Response(200, content=vectors({"index": 0, "embedding": DENSE}))

    assert embedder(tmp_path, numbers).embed(["a"], ["a"])[0].dense == DENSE


def test_a_tokenizer_that_is_none_is_refused_and_not_kept(tmp_path: Path) -> None:
    unknown = MANIFEST.fingerprint.model_copy(update={"tokenizer_sha256": "unknown"})
    hosted = MANIFEST.model_copy(update={"fingerprint": unknown})

    def garbage(request: httpx.Request) -> httpx.Response:
        is_manifest = request.url.path == "/manifest"
        return httpx.Response(200, content=hosted.model_dump_json() if is_manifest else b"<html>")

    with pytest.raises(Refused, match="no tokenizer"):
        embedder(tmp_path, garbage).tokenizer()
    assert not list(tmp_path.rglob("*.json"))


def test_a_hosted_embedder_whose_tokenizer_is_unknown_is_cut_by_what_serving_gives(
    tmp_path: Path,
) -> None:
    unknown = MANIFEST.fingerprint.model_copy(update={"tokenizer_sha256": "unknown"})
    hosted = MANIFEST.model_copy(update={"fingerprint": unknown, "declared": True})

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/manifest":
            return httpx.Response(200, content=hosted.model_dump_json())
        return answer(request)

    assert embedder(tmp_path, reply).tokenizer().encode("one two").tokens
