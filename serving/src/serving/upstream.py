"""A hosted embedder behind our endpoint: dense vectors from any OpenAI-compatible URL."""

from collections.abc import Sequence
from typing import Self
from urllib.parse import urlsplit

import httpx
import numpy as np
from pydantic import BaseModel, ValidationError

from contracts.urls import authorization, openai_base
from serving.errors import UpstreamRefusedError, UpstreamUnavailableError
from serving.ports import Vectors
from serving.settings import Settings

TEXTS_PER_CALL = 64
_TRY_AGAIN = {408, 429, 500, 502, 503, 504}


class _Item(BaseModel):
    index: int
    embedding: list[float]


class _Reply(BaseModel):
    data: list[_Item]


class UpstreamEncoder:
    """Asks the hosted endpoint, with one retry; its failures become two kinds of ours."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None):
        key = settings.embed_upstream_key
        url = settings.embed_upstream_url or ""
        base_url = openai_base(url)
        self.model = settings.embed_upstream_model or ""
        self.host = urlsplit(base_url).hostname or base_url  # never with credentials
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers=authorization(url, key.get_secret_value() if key else None),
            timeout=settings.embed_upstream_timeout_seconds,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        if not self.model:
            self.model = await self._only_model()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def embed(self, texts: Sequence[str], lengths: Sequence[int]) -> Vectors:
        """Vectors of `texts`, in order. Raises UpstreamRefusedError, UpstreamUnavailableError."""
        parts = [
            await self._ask(texts[start : start + TEXTS_PER_CALL])
            for start in range(0, len(texts), TEXTS_PER_CALL)
        ]
        return np.concatenate(parts)

    async def _ask(self, texts: Sequence[str]) -> Vectors:
        response = await self._post(texts)
        if response.status_code in _TRY_AGAIN:
            response = await self._post(texts)
        if response.status_code in _TRY_AGAIN:
            raise UpstreamUnavailableError(
                f"The embedder at {self.host} answered {response.status_code} twice: try later."
            )
        if response.is_error:
            raise UpstreamRefusedError(
                f"The embedder at {self.host} refused the request ({response.status_code}): "
                "look at SERVING_EMBED_UPSTREAM_URL, _KEY and _MODEL."
            )
        return self._vectors(response, len(texts))

    async def _only_model(self) -> str:
        """The first model that the endpoint lists. Raises UpstreamRefusedError."""
        try:
            response = await self._client.get("/models")
            return str(response.raise_for_status().json()["data"][0]["id"])
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise UpstreamRefusedError(
                f"The embedder at {self.host} lists no model: set SERVING_EMBED_UPSTREAM_MODEL."
            ) from error

    async def _post(self, texts: Sequence[str]) -> httpx.Response:
        body = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        try:
            return await self._client.post("/embeddings", json=body)
        except httpx.TransportError:
            return httpx.Response(503)  # nobody answered: counts as one of the two tries

    def _vectors(self, response: httpx.Response, count: int) -> Vectors:
        try:
            reply = _Reply.model_validate_json(response.content)
            items = sorted(reply.data, key=lambda item: item.index)
            vectors = np.array([item.embedding for item in items], dtype=np.float32)
        except (ValidationError, ValueError) as error:
            raise UpstreamUnavailableError(
                f"The embedder at {self.host} sent no valid embeddings."
            ) from error
        if [item.index for item in items] != list(range(count)) or not np.isfinite(vectors).all():
            raise UpstreamUnavailableError(
                f"The embedder at {self.host} sent {len(items)} vectors for {count} texts, "
                "or numbers that are none."
            )
        return vectors
