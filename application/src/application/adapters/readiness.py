"""Asks the dependencies whether they work, each with two seconds to say so."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import aiohttp
from pydantic import SecretStr

from application.adapters.events import AnswerEvents
from application.adapters.index import Index
from application.adapters.proxy import proxy_of
from application.bundle_store import BundleStore
from application.errors import ApplicationError
from application.settings import Settings
from application.upstream import Deadline
from contracts.endpoints import EmbedderManifest
from contracts.status import Check, Readiness
from contracts.urls import authorization, openai_url, service_root

SECONDS = 2.0


class ReadinessChecks:
    """Index and embedder are required; without the model, answers are degraded.

    A broken edit of the bundle degrades too: its last whole state answers. So do events of answers
    that cannot be written, e.g. on a full disk.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        index: Index,
        bundles: BundleStore,
        settings: Settings,
        events: AnswerEvents | None = None,
    ) -> None:
        self._events = events
        self._session = session
        self._index = index
        self._bundles = bundles
        self._settings = settings

    async def check(self) -> Readiness:
        """What each dependency says now."""
        names = ("embedder", "index", "model", "bundle", "events")
        results = await asyncio.gather(
            _checked(self._embedder()),
            _checked(self._index_spec()),
            _checked(self._model()),
            _checked(self._bundle()),
            _checked(self._written()),
        )
        checks = dict(zip(names, results, strict=True))
        if not (checks["embedder"].ok and checks["index"].ok):
            return Readiness(status="down", checks=checks)
        whole = all(check.ok for check in checks.values())
        return Readiness(status="ready" if whole else "degraded", checks=checks)

    async def _embedder(self) -> str:
        return f"{(await self._embedder_manifest()).fingerprint.model} answers"

    async def _index_spec(self) -> str:
        spec = await self._index.spec(self._settings.index, Deadline(SECONDS))
        serving = (await self._embedder_manifest()).fingerprint
        if spec.embedder.digest != serving.digest:
            raise ApplicationError(
                f"The index was built with {spec.embedder.model} {spec.embedder.digest}, but the "
                f"embedder is {serving.model} {serving.digest}; run `ingestion sync`."
            )
        return f"{self._settings.index} is built with the embedder that serves"

    async def _model(self) -> str:
        settings = self._settings
        headers = authorization(settings.llm_url, _secret(settings.llm_api_key))
        models = await self._get(openai_url(settings.llm_url, "models"), headers)
        names = [model["id"] for model in models["data"]]
        if self._settings.llm_model not in names:
            raise ApplicationError(
                f"The model {self._settings.llm_model!r} is not served; set APPLICATION_LLM_MODEL "
                f"to one of: {', '.join(names)}."
            )
        return f"{self._settings.llm_model} answers"

    async def _bundle(self) -> str:
        digest = self._bundles.live.digest
        if self._bundles.problem:  # its words are for the log: anyone may read this
            raise ApplicationError(
                f"The edited bundle is broken; {digest} still answers; the log says what to mend."
            )
        return f"{digest} answers"

    async def _written(self) -> str:
        if self._events and self._events.problem:
            raise ApplicationError(self._events.problem)
        return "events are written"

    async def _embedder_manifest(self) -> EmbedderManifest:
        url, key = self._settings.embed_url, _secret(self._settings.embed_api_key)
        manifest = await self._get(f"{service_root(url)}/manifest", authorization(url, key))
        return EmbedderManifest.model_validate(manifest)

    async def _get(self, url: str, headers: dict[str, str]) -> dict[str, Any]:
        async with self._session.get(url, headers=headers, proxy=proxy_of(url)) as response:
            response.raise_for_status()
            reply: dict[str, Any] = await response.json()
            return reply


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


async def _checked(saying: Awaitable[str]) -> Check:
    try:
        async with asyncio.timeout(SECONDS):
            return Check(ok=True, detail=await saying)
    except ApplicationError as error:
        return Check(ok=False, detail=str(error))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, LookupError) as error:
        return Check(ok=False, detail=f"No usable answer ({type(error).__name__}); is it running?")
