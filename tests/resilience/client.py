"""Clients of the application: what they asked, what they got, and how long it took."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from tests.resilience.conftest import KEY

QUESTION = "How long is parental leave?"
ANSWERED, DEGRADED = "answered", "degraded"


@dataclass(frozen=True)
class Outcome:
    """One reply. `status` is the answer's, or `error` where it is none."""

    code: int
    status: str
    seconds: float
    body: dict[str, Any]


@asynccontextmanager
async def client(url: str, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the key, and as many connections as it needs."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=60, limits=limits, trust_env=False, **options
    ) as opened:
        yield opened


async def ask(http: httpx.AsyncClient, question: str = QUESTION, stream: bool = False) -> Outcome:
    """Ask, and read the reply to its end."""
    began = time.monotonic()
    reply = await http.post("/v1/ask", json={"question": question, "stream": stream})
    seconds = time.monotonic() - began
    if reply.headers["content-type"].startswith("text/event-stream"):
        body = last_event(reply.text)
    else:
        body = reply.json()
    status = body["status"] if "passages" in body else "error"
    return Outcome(reply.status_code, str(status), seconds, body)


def last_event(text: str) -> dict[str, Any]:
    """The data of the last event."""
    last = [block for block in text.split("\n\n") if block.strip()][-1]
    data: dict[str, Any] = json.loads(last.partition("data: ")[2])
    return data


class Stream:
    """One answer as a stream of events, read as far as the test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._seen = ""

    async def until(self, event: str) -> None:
        """Read until this event; raises ConnectionError where there is none."""
        while f"event: {event}\n" not in self._seen:
            received = await self._reader.read(65_536)
            if not received:
                raise ConnectionError(f"no {event} in {self._seen[-500:]!r}")
            self._seen += received.decode()

    async def rest(self) -> dict[str, Any]:
        """The answer at the end; empty where the stream broke off or told an error."""
        with suppress(OSError):
            while received := await self._reader.read(65_536):
                self._seen += received.decode()
        await self.close()
        answer = re.search(r"event: answer\ndata: (.*)\n", _without_chunks(self._seen))
        return json.loads(answer[1]) if answer else {}

    async def close(self) -> None:
        """Leave."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


def _without_chunks(seen: str) -> str:
    """The body without the lines that HTTP puts between its pieces."""
    return re.sub(r"\r\n[0-9a-f]+\r\n", "", seen)


async def streaming(url: str) -> Stream:
    """A question whose answer streams."""
    body = json.dumps({"question": QUESTION, "stream": True})
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n{body}".encode()
    )
    await writer.drain()
    return Stream(reader, writer)


async def each(count: int, workers: int, work: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Results of `work(0)` to `work(count - 1)`, so many at a time."""
    numbers, results = iter(range(count)), []

    async def worker() -> None:
        for number in numbers:
            results.append(await work(number))  # noqa: PERF401 - kept as they come

    await asyncio.gather(*(worker() for _ in range(workers)))
    return results


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
