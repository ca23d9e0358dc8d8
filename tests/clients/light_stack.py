"""A light stack: the real application, ingestion and vector store, and scripted models on loopback.

Vectors are hashes of words, and the chat model is the perfect reader, or what a test scripts. So
it starts in seconds, and its answers are the same on each machine.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.fakes import openai_server, vectorstore_server

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venvs"
SAMPLE = ROOT / "evals" / "datasets" / "sample"


@dataclass(frozen=True, eq=False)
class LightStack:
    """Where it answers, and with which key."""

    url: str
    key: str
    state: Path
    env: dict[str, str]
    models: openai_server.Running

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def ask(self, question: str, **fields: Any) -> dict[str, Any]:
        reply = httpx.post(
            f"{self.url}/v1/ask", json={"question": question} | fields, headers=self.auth
        )
        assert reply.status_code == 200, reply.text
        return reply.json()


def willing_bundle(folder: Path) -> Path:
    """The bundle without its bar for evidence, which is fitted to a real embedder."""
    package = ROOT / "application" / "src" / "application"
    shutil.copytree(package / "prompts", folder / "prompts")
    text = (package / "bundle.toml").read_text()
    (folder / "bundle.toml").write_text(
        re.sub(r"least_evidence = [\d.]+", "least_evidence = 0.0", text)
    )
    return folder / "bundle.toml"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], env: dict[str, str], ready: str) -> Iterator[None]:
    """A process that answers at `ready` until the block ends."""
    log = Path(env["APPLICATION_STATE_DIR"]) / f"{Path(command[0]).name}.log"
    with log.open("w") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as run:
        try:
            for _ in range(300):
                assert run.poll() is None, log.read_text()
                try:
                    httpx.get(ready, timeout=1)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            else:
                raise AssertionError(log.read_text())
            yield
        finally:
            run.terminate()
            run.wait(30)


@contextmanager
def light_stack(
    state: Path, reply: Callable[[dict[str, Any]], str], **settings: str
) -> Iterator[LightStack]:
    """The sample's revision r2, ingested, and an application with `settings` in front of it."""
    embed_port, port = free_port(), free_port()
    with ExitStack() as stack:
        models = stack.enter_context(openai_server.running(reply=reply))
        store = vectorstore_server.Server(state / "vectors").start()
        stack.callback(store.stop)
        embed_url = f"http://127.0.0.1:{embed_port}"
        url = f"http://127.0.0.1:{port}"
        env = os.environ | {
            "PYTHONPATH": str(ROOT),
            "APPLICATION_STATE_DIR": str(state),
            "APPLICATION_PORT": str(port),
            "APPLICATION_LLM_URL": models.url,
            "APPLICATION_ANSWER_PROFILE": "standard",  # hashes of words find little in the top 6
            "APPLICATION_BUNDLE": str(willing_bundle(state / "live")),
            "INGESTION_STATE_DIR": str(state),
            **{f"{layer}_EMBED_URL": embed_url for layer in ("APPLICATION", "INGESTION")},
            **{f"{layer}_QDRANT_URL": store.url for layer in ("APPLICATION", "INGESTION")},
            **{
                f"{layer}_QDRANT_API_KEY": vectorstore_server.KEY
                for layer in ("APPLICATION", "INGESTION")
            },
            **{f"APPLICATION_{name.upper()}": value for name, value in settings.items()},
        }
        embedder = str(ROOT / "tests" / "fakes" / "hash_embedder.py")
        python = str(VENVS / "ingestion" / "bin" / "python")
        stack.enter_context(
            process([python, embedder, "--port", str(embed_port)], env, f"{embed_url}/manifest")
        )
        run("ingestion", env, "sync", str(SAMPLE / "r2"), "--name", "sample", "--plain")
        key = run("application", env, "keys", "create", "--tenant", "default").split()[-1]
        command = [str(VENVS / "application" / "bin" / "application"), "serve"]
        stack.enter_context(process(command, env, f"{url}/health/live"))
        yield LightStack(url, key, state, env, models)


def run(layer: str, env: dict[str, str], *words: str) -> str:
    command = [str(VENVS / layer / "bin" / layer), *words]
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert result.returncode in (0, 3), result.stdout + result.stderr
    return result.stdout
