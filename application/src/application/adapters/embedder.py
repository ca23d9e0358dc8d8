"""The embedder's client: a question's dense and sparse vectors, asked for together."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import aiohttp

from application.bundle import Mode
from application.errors import InvalidRequest
from application.upstream import Deadline, Upstream
from contracts.endpoints import PRIORITY_HEADER, SparseRequest, SparseResponse, SparseVector


class Embedder:
    """Reads `{url}/v1/embeddings` and `{url}/v1/sparse`."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, api_key: str | None, upstream: Upstream
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._headers[PRIORITY_HEADER] = "interactive"  # before an ingestion's texts
        self._upstream = upstream

    async def embed(
        self, text: str, mode: Mode, deadline: Deadline
    ) -> tuple[list[float] | None, SparseVector | None]:
        """Dense and sparse vector of a question; None for an arm that `mode` does not use."""
        dense, sparse = await asyncio.gather(
            self._dense(text, deadline) if mode != "sparse" else _nothing(),
            self._sparse(text, deadline) if mode != "dense" else _nothing(),
        )
        return dense, sparse

    async def similarities(
        self, question: str, sentences: Sequence[str], deadline: Deadline
    ) -> list[float]:
        """`ports.Similarity`; some embedders want questions and sentences told apart."""
        if not sentences:
            return []
        asked, compared = await asyncio.gather(
            self._dense(question, deadline), self._vectors(sentences, "document", deadline)
        )
        return [cosine(asked, vector) for vector in compared]

    async def _dense(self, text: str, deadline: Deadline) -> list[float]:
        return (await self._vectors([text], "query", deadline))[0]

    async def _vectors(
        self, texts: Sequence[str], kind: str, deadline: Deadline
    ) -> list[list[float]]:
        body = {"input": list(texts), "model": "", "input_type": kind}
        reply = await self._post("/v1/embeddings", body, deadline)
        return [item["embedding"] for item in reply["data"]]

    async def _sparse(self, text: str, deadline: Deadline) -> SparseVector:
        request = SparseRequest(input=[text], kind="query").model_dump()
        reply = await self._post("/v1/sparse", request, deadline)
        return SparseResponse.model_validate(reply).data[0]

    async def _post(self, path: str, body: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
        async def attempt() -> dict[str, Any]:
            async with self._session.post(
                self._url + path, json=body, headers=self._headers
            ) as response:
                if response.status == 413:
                    raise InvalidRequest(
                        "The question is longer than the embedder reads; shorten it."
                    )
                response.raise_for_status()
                reply: dict[str, Any] = await response.json()
                return reply

        return await self._upstream.call(attempt, deadline)


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Cosine of two vectors, in [-1, 1]."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    norms = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return dot / norms if norms else 0.0


async def _nothing() -> None:
    return None
