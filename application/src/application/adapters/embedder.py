"""The embedder's client: a question's dense and sparse vectors, asked for together."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

import aiohttp

from application.adapters.parts import PART_SIZES, parts_of
from application.adapters.proxy import proxy_of
from application.adapters.replies import Wording, checked
from application.bundle import Mode
from application.errors import InvalidRequest
from application.upstream import Deadline, Upstream
from contracts.endpoints import PRIORITY_HEADER, SparseRequest, SparseResponse, SparseVector
from contracts.urls import authorization, service_root

TEXTS_PER_CALL = 64
WORDING = Wording(
    "embedder",
    key="EMBED_KEY (APPLICATION_EMBED_API_KEY)",
    url="APPLICATION_EMBED_URL",
)


class TooLong(InvalidRequest):
    """The embedder reads no text of this length."""


class Embedder:
    """Reads `{url}/v1/embeddings` and `{url}/v1/sparse`.

    A text that the embedder finds too long is asked for in parts; the mean of their vectors, each
    of length 1, stands for it.
    """

    def __init__(
        self, session: aiohttp.ClientSession, url: str, api_key: str | None, upstream: Upstream
    ) -> None:
        self._session = session
        self._url = service_root(url)
        self._headers = authorization(url, api_key)
        self._headers[PRIORITY_HEADER] = "interactive"  # before an ingestion's texts
        self._key = api_key
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
        """A vector of each text, whole where the embedder takes it, else pooled from parts."""
        try:
            return await self._whole(texts, kind, deadline)
        except TooLong as error:
            refusal = error
        for size in PART_SIZES:
            parts = [parts_of(text, size) for text in texts]
            if all(len(part) == 1 for part in parts):
                continue  # nothing is shorter than what was refused
            try:
                vectors = iter(
                    await self._whole([p for part in parts for p in part], kind, deadline)
                )
            except TooLong as error:
                refusal = error
                continue
            return [pooled([next(vectors) for _ in part]) for part in parts]
        raise refusal

    async def _whole(
        self, texts: Sequence[str], kind: str, deadline: Deadline
    ) -> list[list[float]]:
        vectors: list[list[float]] = []
        for start in range(0, len(texts), TEXTS_PER_CALL):
            some = list(texts[start : start + TEXTS_PER_CALL])
            body = {"input": some, "model": "", "input_type": kind}
            reply = await self._post("/v1/embeddings", body, some, deadline)
            vectors += [item["embedding"] for item in reply["data"]]
        return vectors

    async def _sparse(self, text: str, deadline: Deadline) -> SparseVector:
        """The terms of the text; those of its parts together where it is too long."""
        refusal: TooLong | None = None
        for size in (len(text), *PART_SIZES):
            parts = parts_of(text, size)
            request = SparseRequest(input=parts, kind="query").model_dump()
            try:
                reply = await self._post("/v1/sparse", request, parts, deadline)
            except TooLong as error:
                refusal = error
                continue
            return merged(SparseResponse.model_validate(reply).data)
        raise refusal or TooLong("The question is longer than the embedder reads; shorten it.")

    async def _post(
        self, path: str, body: dict[str, Any], private: Sequence[str], deadline: Deadline
    ) -> dict[str, Any]:
        secrets = [*private, self._key] if self._key else private

        async def attempt() -> dict[str, Any]:
            async with self._session.post(
                self._url + path, json=body, headers=self._headers, proxy=proxy_of(self._url)
            ) as response:
                await checked(response, WORDING, secrets, too_long=TooLong)
                reply: dict[str, Any] = await response.json()
                return reply

        return await self._upstream.call(attempt, deadline)


def pooled(vectors: Sequence[Sequence[float]]) -> list[float]:
    """The mean of the vectors, each scaled to length 1, itself scaled; a single one as it is."""
    if len(vectors) == 1:
        return list(vectors[0])
    unit = [_unit(vector) for vector in vectors]
    return _unit([sum(column) for column in zip(*unit, strict=True)])


def merged(vectors: Sequence[SparseVector]) -> SparseVector:
    """One vector of all terms; a term of several parts keeps its highest weight."""
    if len(vectors) == 1:
        return vectors[0]
    weights: dict[int, float] = {}
    for vector in vectors:
        for index, value in zip(vector.indices, vector.values, strict=True):
            weights[index] = max(value, weights.get(index, value))
    indices = sorted(weights)
    return SparseVector(indices=indices, values=[weights[index] for index in indices])


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Cosine of two vectors, in [-1, 1]."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    norms = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return dot / norms if norms else 0.0


def _unit(vector: Sequence[float]) -> list[float]:
    norm = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / norm for x in vector]


async def _nothing() -> None:
    return None
