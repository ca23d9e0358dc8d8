"""The watcher's process: cycles in a thread, the Layers page and the memo gateway in a server."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_UN, flock
from ipaddress import ip_address

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from evals.errors import NotStarted, Unavailable
from evals.settings import Settings
from evals.watch.memo import Memo

ANSWER_SECONDS = 20.0  # from taking the port to answering, beside a stack that is starting


def with_gateway(page: Starlette, memo: Memo) -> Starlette:
    """Page and gateway under one port; the gateway answers the holders of the model's key only."""
    page.router.routes.insert(0, Mount("/memo", routes=memo.routes))
    return page


@contextmanager
def gateway(settings: Settings, app: Callable[[], Starlette]) -> Iterator[None]:
    """A server on the watcher's port while the block runs, unless a watcher serves there already.

    Raises: Unavailable where something else has the port, NotStarted where it would need a key.
    """
    _check_key(settings)
    listener = _listener(settings)
    if listener is None:
        yield
        return
    server = uvicorn.Server(_config(settings, app()))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield  # whoever connects before it has started waits in the socket's queue
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def serve(settings: Settings, app: Starlette, watch: Callable[[threading.Event], None]) -> None:
    """Serve until stopped, while `watch` runs in a thread until its event is set.

    Raises: as `gateway` does.
    """
    _check_key(settings)
    while (listener := _listener(settings)) is None:  # a command's gateway ends with the command
        time.sleep(1)
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(stop,), daemon=True)
    thread.start()
    try:
        uvicorn.Server(_config(settings, app)).run([listener])
    finally:
        stop.set()
        listener.close()


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Cycles and accepts take turns, in whatever process they run: the later one waits."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with (settings.state_dir / "watch.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        try:
            yield
        finally:
            flock(lock, LOCK_UN)


def _listener(settings: Settings) -> socket.socket | None:
    """The watcher's port, taken; None where a watcher or a command serves there already.

    One that begins at the same moment takes the port first and answers a little later.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    until = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return socket.create_server((settings.host, settings.port), family=family)
        except OSError as error:
            if _is_served(settings):
                return None
            if time.monotonic() > until:
                raise Unavailable(
                    f"Port {settings.port} is taken: set EVALS_PORT to a free one."
                ) from error
        time.sleep(0.2)


def _check_key(settings: Settings) -> None:
    if not settings.llm_api_key and not _is_loopback(settings.host):
        raise NotStarted("Set EVALS_LLM_API_KEY: only a loopback host may go without a key.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_served(settings: Settings) -> bool:
    try:
        host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104  # compared
        url = f"http://{host}:{settings.port}/health"
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def _config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(app, settings.host, settings.port, log_level="warning", access_log=False)
