"""F8: one of three replicas behind vllm-router is killed; the router's options are compose's."""

import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from tests.resilience.client import ANSWERED, ask, client, each
from tests.resilience.conftest import ROOT, SAID, Start

ROUTER = ROOT / ".venvs" / "router" / "bin" / "vllm-router"
MODEL_KEY = "sk-model"
REPLICAS = 3


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def process(*command: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        started = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        try:
            yield started
        finally:
            started.kill()
            started.wait()


def answers(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once a GET of `url` is a 200."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=0), timeout=5, trust_env=False) as http:
        for _ in range(20_000):
            try:
                if http.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if running.poll() is not None:
                break
    raise RuntimeError(f"{url} does not answer: {log.read_text()[-2000:]}")


def options() -> list[str]:
    """What compose gives the router, but for its addresses."""
    scale = yaml.load(
        (ROOT / "infra/compose/scale.yml").read_text().replace("!reset", ""), yaml.SafeLoader
    )
    words = shlex.split(scale["services"]["router"]["command"])
    return words[words.index("--policy") :]


@contextmanager
def replicas(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A router before three replicas that ask for a key."""
    if not ROUTER.exists():
        pytest.skip(
            "vllm-router is not installed; `make install-router` installs it from the package index"
        )
    *ports, port, metrics = free_ports(REPLICAS + 2)
    urls = [f"http://127.0.0.1:{each}" for each in ports]
    with ExitStack() as stack:
        running = []
        for each, at in zip(ports, urls, strict=True):
            log = folder / f"replica{each}.log"
            server = [sys.executable, "tests/fakes/openai_server.py", "--key", MODEL_KEY]
            command = [*server, "--port", str(each), "--say", SAID]
            running.append(stack.enter_context(process(*command, log=log)))
            answers(f"{at}/health", running[-1], log)
        log = folder / "router.log"
        command = [str(ROUTER), "--port", str(port), "--prometheus-port", str(metrics)]
        command += ["--worker-urls", *urls, *options()]
        router = stack.enter_context(process(*command, log=log))
        answers(f"http://127.0.0.1:{port}/health", router, log)
        yield f"http://127.0.0.1:{port}", running


@pytest.mark.parametrize("count", [200, pytest.param(3000, marks=pytest.mark.long)])
async def test_a_replica_that_is_killed_behind_the_router_costs_no_answer(
    start: Start, tmp_path: Path, count: int, resilience: Callable[..., None]
) -> None:
    with replicas(tmp_path) as (url, running):
        application = start(url, llm_api_key=MODEL_KEY)

        async def one(number: int) -> str:
            if number == count // 3:
                running[0].kill()
            return (await ask(http)).status

        async with client(application.url) as http:
            statuses = await each(count, 4, one)
    answered = statuses.count(ANSWERED) / count
    resilience(
        "F8_answered", "a replica of three killed: requests answered, share", answered, count
    )
    assert answered >= 0.995
    assert application.tracebacks == 0


async def test_the_models_key_passes_through_the_router_and_a_wrong_one_is_told(
    start: Start, tmp_path: Path
) -> None:
    with replicas(tmp_path) as (url, _):
        right, wrong = start(url, llm_api_key=MODEL_KEY), start(url, llm_api_key="sk-other")
        async with client(right.url) as http:
            assert (await ask(http)).status == ANSWERED
        async with client(wrong.url) as http:
            refused = await ask(http)
    assert refused.status == "degraded"
    assert "refused our key (401)" in refused.body["reason"]
