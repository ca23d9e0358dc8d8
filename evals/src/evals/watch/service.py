"""The watcher's process: cycles in a thread, the Layers page and the memo gateway in a server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_UN, flock

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from evals.errors import Unavailable
from evals.settings import Settings
from evals.watch.memo import Memo

START_SECONDS = 20.0


def with_gateway(page: Starlette, memo: Memo) -> Starlette:
    """Page and gateway under one port; the gateway answers the holders of the model's key only."""
    page.router.routes.insert(0, Mount("/memo", routes=memo.routes))
    return page


@contextmanager
def gateway(settings: Settings, app: Callable[[], Starlette]) -> Iterator[None]:
    """A server on the watcher's port while the block runs, unless a watcher serves there already.

    Raises: Unavailable where something else has the port.
    """
    if _is_served(settings):
        yield
        return
    server = uvicorn.Server(_config(settings, app()))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise Unavailable(f"Port {settings.port} is taken: set EVALS_PORT to a free one.")
        time.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def serve(settings: Settings, app: Starlette, watch: Callable[[threading.Event], None]) -> None:
    """Serve until stopped, while `watch` runs in a thread until its event is set."""
    while _is_served(settings):  # by a command's gateway, which ends with the command
        time.sleep(1)
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(stop,), daemon=True)
    thread.start()
    try:
        uvicorn.Server(_config(settings, app)).run()
    finally:
        stop.set()


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


def _is_served(settings: Settings) -> bool:
    try:
        host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104  # compared
        url = f"http://{host}:{settings.port}/health"
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def _config(settings: Settings, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(app, settings.host, settings.port, log_level="warning", access_log=False)
