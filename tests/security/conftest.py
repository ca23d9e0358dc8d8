"""The layers' real services on loopback: only vectors and the model's words are scripted."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.conftest import ROOT
from tests.fakes.openai_server import Running, running
from tests.fakes.vectorstore_server import KEY, READER, Server, free_port

EMBED_KEY = "the-embedder-key"
START_SECONDS = 60
INDEX = "faultline"


def program(environment: str, name: str) -> str:
    """Path of a program of an environment; the test is skipped where it is not installed."""
    path = ROOT / ".venvs" / environment / "bin" / name
    if not path.exists():
        pytest.skip(f"the environment {environment} is not installed: run `make install`")
    return str(path)


@contextmanager
def serving(command: list[str], url: str, **env: str) -> Iterator[str]:
    """Runs a command until the block ends, and waits until `url` answers."""
    with subprocess.Popen(
        command, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while not _answers(url):
                assert process.poll() is None, f"{command} ended with {process.returncode}"
                assert time.monotonic() < until, f"{command} does not answer at {url}"
                time.sleep(0.1)  # polling: the condition decides
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=3)
    except httpx.HTTPError:
        return False
    return True


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real vector store."""
    program("vectorstore", "vectorstore")
    server = Server(tmp_path_factory.mktemp("vectors")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def embedder_url() -> Iterator[str]:
    """The embedder's real server, over hashes of words."""
    app = ROOT / "tests" / "fakes" / "hash_embedder_app.py"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [program("embed", "python"), "-P", str(app), str(port)]
    with serving(command, f"{url}/health/live", SERVING_EMBED_API_KEY=EMBED_KEY):
        yield url


@dataclass(frozen=True)
class World:
    """A stack whose model says what a test tells it to say."""

    url: str  # the application's
    model: Running
    state: Path
    env: dict[str, str]

    def key(self, tenant: str = "default", *namespaces: str) -> str:
        """A new key of this tenant."""
        names = [flag for name in namespaces for flag in ("--namespace", name)]
        command = [
            program("application", "application"),
            "keys",
            "create",
            "--tenant",
            tenant,
            *names,
        ]
        made = subprocess.run(
            command, env=os.environ | self.env, capture_output=True, text=True, check=True
        )
        return next(word for word in made.stdout.split() if word.startswith("fl_"))

    def sync(self, folder: Path, tenant: str = "default") -> None:
        """Ingests a folder."""
        command = [program("ingestion", "ingestion"), "sync", "--plain", "--tenant", tenant]
        result = subprocess.run(
            [*command, str(folder)], env=os.environ | self.env, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr

    def ask(self, question: str, key: str, stream: bool = False) -> httpx.Response:
        """The reply to a question."""
        return httpx.post(
            f"{self.url}/v1/ask",
            json={"question": question, "stream": stream},
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        )


@pytest.fixture(scope="session")
def world(
    store: Server, embedder_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The application over the real store and embedder server, and a scripted model."""
    state = tmp_path_factory.mktemp("state")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        model = stack.enter_context(running())
        env = {
            "INGESTION_QDRANT_URL": store.url,
            "INGESTION_QDRANT_API_KEY": KEY,
            "INGESTION_EMBED_URL": embedder_url,
            "INGESTION_EMBED_API_KEY": EMBED_KEY,
            "INGESTION_STATE_DIR": str(state),
            "APPLICATION_PORT": str(port),
            "APPLICATION_QDRANT_URL": store.url,
            "APPLICATION_QDRANT_API_KEY": READER,
            "APPLICATION_EMBED_URL": embedder_url,
            "APPLICATION_EMBED_API_KEY": EMBED_KEY,
            "APPLICATION_LLM_URL": model.url,
            "APPLICATION_STATE_DIR": str(state),
            "APPLICATION_QUOTA": "1000000/second",
        }
        command = [program("application", "application"), "serve"]
        stack.enter_context(serving(command, f"{url}/health/live", **env))
        yield World(url, model, state, env)
