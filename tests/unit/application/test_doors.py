"""The doors of the API, tried by real sockets on a real server: nobody may hold up the others."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn
from tests.unit.application.conftest import Application, Running

from application.server import OPTIONS, PatientOnce

ASK = b"POST /v1/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
BODY = json.dumps({"question": "How long is parental leave?"}).encode()
DECLARED = b"Content-Length: 60\r\n\r\n" + b'{"question": "How'
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n11\r\n" + b'{"question": "How'
SLOW_CLIENTS = 64


class Door:
    """A server on loopback, and clients that send what they like."""

    def __init__(
        self, app: Application, port: int, client: httpx.AsyncClient, stack: AsyncExitStack
    ) -> None:
        self.app = app
        self.port = port
        self._client = client
        self._stack = stack

    async def send(self, data: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.push_async_callback(_closed, writer)
        writer.write(data)
        await writer.drain()
        return reader

    async def ask(self, **headers: str) -> tuple[httpx.Response, float]:
        sent = {"Content-Type": "application/json"} | (headers or self.app.auth)
        began = time.monotonic()
        reply = await self._client.post("/v1/ask", content=BODY, headers=sent, timeout=5)
        return reply, time.monotonic() - began


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def authorization(app: Application) -> bytes:
    return f"Authorization: {app.auth['Authorization']}\r\n".encode()


async def status_of(reader: asyncio.StreamReader) -> int:
    line = await asyncio.wait_for(reader.readline(), 3)
    return int(line.split()[1])


Doors = Callable[..., Any]


@pytest.fixture
def doors(application: Running) -> Doors:
    @asynccontextmanager
    async def run(*pieces: str, **settings: Any) -> AsyncIterator[Door]:
        async with (
            application(*(pieces or ("26 weeks.",)), **settings) as app,
            AsyncExitStack() as s,
        ):
            listening = socket.create_server(("127.0.0.1", 0))
            s.callback(listening.close)
            served = app.client._transport.app  # type: ignore[attr-defined]  # httpx's own
            port = listening.getsockname()[1]
            client = await s.enter_async_context(
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}")
            )
            config = uvicorn.Config(served, **OPTIONS | {"lifespan": "off", "log_config": None})
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server._serve([listening]))
            async with AsyncExitStack() as clients:
                yield Door(app, port, client, clients)
            server.should_exit = server.force_exit = True
            await serving

    return run


@pytest.mark.parametrize("half", [DECLARED, CHUNKED], ids=["declared", "chunked"])
@pytest.mark.parametrize("key", [b"", b"Authorization: Bearer fl_wrong\r\n"], ids=["none", "wrong"])
async def test_slow_clients_without_a_key_delay_nobody_and_are_told_at_once(
    doors: Doors, half: bytes, key: bytes
) -> None:
    async with doors() as door:
        slow = [await door.send(ASK + key + half) for _ in range(SLOW_CLIENTS)]
        reply, seconds = await door.ask()
        assert (reply.status_code, seconds < 1) == (200, True)
        assert {await status_of(reader) for reader in slow} == {401}
        for reader in slow:  # the connection is closed, so the rest of the body is not waited for
            await asyncio.wait_for(reader.read(), 3)


async def test_slow_clients_with_a_key_delay_no_other_key_nor_their_own(doors: Doors) -> None:
    async with doors() as door:
        for _ in range(SLOW_CLIENTS - 1):
            await door.send(ASK + authorization(door.app) + DECLARED)
        other = door.app.keys.create("default", ["default"])
        reply, seconds = await door.ask(Authorization=f"Bearer {other}")
        assert (reply.status_code, seconds < 1) == (200, True)
        assert (await door.ask())[0].status_code == 200


@pytest.mark.parametrize("half", [DECLARED, CHUNKED], ids=["declared", "chunked"])
async def test_a_body_that_does_not_arrive_is_a_408(doors: Doors, half: bytes) -> None:
    async with doors(body_seconds=0.05) as door:
        reader = await door.send(ASK + authorization(door.app) + half)
        assert await status_of(reader) == 408
        assert b"application/problem+json" in await asyncio.wait_for(reader.read(), 3)


async def test_a_chunked_body_above_the_limit_is_a_413_before_it_ends(doors: Doors) -> None:
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    async with doors() as door:
        reader = await door.send(
            ASK + authorization(door.app) + chunks + (b"2000\r\n" + b"x" * 0x2000 + b"\r\n") * 8
        )
        assert await status_of(reader) == 413


@pytest.mark.parametrize(
    "start", [b"", b"POST /v1/ask HT", ASK, b"GET /health/live HTTP/1.1\r\nX-A: b"]
)
async def test_a_connection_that_sends_no_whole_header_is_closed(
    doors: Doors, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientOnce, "header_seconds", 0.05)
    async with doors() as door:
        reader = await door.send(start)
        assert await asyncio.wait_for(reader.read(), 3) == b""


async def test_headers_above_the_limit_are_refused(doors: Doors) -> None:
    async with doors() as door:
        reader = await door.send(ASK + b"X-Long: " + b"x" * 70_000)
        assert await status_of(reader) == 400


async def test_one_key_cannot_hold_every_slot(doors: Doors) -> None:
    async with doors("26 ", "weeks.", max_in_flight=4) as door:
        door.app.model.hold.clear()  # answers wait after their first piece
        body = json.dumps({"question": "How long is parental leave?", "stream": True}).encode()
        whole = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        readers = [await door.send(ASK + authorization(door.app) + whole) for _ in range(2)]
        for reader in readers:
            assert await status_of(reader) == 200  # both answers are under way
        refused, seconds = await door.ask()
        other = door.app.keys.create("default", ["default"])
        door.app.model.hold.set()
        allowed, _ = await door.ask(Authorization=f"Bearer {other}")
    assert (refused.status_code, refused.headers["Retry-After"], seconds < 1) == (429, "1", True)
    assert allowed.status_code == 200


@pytest.mark.parametrize("content", [b"{", b"", b"\xff", b'{"question": 7}'])
async def test_a_bad_body_without_a_key_is_a_401_and_nothing_else(
    application: Running, content: bytes
) -> None:
    async with application() as app:
        for method, path in [("POST", "/v1/ask"), ("PUT", "/v1/ask"), ("GET", "/v1/nowhere")]:
            reply = await app.client.request(method, path, content=content)
            assert reply.status_code == 401


async def test_a_key_that_used_its_quota_is_told_when_to_come_back(application: Running) -> None:
    async with application(quota="2/hour") as app:
        replies = [await app.client.get("/v1/status", headers=app.auth) for _ in range(3)]
        other = app.keys.create("default", ["default"], quota="1000/minute")
        auth = {"Authorization": f"Bearer {other}"}
        others = [await app.client.get("/v1/status", headers=auth) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert 0 < int(replies[-1].headers["Retry-After"]) <= 3600
    assert [reply.status_code for reply in others] == [200] * 3
