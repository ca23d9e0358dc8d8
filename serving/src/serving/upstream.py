"""A hosted embedder behind our endpoint: dense vectors from any OpenAI-compatible URL.

Server errors are not retried here: whoever asked us does that. Only two things are asked again,
because only this file knows how: a batch that was too large, and a request that came too early.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Self
from urllib.parse import urlsplit

import httpx
import numpy as np
from pydantic import BaseModel, ValidationError

from contracts.urls import authorization, openai_url
from serving.checks import DIRECT
from serving.errors import (
    InputRefusedError,
    UpstreamBusyError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from serving.ports import Priority, Vectors
from serving.reasons import reason_of, retry_after_seconds
from serving.settings import Settings

TEXTS_PER_CALL = 64  # to begin with; halved for a server that takes fewer
PAUSE_SECONDS = 1.0  # after "too many requests" without a Retry-After
_TOO_MANY = {400, 413, 422}  # what servers answer to a batch over their limit, or to a bad text
_UNAVAILABLE = {408, 425}


class _Item(BaseModel):
    index: int
    embedding: list[float]


class _Reply(BaseModel):
    data: list[_Item]


class UpstreamEncoder:
    """Asks the hosted endpoint; its failures become errors of ours, with the server's reason."""

    def __init__(
        self,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        key = settings.embed_upstream_key
        self._url = (settings.embed_upstream_url or "").strip()
        self._key = key.get_secret_value() if key else ""
        self._sleep = sleep
        self._texts_per_call = TEXTS_PER_CALL
        self._limit_seconds = settings.embed_upstream_timeout_seconds
        self.model = settings.embed_upstream_model or ""
        self.host = urlsplit(self._url).hostname or "the URL"  # never with credentials
        self._client = httpx.AsyncClient(
            headers=authorization(self._url, self._key or None),
            timeout=self._limit_seconds,
            transport=transport,
            mounts=DIRECT,
        )

    async def __aenter__(self) -> Self:
        if not self.model:
            self.model = await self._only_model()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def embed(
        self, texts: Sequence[str], lengths: Sequence[int], priority: Priority | None = None
    ) -> Vectors:
        """Vectors of `texts`, in order.

        Raises InputRefusedError, UpstreamRefusedError, UpstreamBusyError, UpstreamUnavailableError.
        """
        size = self._texts_per_call
        parts: list[Vectors] = []
        done = 0
        until = time.monotonic() + self._limit_seconds
        while done < len(texts):
            part = texts[done : done + size]
            response = await self._post(part, until)
            if response.status_code in _TOO_MANY and len(part) > 1:
                size = len(part) // 2
                continue
            self._raise_for(response, part, done)
            parts.append(self._vectors(response, len(part)))
            done += len(part)
        self._texts_per_call = min(size, self._texts_per_call)  # kept only where all of it worked
        return np.concatenate(parts)

    async def _post(self, texts: Sequence[str], until: float) -> httpx.Response:
        """The reply. After a 429 it asks again when the server says, if that is before `until`."""
        body = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        while True:
            try:
                response = await self._client.post(openai_url(self._url, "embeddings"), json=body)
            except httpx.TransportError as error:
                raise UpstreamUnavailableError(
                    f"The embedder at {self.host} does not answer ({type(error).__name__}): check "
                    "SERVING_EMBED_UPSTREAM_URL, or try later."
                ) from error
            except httpx.HTTPError as error:
                raise UpstreamRefusedError(
                    f"The embedder at {self.host} does not answer as HTTP "
                    f"({type(error).__name__}): check SERVING_EMBED_UPSTREAM_URL."
                ) from error
            if response.status_code != 429:
                return response
            told = retry_after_seconds(response.headers)
            pause = PAUSE_SECONDS if told is None else told
            if time.monotonic() + pause >= until:
                raise UpstreamBusyError(
                    f"The embedder at {self.host} is asked too often (429). Try again in "
                    f"{pause:.0f} s.{self._said(response, texts)}",
                    pause,
                )
            await self._sleep(pause)

    def _raise_for(self, response: httpx.Response, texts: Sequence[str], first: int) -> None:
        """Raises this reply's error of ours, if it is one."""
        status = response.status_code
        if response.is_success:
            return
        said = self._said(response, texts)
        if status >= 500 or status in _UNAVAILABLE:
            raise UpstreamUnavailableError(
                f"The embedder at {self.host} answered {status}: try later.{said}"
            )
        if status in (401, 403):
            mend = "set SERVING_EMBED_UPSTREAM_KEY"
        elif status == 404:
            mend = "check SERVING_EMBED_UPSTREAM_URL and SERVING_EMBED_UPSTREAM_MODEL"
        elif status in _TOO_MANY:
            raise InputRefusedError(
                f"The embedder at {self.host} refused input {first} ({status}): change this text, "
                "or, if it refuses every text, check SERVING_EMBED_UPSTREAM_MODEL and "
                f"SERVING_EMBED_UPSTREAM_MAX_TOKENS.{said}"
            )
        else:
            mend = "check SERVING_EMBED_UPSTREAM_URL, _KEY and _MODEL"
        raise UpstreamRefusedError(
            f"The embedder at {self.host} refused the request ({status}): {mend}.{said}"
        )

    def _said(self, response: httpx.Response, texts: Sequence[str]) -> str:
        reason = reason_of(response.content, self._key, texts)
        return f" It says: {reason}" if reason else ""

    async def _only_model(self) -> str:
        """The first model that the endpoint lists.

        Raises UpstreamRefusedError, UpstreamUnavailableError.
        """
        try:
            response = await self._client.get(openai_url(self._url, "models"))
        except httpx.HTTPError as error:
            raise UpstreamUnavailableError(
                f"The embedder at {self.host} does not answer ({type(error).__name__}): check "
                "SERVING_EMBED_UPSTREAM_URL, or try later."
            ) from error
        if response.status_code in (401, 403) or response.status_code >= 500:
            self._raise_for(
                response, (), 0
            )  # a list would not help: the key is wrong, or it is down
        try:
            return str(response.raise_for_status().json()["data"][0]["id"])
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise UpstreamRefusedError(
                f"The embedder at {self.host} lists no model: set SERVING_EMBED_UPSTREAM_MODEL."
            ) from error

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
