"""The embedder over HTTP: dense and sparse vectors, its manifest and its tokenizer."""

import base64
import binascii
import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from tokenizers import Tokenizer

from contracts.endpoints import PRIORITY_HEADER, EmbedderManifest, SparseResponse, SparseVector
from contracts.urls import authorization, service_root
from ingestion.errors import IngestionError, InputRefused, Refused, Unavailable
from ingestion.settings import Settings
from ingestion.state.files import write_whole

TEXTS_PER_REQUEST = 64
M = TypeVar("M", bound=BaseModel)
RETRY_LATER = {408, 425, 429, 500, 502, 503, 504}


class _Embedding(BaseModel):
    index: int
    embedding: str | list[float]


class _Embeddings(BaseModel):
    data: list[_Embedding]


@dataclass(frozen=True)
class Vectors:
    """The two vectors of one chunk."""

    dense: list[float]
    sparse: SparseVector


class Embedder(Protocol):
    """What ingestion asks of an embedder; vectors come in the order of the texts."""

    def manifest(self) -> EmbedderManifest:
        """Who the embedder is."""

    def current(self) -> EmbedderManifest:
        """Who the embedder is now: asked again, since it may have been changed meanwhile."""

    def tokenizer(self) -> Tokenizer:
        """Its own tokenizer, that neither truncates nor pads."""

    def embed(self, dense: Sequence[str], sparse: Sequence[str]) -> list[Vectors]:
        """A dense vector of each text of `dense`, a sparse one of its peer in `sparse`."""


class HttpEmbedder:
    """`serving embed`, or whatever answers as it does. Raises Unavailable or Refused."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        key = settings.embed_api_key
        self._url = service_root(settings.embed_url)
        self._tokenizers = settings.state_dir / "tokenizers"
        self._client = httpx.Client(
            base_url=self._url,
            headers={PRIORITY_HEADER: "bulk"}  # questions go first
            | authorization(settings.embed_url, key.get_secret_value() if key else None),
            timeout=settings.timeout_seconds,
            transport=transport,
        )

    def manifest(self) -> EmbedderManifest:
        """Identity of the embedder, asked for once and kept."""
        if not hasattr(self, "_manifest"):
            self._manifest = self.current()
        return self._manifest

    def current(self) -> EmbedderManifest:
        """Identity of the embedder that answers now."""
        try:
            return EmbedderManifest.model_validate_json(self._request("GET", "/manifest").content)
        except ValidationError as error:
            raise Refused(
                f"{self._url}/manifest is no embedder's manifest: point INGESTION_EMBED_URL at "
                "`serving embed`, which also adapts hosted embedders."
            ) from error

    def tokenizer(self) -> Tokenizer:
        """The embedder's own tokenizer, from the cache or downloaded, checked by its hash.

        A hosted embedder's is "unknown": what serving cuts by in its place is taken as it comes.
        """
        expected = self.manifest().fingerprint.tokenizer_sha256
        cached = self._tokenizers / f"{expected}.json"
        if not _is(cached, expected):
            content = self._request("GET", "/v1/tokenizer").content
            if expected not in ("unknown", hashlib.sha256(content).hexdigest()):
                raise Refused(
                    f"{self._url}/v1/tokenizer is not the tokenizer that its manifest names: "
                    "restart `serving embed`, and fetch its model again if that does not help."
                )
            write_whole(cached, content)
        try:
            tokenizer = Tokenizer.from_file(str(cached))
        except Exception as error:  # it raises nothing narrower
            cached.unlink(missing_ok=True)
            raise self._garbage("/v1/tokenizer", "no tokenizer") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def embed(self, dense: Sequence[str], sparse: Sequence[str]) -> list[Vectors]:
        """Requests hold texts of like length, which pads least."""
        model = self.manifest().fingerprint.model
        order = sorted(range(len(dense)), key=lambda i: len(dense[i]), reverse=True)
        vectors: dict[int, Vectors] = {}
        for start in range(0, len(order), TEXTS_PER_REQUEST):
            part = order[start : start + TEXTS_PER_REQUEST]
            dense_part = self._dense(model, [dense[i] for i in part])
            sparse_part = self._sparse([sparse[i] for i in part])
            for i, row, weight in zip(part, dense_part, sparse_part, strict=True):
                vectors[i] = Vectors(row, weight)
        return [vectors[i] for i in range(len(dense))]

    def _dense(self, model: str, texts: list[str]) -> list[list[float]]:
        """A dense vector of each text; Refused where one is not what the manifest promises."""
        path = "/v1/embeddings"
        body = {"model": model, "input": texts, "encoding_format": "base64"}
        body["input_type"] = "document"
        rows = sorted(self._post(path, body, _Embeddings).data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(texts))):
            raise self._garbage(path, f"{len(rows)} vectors for {len(texts)} texts")
        try:
            vectors = [_floats(row.embedding) for row in rows]
        except (binascii.Error, struct.error) as error:
            raise self._garbage(path, "a vector that is no base64 of float32") from error
        wanted = self.manifest().fingerprint.dimensions
        for vector in vectors:
            if len(vector) != wanted:
                raise self._garbage(path, f"{len(vector)} dimensions in place of {wanted}")
            if not all(map(math.isfinite, vector)):
                raise self._garbage(path, "a vector with a value that is no number")
        return vectors

    def _sparse(self, texts: list[str]) -> list[SparseVector]:
        """The same for sparse vectors."""
        path = "/v1/sparse"
        vectors = self._post(path, {"input": texts, "kind": "document"}, SparseResponse).data
        if len(vectors) != len(texts):
            raise self._garbage(path, f"{len(vectors)} vectors for {len(texts)} texts")
        for vector in vectors:
            if len(vector.indices) != len(vector.values):
                raise self._garbage(path, "a vector with more or fewer indices than values")
            if not all(map(math.isfinite, vector.values)):
                raise self._garbage(path, "a weight that is no number")
        return vectors

    def _post(self, path: str, body: dict[str, Any], answer: type[M]) -> M:
        try:
            return answer.model_validate_json(self._request("POST", path, json=body).content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the reply"
            raise self._garbage(path, f"no vectors ({where}: {first['msg']})") from error

    def _garbage(self, path: str, what: str) -> Refused:
        return Refused(
            f"The embedder at {self._url} answers {path} with {what}: restart it, and see its log "
            "if that does not help. The documents of this batch were not written."
        )

    def _request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        try:
            response = self._client.request(method, path, **kwargs)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"The embedder at {self._url} does not answer ({type(error).__name__}): start it "
                "with `serving embed`, or set INGESTION_EMBED_URL."
            ) from error
        if response.is_success:
            return response
        raise _error_of(response, self._url)


def _error_of(response: httpx.Response, url: str) -> IngestionError:
    if response.status_code in (401, 403):
        return Refused(f"The embedder at {url} refused the key: set INGESTION_EMBED_API_KEY.")
    said = f"{response.status_code} {response.text[:300]}"
    if response.status_code in RETRY_LATER:
        return Unavailable(f"The embedder at {url} is not ready ({said}): its log says why.")
    path = response.request.url.path
    if response.status_code in (400, 413, 422):
        return InputRefused(f"The embedder at {url} refused {path}: {said}")
    return Refused(f"{url}{path} answers {said}: point INGESTION_EMBED_URL at `serving embed`.")


def _floats(embedding: str | list[float]) -> list[float]:
    """A vector in OpenAI's base64 form, little-endian float32; or as numbers."""
    if isinstance(embedding, list):
        return embedding
    raw = base64.b64decode(embedding, validate=True)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def _is(file: Path, sha256: str) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256
