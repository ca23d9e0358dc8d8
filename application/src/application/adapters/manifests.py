"""Digests of the models that serve us, read from their `/manifest` and kept for seconds."""

import asyncio
import time
from collections.abc import Callable

import aiohttp

from application.adapters.proxy import proxy_of
from application.upstream import Deadline
from contracts.endpoints import EmbedderManifest, LlmManifest
from contracts.urls import authorization, service_root

UNKNOWN = "unknown"
KEPT_SECONDS = 15.0
ASKED_AGAIN_SECONDS = 1.0
# An answer is waiting: a dead model is given up at once; a live one may take a moment to hash its
# files when it is asked for the first time.
LIMIT_SECONDS = 5.0
NO_HURRY = aiohttp.ClientTimeout(total=60, sock_connect=0.5)


class EndpointManifests:
    """`ports.Manifests`; what cannot be seen is "unknown", and is looked at again next time."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        llm_url: str,
        llm_key: str | None,
        embed_url: str,
        embed_key: str | None,
    ) -> None:
        self._session = session
        self._llm = (f"{service_root(llm_url)}/manifest", authorization(llm_url, llm_key))
        self._embedder = (
            f"{service_root(embed_url)}/manifest",
            authorization(embed_url, embed_key),
        )
        self._kept: dict[str, tuple[float, str]] = {}

    async def llm(self, deadline: Deadline) -> str:
        """Digest of the chat model's manifest."""
        return await self._digest(
            *self._llm, deadline, lambda raw: LlmManifest.model_validate_json(raw).digest
        )

    async def prepare(self) -> None:
        """Ask the chat model for its manifest until it has answered once, be it with a refusal.

        It hashes its files then, so that the first question does not wait for that.
        """
        url, headers = self._llm
        while True:
            try:
                async with self._session.get(
                    url, headers=headers, proxy=proxy_of(url), timeout=NO_HURRY
                ):
                    return
            except (aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(ASKED_AGAIN_SECONDS)

    async def embedder(self, deadline: Deadline) -> str:
        """Digest of the embedder's fingerprint."""
        return await self._digest(
            *self._embedder,
            deadline,
            lambda raw: EmbedderManifest.model_validate_json(raw).fingerprint.digest,
        )

    async def _digest(
        self, url: str, headers: dict[str, str], deadline: Deadline, read: Callable[[bytes], str]
    ) -> str:
        """A digest that was read is kept, and so is the news that a server has no manifest."""
        at, digest = self._kept.get(url, (-KEPT_SECONDS, UNKNOWN))
        seconds = deadline.remaining(LIMIT_SECONDS)
        if time.monotonic() - at < KEPT_SECONDS or not seconds:
            return digest
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=0.5)
        try:
            async with self._session.get(
                url, headers=headers, proxy=proxy_of(url), timeout=limits
            ) as response:
                refused = 400 <= response.status < 500
                digest = UNKNOWN if refused else read(await _whole(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            self._kept.pop(url, None)
            return UNKNOWN
        self._kept[url] = (time.monotonic(), digest)
        return digest


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    response.raise_for_status()
    return await response.read()
