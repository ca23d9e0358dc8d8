"""The command line's client of the HTTP API: nothing here that `curl` could not do."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from application.adapters.sse import EventParser
from application.errors import ApplicationError
from contracts.answer import Answer, DocumentView, Passage, Problem, SearchResponse
from contracts.urls import authorization, without_credentials

TIMEOUT = aiohttp.ClientTimeout(total=300)


async def ask(url: str, key: str, question: str, show: Callable[[str], None]) -> Answer:
    """The answer; `show` gets the pieces. Raises ApplicationError with the server's sentence."""
    body = {"question": question, "stream": True}
    async with _session(url, key) as session:
        try:
            async with session.post("/v1/ask", json=body) as response:
                await _raise_for_problem(response)
                async for name, data in _events(response):
                    if name == "token":
                        show(data["text"])
                    elif name == "answer":
                        return Answer.model_validate(data)
                    elif name == "error":
                        raise ApplicationError(Problem.model_validate(data).detail)
        except aiohttp.ClientConnectionError as error:
            raise _unreachable(url) from error
    raise ApplicationError("The stream ended without an answer; see the application's log.")


class RemoteLibrary:
    """`doors.mcp_server.Library` over the HTTP API of a running application."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    async def search(self, question: str, limit: int) -> list[Passage]:
        """Passages, best first."""
        reply = await self._get("/v1/search", {"q": question, "limit": str(limit)})
        return SearchResponse.model_validate_json(reply).passages

    async def ask(self, question: str) -> Answer:
        """A whole answer."""
        return await ask(self._url, self._key, question, lambda _: None)

    async def read(self, document_id: str) -> DocumentView:
        """The text of a document."""
        return DocumentView.model_validate_json(await self._get(f"/v1/documents/{document_id}"))

    async def _get(self, path: str, query: dict[str, str] | None = None) -> bytes:
        async with _session(self._url, self._key) as session:
            try:
                async with session.get(path, params=query) as response:
                    await _raise_for_problem(response)
                    return await response.read()
            except aiohttp.ClientConnectionError as error:
                raise _unreachable(self._url) from error


def footer(answer: Answer) -> str:
    """What stands below a streamed answer: the final text, sources, status and provenance."""
    made = answer.provenance
    lines = ["", "", answer.text] if answer.timings.generate_ms else [answer.text]
    for citation in answer.citations:
        quote = " ".join(citation.quote.split())
        lines += ["", f"[{citation.number}] {citation.path}", f'    "{quote[:300]}"']
    for statement in answer.statements:
        if statement.support != "supported":
            lines += ["", f"{statement.support} by the documents: {statement.text}"]
    lines += [line for note in answer.notes for line in ("", note)]
    reason = f": {answer.reason}" if answer.reason else ""
    lines += [
        "",
        f"{answer.status}{reason} (evidence {answer.evidence:.2f}, "
        f"{answer.timings.total_ms / 1000:.1f} s, request {answer.request_id})",
        f"data         {made.index}, runs {', '.join(made.ingestion_runs) or 'none'}",
        f"serving      {made.model} {made.model_manifest} at {made.endpoint}, "
        f"embedder {made.embedder}",
        f"application  {made.application_build}, bundle {made.bundle}",
    ]
    return "\n".join(lines)


def _session(url: str, key: str) -> aiohttp.ClientSession:
    headers, base = authorization(url, key), without_credentials(url)
    return aiohttp.ClientSession(base, headers=headers, timeout=TIMEOUT)


async def _raise_for_problem(response: aiohttp.ClientResponse) -> None:
    if response.status >= 400:
        raise ApplicationError(Problem.model_validate_json(await response.read()).detail)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    parser = EventParser()
    async for raw in response.content.iter_any():
        for name, data in parser.feed(raw):
            yield name, json.loads(data)


def _unreachable(url: str) -> ApplicationError:
    return ApplicationError(
        f"Nothing answers at {without_credentials(url)}; start it with `application serve`."
    )
