"""Cycles take turns, and one process serves the page and the memo gateway on the watcher's port."""

import socket
import threading
import time
from contextlib import closing
from fcntl import LOCK_EX, LOCK_NB, flock

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from contracts.probe import PROBE_CYCLE
from evals.errors import NotStarted, Unavailable
from evals.settings import Settings
from evals.watch import service
from evals.watch.memo import COMPLETIONS, Memo
from evals.watch.service import gateway, one_at_a_time, serve, with_gateway


@pytest.fixture
def taken():
    """A socket on a free port, which nobody else can have while it is open."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield held


@pytest.fixture
def settings(taken, tmp_path):
    return Settings(port=taken.getsockname()[1], state_dir=tmp_path / "state")


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """No wait for a server is without end."""
    until = time.monotonic() + 60

    def sleep(seconds):
        assert time.monotonic() < until, "It waits in vain."
        threading.Event().wait(seconds)

    monkeypatch.setattr(service.time, "sleep", sleep)


def page():
    return Starlette(routes=[Route("/health", lambda request: PlainTextResponse("live"))])


def is_live(settings):
    try:
        return httpx.get(f"http://127.0.0.1:{settings.port}/health").text == "live"
    except httpx.ConnectError:
        return False


def test_nothing_else_has_the_turn_while_a_cycle_runs_and_what_comes_later_waits_for_it(settings):
    order, began = [], threading.Event()

    def second():
        began.set()
        with one_at_a_time(settings):
            order.append("second")

    thread = threading.Thread(target=second)
    with one_at_a_time(settings):
        thread.start()
        began.wait()
        (file,) = settings.state_dir.iterdir()
        with file.open() as other, pytest.raises(BlockingIOError):  # as of another process
            flock(other, LOCK_EX | LOCK_NB)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_turn_ends_with_its_block_though_an_error_ended_it(settings):
    for error in (KeyError, ValueError):
        with pytest.raises(error), one_at_a_time(settings):
            raise error


def test_a_command_serves_while_its_block_runs_and_no_longer(taken, settings):
    taken.close()
    with gateway(settings, page):
        assert is_live(settings)
    assert not is_live(settings)


def test_a_command_beside_a_watcher_uses_what_is_served_already(taken, settings):
    taken.close()
    with gateway(settings, page), gateway(settings, lambda: pytest.fail("a second server")):
        assert is_live(settings)


def test_a_watcher_that_every_network_reaches_is_looked_for_on_this_machine(taken, settings):
    taken.close()
    everywhere = settings.model_copy(update={"host": "0.0.0.0", "llm_api_key": SecretStr("k")})

    def known_by_name():
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])
        return Starlette(routes=page().routes, middleware=[hosts])

    with gateway(everywhere, known_by_name), gateway(everywhere, lambda: pytest.fail("a second")):
        assert is_live(settings)


def test_a_port_that_something_else_has_is_named_with_its_setting(monkeypatch, settings):
    monkeypatch.setattr(service, "ANSWER_SECONDS", 0.1)
    with pytest.raises(Unavailable, match="set EVALS_PORT"), gateway(settings, page):
        pass


def test_a_command_waits_for_a_watcher_that_has_the_port_and_does_not_answer_yet(
    monkeypatch, settings
):
    answers = iter([False, False, True])
    monkeypatch.setattr(service, "_is_served", lambda settings: next(answers))
    with gateway(settings, lambda: pytest.fail("a second server")):
        pass
    assert next(answers, None) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "watcher"])
def test_a_watcher_that_others_can_reach_does_not_start_without_a_key(settings, host):
    open_to_all = settings.model_copy(update={"host": host})
    with pytest.raises(NotStarted, match="Set EVALS_LLM_API_KEY"), gateway(open_to_all, page):
        pass
    with pytest.raises(NotStarted, match="only a loopback host may go without a key"):
        serve(open_to_all, page(), lambda stop: None)


def test_a_watcher_waits_for_a_commands_gateway_and_its_cycles_end_with_its_server(
    monkeypatch, settings
):
    log, watching = [], threading.Event()
    listeners, stops = iter([None, None, socket.socket()]), []

    class Server:
        def __init__(self, config):
            pass

        def run(self, sockets):
            watching.wait()
            log.append("served")

    def watch(stop):
        stops.append(stop)
        watching.set()

    monkeypatch.setattr(service, "_listener", lambda settings: next(listeners))
    monkeypatch.setattr(service.time, "sleep", lambda seconds: log.append("waited"))
    monkeypatch.setattr(service.uvicorn, "Server", Server)
    serve(settings, page(), watch)
    assert log == ["waited", "waited", "served"]
    assert stops[0].is_set()


async def test_the_gateway_answers_under_the_page(tmp_path):
    model = httpx.MockTransport(lambda request: httpx.Response(200, text="generated"))
    memo = Memo("http://model/v1", 5, tmp_path, model)
    transport = httpx.ASGITransport(with_gateway(page(), memo))
    async with httpx.AsyncClient(transport=transport, base_url="http://watcher") as client:
        headers = {PROBE_CYCLE: "c1"}
        reply = await client.post(f"/memo{COMPLETIONS}", content=b"{}", headers=headers)
        assert reply.text == "generated"
        assert (await client.get("/health")).text == "live"
    await memo.aclose()
