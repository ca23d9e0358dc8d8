"""The embedder over HTTP: dense and sparse vectors, its manifest and its tokenizer."""

import base64
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
from pydantic import ValidationError
from tokenizers import Tokenizer

from contracts.endpoints import EmbedderManifest, SparseResponse, SparseVector
from contracts.urls import authorization, service_root
from ingestion.errors import IngestionError, InputRefused, Refused, Unavailable
from ingestion.settings import Settings

TEXTS_PER_REQUEST = 64
RETRY_LATER = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Vectors:
    """The two vectors of one chunk."""

    dense: list[float]
    sparse: SparseVector


class Embedder(Protocol):
    """What ingestion asks of an embedder; vectors come in the order of the texts."""

    def manifest(self) -> EmbedderManifest:
        """Who the embedder is."""

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
            headers=authorization(settings.embed_url, key.get_secret_value() if key else None),
            timeout=settings.timeout_seconds,
            transport=transport,
        )

    def manifest(self) -> EmbedderManifest:
        """Identity of the embedder, asked for once and kept."""
        if not hasattr(self, "_manifest"):
            try:
                self._manifest = EmbedderManifest.model_validate(
                    self._request("GET", "/manifest").json()
                )
            except (ValidationError, ValueError) as error:
                raise Refused(
                    f"{self._url}/manifest is no embedder's manifest: point INGESTION_EMBED_URL at "
                    "`serving embed`, which also adapts hosted embedders."
                ) from error
        return self._manifest

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
            cached.parent.mkdir(parents=True, exist_ok=True)
            partial = cached.with_suffix(".partial")
            partial.write_bytes(content)
            partial.replace(cached)
        tokenizer = Tokenizer.from_file(str(cached))
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
            body = {"model": model, "input": [dense[i] for i in part], "encoding_format": "base64"}
            rows = sorted(self._post("/v1/embeddings", body)["data"], key=lambda row: row["index"])
            body = {"input": [sparse[i] for i in part], "kind": "document"}
            weights = SparseResponse.model_validate(self._post("/v1/sparse", body)).data
            if not len(part) == len(rows) == len(weights):
                raise Refused(f"{self._url} answered with fewer vectors than texts: restart it.")
            for i, row, weight in zip(part, rows, weights, strict=True):
                vectors[i] = Vectors(_floats(row["embedding"]), weight)
        return [vectors[i] for i in range(len(dense))]

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._request("POST", path, json=body).json()

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


def _floats(embedding: str) -> list[float]:
    """A vector in OpenAI's base64 form: little-endian float32."""
    raw = base64.b64decode(embedding)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def _is(file: Path, sha256: str) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256
