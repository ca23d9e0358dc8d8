"""Digests of the models that serve us, read from their `/manifest` and kept for seconds."""

import asyncio
import time
from collections.abc import Callable

import aiohttp

from application.settings import openai_base
from contracts.endpoints import EmbedderManifest, LlmManifest

UNKNOWN = "unknown"
KEPT_SECONDS = 15.0
ASKED_AGAIN_SECONDS = 1.0
# An answer is waiting: a dead model is given up at once; a live one may take a moment to hash its
# files when it is asked for the first time.
TIMEOUT = aiohttp.ClientTimeout(total=5, sock_connect=0.5)
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
        self._llm = (openai_base(llm_url) + "/manifest", llm_key)
        self._embedder = (embed_url.rstrip("/") + "/manifest", embed_key)
        self._kept: dict[str, tuple[float, str]] = {}

    async def llm(self) -> str:
        """Digest of the chat model's manifest."""
        return await self._digest(
            *self._llm, lambda raw: LlmManifest.model_validate_json(raw).digest
        )

    async def prepare(self) -> None:
        """Ask the chat model for its manifest until it has answered once, be it with a refusal.

        It hashes its files then, so that the first question does not wait for that.
        """
        url, key = self._llm
        while True:
            try:
                async with self._session.get(url, headers=_bearer(key), timeout=NO_HURRY):
                    return
            except (aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(ASKED_AGAIN_SECONDS)

    async def embedder(self) -> str:
        """Digest of the embedder's fingerprint."""
        return await self._digest(
            *self._embedder,
            lambda raw: EmbedderManifest.model_validate_json(raw).fingerprint.digest,
        )

    async def _digest(self, url: str, key: str | None, read: Callable[[bytes], str]) -> str:
        at, digest = self._kept.get(url, (0.0, UNKNOWN))
        if digest != UNKNOWN and time.monotonic() - at < KEPT_SECONDS:
            return digest
        try:
            async with self._session.get(url, headers=_bearer(key), timeout=TIMEOUT) as response:
                response.raise_for_status()
                digest = read(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            digest = UNKNOWN
        self._kept[url] = (time.monotonic(), digest)
        return digest


def _bearer(key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}
