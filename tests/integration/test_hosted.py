"""Hosted or home: chat model, embedder and vector store are each replaced by a URL and a key."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.conftest import DEMO, ROOT, Stack, describe
from tests.fakes import openai_server

pytestmark = pytest.mark.integration

OFFSET = 24_000  # with it every port stays below those that the system hands out
VECTORSTORE = ROOT / ".venvs" / "vectorstore" / "bin" / "vectorstore"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A vector store of its own and a scripted model server, both with keys."""
    port, path = free_port(), tmp_path_factory.mktemp("other-vectors")
    variables = {"PORT": str(port), "PATH": str(path), "API_KEY": "store-key"}
    env = os.environ | {f"VECTORSTORE_{name}": value for name, value in variables.items()}
    command = [VECTORSTORE, "serve"]
    with (
        subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as store,
        openai_server.running(key="model-key") as models,
    ):
        assert store.stdout is not None
        store.stdout.readline()  # it says when it is ready
        yield {
            "LLM_URL": f"{models.url}/v1",
            "LLM_KEY": "model-key",
            "EMBED_URL": models.url,
            "EMBED_KEY": "model-key",
            "QDRANT_URL": f"http://127.0.0.1:{port}",
            "QDRANT_API_KEY": "store-key",
        }
        store.terminate()


@pytest.fixture(scope="module")
def hosted(
    elsewhere: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, str]]:
    state = tmp_path_factory.mktemp("hosted")
    models = os.environ.get("MODELS_DIR", str(ROOT / ".state" / "models"))
    own = {
        "STATE_DIR": str(state),
        "PORT_OFFSET": str(OFFSET),
        "MODELS_DIR": models,
        "DEMO": "lite",
        "ACCEPT": "no",
    }
    env = os.environ | own | elsewhere
    up = [str(DEMO), "up", "--detach"]
    result = subprocess.run(up, env=env, capture_output=True, text=True, timeout=300, cwd=ROOT)
    try:
        assert result.returncode == 0, result.stdout + result.stderr
        yield describe(state, env, OFFSET), result.stdout
    finally:
        subprocess.run([str(DEMO), "down"], env=env, timeout=120, check=False)


def test_the_demo_starts_only_what_is_not_hosted(hosted: tuple[Stack, str]) -> None:
    stack, _ = hosted
    assert set(stack.statuses()) == {"embedder", "application"}


def test_documents_go_to_the_other_vector_store(
    hosted: tuple[Stack, str], elsewhere: dict[str, str], tmp_path: Path
) -> None:
    stack, _ = hosted
    (tmp_path / "note.md").write_text("# Keys\n\nThe spare key hangs behind the blue door.\n")
    result = stack.run("ingestion", "ingestion", "sync", str(tmp_path), "--name", "notes", "--json")
    assert json.loads(result.stdout)["outcomes"] == {"note.md": "added"}
    url, headers = elsewhere["QDRANT_URL"], {"api-key": elsewhere["QDRANT_API_KEY"]}
    reply = httpx.post(f"{url}/collections/faultline/points/count", json={}, headers=headers)
    assert reply.json()["result"]["count"] > 0


def test_a_question_is_answered_through_all_three(hosted: tuple[Stack, str]) -> None:
    stack, _ = hosted
    question = "How many weeks of parental leave does the parent who gives birth get?"
    result = stack.run("application", "application", "ask", question, "--json")
    answer = json.loads(result.stdout)
    assert answer["provenance"]["model"] == openai_server.MODEL
    assert answer["provenance"]["model_manifest"] == "unknown"
    assert answer["passages"]


def test_a_wrong_key_for_the_model_is_one_sentence(
    elsewhere: dict[str, str], tmp_path: Path
) -> None:
    own = {"STATE_DIR": str(tmp_path), "PORT_OFFSET": "23000", "DEMO": "lite", "LLM_KEY": "wrong"}
    env = os.environ | elsewhere | own
    up = [str(DEMO), "up", "--detach"]
    result = subprocess.run(up, env=env, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert result.returncode == 1
    assert "answered 401: set LLM_KEY" in " ".join(result.stdout.split())
