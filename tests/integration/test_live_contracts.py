"""What the running layers really say is what the contracts promise.

RECORD=1 keeps the replies as tests/contract/examples/ (probe vectors shortened to three numbers).
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.conftest import ROOT, Stack

import contracts.answer
import contracts.endpoints
import contracts.index
import contracts.status

pytestmark = pytest.mark.integration

EXAMPLES = ROOT / "tests" / "contract" / "examples"
QUESTION = "How many weeks of parental leave does the parent who gives birth get?"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def get(url: str, key: str, **parameters: str) -> str:
    reply = httpx.get(url, params=parameters, headers=bearer(key), timeout=60)
    return reply.raise_for_status().text


def ask(stack: Stack) -> str:
    url, body = f"{stack.application_url}/v1/ask", {"question": QUESTION}
    return httpx.post(url, json=body, headers=bearer(stack.api_key), timeout=120).text


def event(stack: Stack) -> str:
    ask(stack)
    return (stack.state_dir / "events" / "answers.jsonl").read_text().splitlines()[-1]


def point(stack: Stack, collection: str, kind: str | None) -> str:
    url = f"{stack.qdrant_url}/collections/{collection}/points/scroll"
    headers = {"api-key": stack.qdrant_api_key}
    reply = httpx.post(url, json={"limit": 1000}, headers=headers, timeout=30).raise_for_status()
    payloads = [found["payload"] for found in reply.json()["result"]["points"]]
    payloads = [payload for payload in payloads if payload.get("kind") == kind]
    return json.dumps(min(payloads, key=lambda p: str(p.get("document_id"))))


def document(stack: Stack) -> str:
    found = json.loads(get(f"{stack.application_url}/v1/search", stack.api_key, q=QUESTION))
    first = found["passages"][0]["document_id"]
    return get(f"{stack.application_url}/v1/documents/{first}", stack.api_key)


def sparse(stack: Stack) -> str:
    body = {"input": ["parental leave"], "kind": "query"}
    url, headers = f"{stack.embed_url}/v1/sparse", bearer(stack.embed_api_key)
    return httpx.post(url, json=body, headers=headers, timeout=60).text


def run_report(stack: Stack) -> str:
    sample = str(ROOT / "evals" / "datasets" / "sample" / "r2")
    command = ("ingestion", "sync", sample, "--name", "sample", "--plain", "--json")
    return stack.run("ingestion", *command).stdout


def source_status(stack: Stack) -> str:
    rows = json.loads(stack.run("ingestion", "ingestion", "status", "--json").stdout)
    return json.dumps(next(row for row in rows if row["source"] == "sample"))


SOURCES: dict[str, Callable[[Stack], str]] = {
    "ChunkPayload": lambda stack: point(stack, "faultline", None),
    "DocumentManifest": lambda stack: point(stack, "faultline-manifest", "document"),
    "CollectionSpec": lambda stack: point(stack, "faultline-manifest", "spec"),
    "EmbedderManifest": lambda stack: get(f"{stack.embed_url}/manifest", stack.embed_api_key),
    "LlmManifest": lambda stack: get(f"{stack.llm_url}/manifest", stack.llm_api_key),
    "SparseResponse": sparse,
    "Answer": ask,
    "AnswerEvent": event,
    "SearchResponse": lambda stack: get(
        f"{stack.application_url}/v1/search", stack.api_key, q=QUESTION, limit="2"
    ),
    "DocumentView": document,
    "Problem": lambda stack: httpx.get(f"{stack.application_url}/v1/status").text,
    "RunReport": run_report,
    "SourceStatus": source_status,
    "BundleStatus": lambda stack: get(f"{stack.application_url}/v1/status", stack.api_key),
    "Readiness": lambda stack: get(f"{stack.application_url}/health/ready", stack.api_key),
}
MODULES = (contracts.answer, contracts.endpoints, contracts.index, contracts.status)


@pytest.mark.parametrize("name", SOURCES)
def test_a_live_message_is_what_its_contract_promises(stack: Stack, name: str) -> None:
    text = SOURCES[name](stack)
    model = next(getattr(module, name) for module in MODULES if hasattr(module, name))
    model.model_validate_json(text)
    if os.environ.get("RECORD"):
        record(EXAMPLES / f"{name}.json", json.loads(text))


def record(path: Path, value: dict[str, object]) -> None:
    for holder in (value, value.get("fingerprint"), value.get("embedder")):
        if isinstance(holder, dict) and "probe_vectors" in holder:
            holder["probe_vectors"] = [vector[:3] for vector in holder["probe_vectors"]]
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text.replace(str(ROOT), "."))
