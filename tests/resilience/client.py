"""Clients of the application: what they asked, what they got, and how long it took."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
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


async def each(count: int, workers: int, work: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Results of `work(0)` to `work(count - 1)`, so many at a time."""
    numbers, results = iter(range(count)), []

    async def worker() -> None:
        for number in numbers:
            results.append(await work(number))

    await asyncio.gather(*(worker() for _ in range(workers)))
    return results


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
