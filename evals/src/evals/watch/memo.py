"""The memo gateway: within one cycle, equal chat requests are generated once.

The application sends the generations of probes here (APPLICATION_PROBE_LLM_URL), the live build and
the accepted one alike. So a layer that did not change what reaches the model contributes exactly 0,
and a quiet cycle costs one generation a probe. Users' questions never come this way.
"""

import asyncio
import hashlib
from dataclasses import dataclass

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.probe import PROBE_CYCLE

CYCLES_KEPT = 2
COMPLETIONS = "/v1/chat/completions"


@dataclass(frozen=True)
class Generated:
    """A whole reply of the model server, as it came."""

    status: int
    media_type: str
    content: bytes


class Memo:
    """Forwards to one model server with the caller's own key; remembers what it replied."""

    def __init__(
        self,
        llm_url: str,
        timeout_seconds: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        base = llm_url.rstrip("/").removesuffix("/v1")
        self._http = httpx.AsyncClient(base_url=base, timeout=timeout_seconds, transport=transport)
        self._cycles: dict[str, dict[str, asyncio.Task[Generated]]] = {}

    @property
    def routes(self) -> list[Route]:
        """The one route that the application needs."""
        return [Route(COMPLETIONS, self._complete, methods=["POST"])]

    def generations(self, cycle: str) -> int:
        """Requests of a cycle that the model was asked; the rest were shared."""
        return len(self._cycles.get(cycle, {}))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _complete(self, request: Request) -> Response:
        cycle, body = request.headers.get(PROBE_CYCLE, ""), await request.body()
        key = request.headers.get("Authorization", "")
        digest = hashlib.sha256(key.encode() + b"\0" + body).hexdigest()
        replies = self._of(cycle)
        if digest not in replies:
            replies[digest] = asyncio.create_task(self._generate(key, body))
        try:
            reply = await asyncio.shield(replies[digest])
        except httpx.HTTPError as error:
            replies.pop(digest, None)  # the next caller tries again
            return JSONResponse({"error": {"message": f"The model: {error!r}"}}, 502)
        return Response(reply.content, reply.status, media_type=reply.media_type)

    def _of(self, cycle: str) -> dict[str, asyncio.Task[Generated]]:
        if cycle not in self._cycles:
            self._cycles[cycle] = {}
            for old in list(self._cycles)[:-CYCLES_KEPT]:
                del self._cycles[old]
        return self._cycles[cycle]

    async def _generate(self, key: str, body: bytes) -> Generated:
        headers = {"Content-Type": "application/json"} | ({"Authorization": key} if key else {})
        reply = await self._http.post(COMPLETIONS, content=body, headers=headers)
        return Generated(reply.status_code, reply.headers.get("Content-Type", ""), reply.content)
