"""One real stack for all tests that need one: started once, on ports and in a folder of its own."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / ".venvs" / "demo" / "bin" / "demo"
SAMPLE = ROOT / "evals" / "datasets" / "sample" / "r2"
PORT_OFFSET = 20_000
MODEL = "SmolLM2-135M-Instruct"  # the small one: it starts in seconds and is always in the seed


@dataclass(frozen=True)
class Stack:
    """A running stack: where its parts answer, with which keys, and how to run a command."""

    state_dir: Path
    application_url: str
    embed_url: str
    llm_url: str
    qdrant_url: str
    prefect_url: str
    api_key: str
    probe_key: str
    embed_api_key: str
    llm_api_key: str
    qdrant_api_key: str
    prefect_headers: dict[str, str]
    env: dict[str, str]

    def run(self, layer: str, *command: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run a command with its layer's settings: run("ingestion", "ingestion", "status")."""
        return subprocess.run(
            [str(DEMO), "exec", layer, "--", *command],
            env=self.env | changes,
            capture_output=True,
            text=True,
            timeout=900,
            cwd=ROOT,
        )

    def statuses(self) -> dict[str, dict[str, str | int]]:
        """What `demo status --json` says, by process."""
        result = subprocess.run(
            [str(DEMO), "status", "--json"],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return {row["process"]: row for row in json.loads(result.stdout)}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    if not DEMO.exists():
        pytest.skip("the demo's environment is not installed: run `make install`")
    state = tmp_path_factory.mktemp("state")
    sample = tmp_path_factory.mktemp("documents") / "sample"
    shutil.copytree(SAMPLE, sample)  # lessons and drills edit it
    env = os.environ | {
        "ACCEPT": "no",  # tests accept when they want to
        "MODEL": MODEL,
        "SAMPLE": str(sample),
        "STATE_DIR": str(state),
        "PORT_OFFSET": str(PORT_OFFSET),
        "MODELS_DIR": os.environ.get("MODELS_DIR", str(ROOT / ".state" / "models")),
    }
    result = subprocess.run(
        [str(DEMO), "up", "--detach"],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        cwd=ROOT,
    )
    try:
        assert result.returncode == 0, f"the stack did not start:\n{result.stdout}{result.stderr}"
        yield describe(state, env)
    finally:
        subprocess.run([str(DEMO), "down"], env=env, timeout=120, check=False)


def describe(state: Path, env: dict[str, str], offset: int = PORT_OFFSET) -> Stack:
    def url(port: int) -> str:
        return f"http://127.0.0.1:{port + offset}"

    def secret(name: str) -> str:
        path = state / "secrets" / name
        return path.read_text() if path.exists() else ""

    basic = base64.b64encode(secret("prefect").encode()).decode()
    return Stack(
        state_dir=state,
        application_url=url(8080),
        embed_url=url(8001),
        llm_url=url(8000),
        qdrant_url=url(6333),
        prefect_url=url(4200),
        api_key=secret("user"),
        probe_key=secret("probe"),
        embed_api_key=secret("embedder"),
        llm_api_key=secret("llm"),
        qdrant_api_key=secret("vectorstore"),
        prefect_headers={"Authorization": f"Basic {basic}"},
        env=env,
    )
