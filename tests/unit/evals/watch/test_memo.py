"""The memo gateway: equal requests of a cycle are generated once, and keys are never shared."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from contracts.probe import PROBE_CYCLE
from evals.watch.memo import COMPLETIONS, CYCLES_KEPT, Memo, accept_name, replaying

STAMP = "20261125T120000Z"


class Model:
    """Counts what it is asked; numbers its replies, or fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.paths: set[str] = set()
        self.fails = False
        self.status = 200
        self.reached = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.headers.get("Authorization", ""), request.content))
        self.paths.add(request.url.path)
        self.reached.set()
        await asyncio.sleep(0)
        if self.fails:
            raise httpx.ConnectError("gone")
        headers = {"Content-Type": "text/event-stream"}
        return httpx.Response(self.status, text=f"data: {len(self.asked)}", headers=headers)


@pytest.fixture
def model():
    return Model()


@pytest.fixture
async def ask(model, tmp_path):
    memo = Memo("http://model/v1", 5, tmp_path / "generations", httpx.MockTransport(model))
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


async def test_a_replaying_cycle_hears_what_was_generated_at_the_accept(ask, model):
    await ask(b"one", cycle=accept_name(STAMP))
    replayed = await ask(b"one", cycle=replaying("c1", STAMP))
    assert (replayed.text, len(model.asked)) == ("data: 1", 1)


async def test_what_was_not_asked_at_the_accept_or_with_another_key_is_generated(ask, model):
    await ask(b"one", cycle=accept_name(STAMP))
    await ask(b"two", cycle=replaying("c1", STAMP))
    await ask(b"one", cycle=replaying("c1", STAMP), key="another")
    await ask(b"one", cycle="c1")
    assert len(model.asked) == 4


async def test_a_cycles_own_replies_are_never_replayed_by_a_later_one(ask, model):
    await ask(b"two", cycle=replaying("c1", STAMP))
    await ask(b"two", cycle=replaying("c2", STAMP))
    assert len(model.asked) == 2


async def test_an_accept_is_kept_on_disk_and_the_one_before_the_last_is_dropped(ask, tmp_path):
    for day in (23, 24, 25):
        await ask(b"one", cycle=accept_name(f"202611{day}T120000Z"))
    kept = sorted(file.stem[-16:-8] for file in (tmp_path / "generations").iterdir())
    assert kept == ["20261124", "20261125"]


async def test_a_reply_that_is_shared_at_an_accept_is_written_once(ask, tmp_path):
    await asyncio.gather(*(ask(b"one", cycle=accept_name(STAMP)) for _ in range(5)))
    (kept,) = (tmp_path / "generations").iterdir()
    assert len(kept.read_text().splitlines()) == 1


async def test_half_a_line_that_a_kill_left_spoils_no_other_reply(ask, model, tmp_path):
    await ask(b"one", cycle=accept_name(STAMP))
    (kept,) = (tmp_path / "generations").iterdir()
    kept.write_text(f'{{"digest": "abc", "sta\n{kept.read_text()}{{"dig')
    replayed = await ask(b"one", cycle=replaying("c1", STAMP))
    assert (replayed.text, len(model.asked)) == ("data: 1", 1)


@pytest.mark.parametrize("name", ["accept-../secrets", "accept-x", "c1-accept-..%2Fsecrets"])
async def test_a_name_that_is_no_accepts_reaches_no_file(ask, model, tmp_path, name):
    await ask(b"one", cycle=name)
    assert not (tmp_path / "generations").exists()


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


async def test_a_reply_comes_as_the_model_gave_it_from_the_models_own_path(ask, model):
    model.status = 503
    reply = await ask(b"one")
    assert (reply.status_code, reply.text) == (503, "data: 1")
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    assert model.paths == {COMPLETIONS}


async def test_a_refusal_at_an_accept_is_not_kept_for_later_cycles(ask, model):
    model.status = 503
    await ask(b"one", cycle=accept_name(STAMP))
    model.status = 200
    assert (await ask(b"one", cycle=replaying("c1", STAMP))).status_code == 200


async def test_a_caller_that_goes_away_leaves_the_reply_to_the_others(ask, model):
    leaving = asyncio.create_task(ask(b"one"))
    staying = asyncio.create_task(ask(b"one"))
    await model.reached.wait()
    leaving.cancel()
    assert (await staying).text == "data: 1"


async def test_old_cycles_are_forgotten(ask, model):
    for number in range(CYCLES_KEPT + 1):
        await ask(b"one", cycle=f"c{number}")
    await ask(b"one", cycle="c0")
    assert len(model.asked) == CYCLES_KEPT + 2


async def test_only_the_models_key_gets_an_answer_and_a_web_page_gets_none(model, tmp_path):
    memo = Memo("http://model", 5, tmp_path, httpx.MockTransport(model), key="k")
    transport = httpx.ASGITransport(Starlette(routes=memo.routes))

    async def status(**headers: str) -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://memo") as client:
            return (await client.post(COMPLETIONS, content=b"{}", headers=headers)).status_code

    cycle = {PROBE_CYCLE: "c1"}
    assert await status(**cycle, Authorization="Bearer wrong") == 401
    assert await status(**cycle) == 401
    assert await status(Authorization="Bearer k") == 403  # a page cannot add the cycle's header
    assert not model.asked
    assert await status(**cycle, Authorization="Bearer k") == 200
    await memo.aclose()
