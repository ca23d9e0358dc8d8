"""The memo gateway: equal requests of a cycle are generated once, and keys are never shared."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from contracts.probe import PROBE_CYCLE
from evals.watch.memo import COMPLETIONS, CYCLES_KEPT, Memo


class Model:
    """Counts what it is asked; numbers its replies, or fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.fails = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.headers.get("Authorization", ""), request.content))
        await asyncio.sleep(0)
        if self.fails:
            raise httpx.ConnectError("gone")
        return httpx.Response(200, text=f"data: {len(self.asked)}", headers={"x": "y"})


@pytest.fixture
def model():
    return Model()


@pytest.fixture
async def ask(model):
    memo = Memo("http://model/v1", 5, httpx.MockTransport(model))
    transport = httpx.ASGITransport(Starlette(routes=memo.routes))

    async def ask(body: bytes, cycle: str = "c1", key: str = "k") -> httpx.Response:
        headers = {PROBE_CYCLE: cycle, "Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://memo") as client:
            return await client.post(COMPLETIONS, content=body, headers=headers)

    yield ask
    await memo.aclose()


async def test_equal_requests_of_a_cycle_are_generated_once_even_at_the_same_time(ask, model):
    replies = await asyncio.gather(*(ask(b"one") for _ in range(5)))
    assert {reply.text for reply in replies} == {"data: 1"}
    assert model.asked == [("Bearer k", b"one")]


async def test_another_body_another_cycle_and_another_key_are_each_generated(ask, model):
    await ask(b"one")
    await ask(b"two")
    await ask(b"one", cycle="c2")
    await ask(b"one", key="another")
    assert len(model.asked) == 4


async def test_a_failure_is_not_remembered(ask, model):
    model.fails = True
    assert (await ask(b"one")).status_code == 502
    model.fails = False
    assert (await ask(b"one")).text == "data: 2"


async def test_old_cycles_are_forgotten(ask, model):
    for number in range(CYCLES_KEPT + 1):
        await ask(b"one", cycle=f"c{number}")
    await ask(b"one", cycle="c0")
    assert len(model.asked) == CYCLES_KEPT + 2
