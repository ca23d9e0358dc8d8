"""The memo gateway: within one cycle, equal chat requests are generated once.

The application sends the generations of probes here (APPLICATION_PROBE_LLM_URL), the live build and
the accepted one alike. So a layer that did not change what reaches the model contributes exactly 0,
and a quiet cycle costs one generation a probe. Users' questions never come this way.

What was generated at an accept is kept on disk, and stands in for what a replaying cycle asks: its
name ends in the accept's.
"""

import asyncio
import hashlib
import json
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.probe import PROBE_CYCLE
from contracts.urls import openai_url

CYCLES_KEPT = 2
ACCEPTS_KEPT = 2
COMPLETIONS = "/v1/chat/completions"

_NAME = re.compile(r"(?:(.+)-)?(accept-\d{8}T\d{6}Z)")


def accept_name(stamp: str) -> str:
    """The name of the cycle at an accept; `stamp` is its time, such as "20261125T120000Z"."""
    return f"accept-{stamp}"


def replaying(cycle: str, stamp: str) -> str:
    """The name of a cycle that may hear what was generated at the accept."""
    return f"{cycle}-{accept_name(stamp)}"


@dataclass(frozen=True)
class Generated:
    """A whole reply of the model server, as it came."""

    status: int
    media_type: str
    content: str


class Memo:
    """Forwards to one model server with the caller's own key; remembers what it replied."""

    def __init__(
        self,
        llm_url: str,
        timeout_seconds: float,
        folder: Path,
        transport: httpx.AsyncBaseTransport | None = None,
        key: str | None = None,
    ) -> None:
        """What was generated at accepts lies in `folder`, a file each; `key` is the model's."""
        self._url = openai_url(llm_url, "chat/completions")
        self._http = httpx.AsyncClient(timeout=timeout_seconds, transport=transport)
        self._folder = folder
        self._key = key
        self._cycles: dict[str, dict[str, asyncio.Task[Generated]]] = {}
        self._accepts: dict[str, dict[str, Generated]] = {}

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
        cycle = request.headers.get(PROBE_CYCLE, "")
        if not cycle:  # no web page can add this header: the browser would have to ask first
            return JSONResponse({"error": {"message": f"Send {PROBE_CYCLE}."}}, 403)
        key = request.headers.get("Authorization", "")
        if self._key and not secrets.compare_digest(key.encode(), f"Bearer {self._key}".encode()):
            return JSONResponse({"error": {"message": "Send the model's key."}}, 401)
        body = await request.body()
        digest = hashlib.sha256(key.encode() + b"\0" + body).hexdigest()
        name = _NAME.fullmatch(cycle)
        if name and name[1] and (kept := self._accept(name[2]).get(digest)):
            return Response(kept.content, kept.status, media_type=kept.media_type)
        replies = self._of(cycle)
        is_first = digest not in replies
        if is_first:
            replies[digest] = asyncio.create_task(self._generate(key, body))
        try:
            reply = await asyncio.shield(replies[digest])
        except httpx.HTTPError as error:
            replies.pop(digest, None)  # the next caller tries again
            return JSONResponse({"error": {"message": f"The model: {error!r}"}}, 502)
        if is_first and name and not name[1] and reply.status == 200:
            self._keep(name[2], digest, reply)
        return Response(reply.content, reply.status, media_type=reply.media_type)

    def _accept(self, name: str) -> dict[str, Generated]:
        """What was generated at an accept, by the hash of key and body."""
        file = self._folder / f"{name}.jsonl"
        if name not in self._accepts and file.is_file():
            self._accepts[name] = {}
            for line in file.read_bytes().split(b"\n"):
                with suppress(ValueError):  # a kill leaves half a line
                    row = json.loads(line)
                    digest = row.pop("digest")
                    self._accepts[name][digest] = Generated(**row)
        return self._accepts.get(name, {})

    def _keep(self, name: str, digest: str, reply: Generated) -> None:
        file = self._folder / f"{name}.jsonl"
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            for old in sorted(self._folder.glob("accept-*.jsonl"))[: 1 - ACCEPTS_KEPT]:
                old.unlink()
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"digest": digest, **asdict(reply)}) + "\n")

    def _of(self, cycle: str) -> dict[str, asyncio.Task[Generated]]:
        if cycle not in self._cycles:
            self._cycles[cycle] = {}
            for old in list(self._cycles)[:-CYCLES_KEPT]:
                del self._cycles[old]
        return self._cycles[cycle]

    async def _generate(self, key: str, body: bytes) -> Generated:
        headers = {"Content-Type": "application/json"} | ({"Authorization": key} if key else {})
        reply = await self._http.post(self._url, content=body, headers=headers)
        return Generated(reply.status_code, reply.headers.get("Content-Type", ""), reply.text)
