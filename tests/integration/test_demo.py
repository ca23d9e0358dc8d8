"""What `make demo` promises of its processes: crashes are mended, and stopping leaves nothing."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import httpx
import pytest
from tests.conftest import DEMO, ROOT, Stack

pytestmark = pytest.mark.integration


def eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.2)  # polling, not waiting: the condition decides


def healthy(stack: Stack, process: str) -> bool:
    return stack.statuses()[process]["health"] == "healthy"


def test_every_part_is_healthy_and_the_page_answers(stack: Stack) -> None:
    for process in ("vectorstore", "embedder", "llm", "application"):
        assert healthy(stack, process)
    assert "<html" in httpx.get(f"{stack.application_url}/").text


def test_prefect_comes_up_without_being_waited_for(stack: Stack) -> None:
    eventually(lambda: healthy(stack, "prefect"), 120, "Prefect's server")


def test_a_sync_under_prefect_leaves_its_report_as_an_artifact(stack: Stack) -> None:
    eventually(lambda: healthy(stack, "prefect"), 120, "Prefect's server")
    sample = str(ROOT / "evals" / "datasets" / "sample" / "r2")
    command = ("ingestion", "sync", sample, "--name", "sample")

    result = stack.run("ingestion", *command, PREFECT_API_URL=f"{stack.prefect_url}/api")

    assert "under Prefect at" in result.stderr
    wanted = {"artifacts": {"key": {"any_": ["run-report-faultline-default-sample"]}}}
    url = f"{stack.prefect_url}/api/artifacts/latest/filter"
    assert httpx.post(url, json=wanted, timeout=30).status_code == 401
    reply = httpx.post(url, json=wanted, headers=stack.prefect_headers, timeout=30)
    [artifact] = reply.raise_for_status().json()
    assert artifact["type"] == "markdown"
    assert "sample -> faultline: " in artifact["data"]
    assert result.stdout.splitlines()[-1].strip() in artifact["data"]


def test_a_crashed_process_is_started_again_and_answers(stack: Stack) -> None:
    for process in ("embedder", "vectorstore", "application"):
        pid = int(stack.statuses()[process]["pid"])
        os.kill(pid, signal.SIGKILL)
        eventually(
            lambda process=process, pid=pid: (  # type: ignore[misc]
                stack.statuses()[process]["pid"] != pid and healthy(stack, process)
            ),
            90,
            f"the restart of {process}",
        )
    reply = httpx.get(
        f"{stack.application_url}/v1/search",
        params={"q": "How many days of leave?"},
        headers={"Authorization": f"Bearer {stack.api_key}"},
        timeout=30,
    )
    assert reply.status_code == 200
    assert reply.json()["passages"]


def test_a_second_demo_says_which_port_is_taken(stack: Stack) -> None:
    second = subprocess.run(
        [str(DEMO), "up"], env=stack.env, capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert second.returncode == 1
    assert "Port 28080 (application) is taken by this stack" in " ".join(second.stdout.split())


def test_another_stack_on_the_same_ports_is_told_which(stack: Stack, tmp_path: object) -> None:
    env = stack.env | {"STATE_DIR": str(tmp_path)}
    other = subprocess.run(
        [str(DEMO), "up"], env=env, capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert other.returncode == 1
    assert "port 26333 (vectorstore)" in " ".join(other.stdout.split())
    assert "VECTORSTORE_PORT=<another>" in " ".join(other.stdout.split())


def test_a_wrong_key_is_refused_by_every_part(stack: Stack) -> None:
    wrong = {"Authorization": "Bearer wrong", "api-key": "wrong"}
    body = {"model": "any", "input": "text", "messages": [{"role": "user", "content": "hi"}]}
    assert httpx.get(f"{stack.qdrant_url}/collections", headers=wrong).status_code == 401
    for url in (f"{stack.embed_url}/v1/embeddings", f"{stack.llm_url}/v1/chat/completions"):
        assert httpx.post(url, json=body, headers=wrong, timeout=30).status_code == 401
    for url in (f"{stack.embed_url}/manifest", f"{stack.llm_url}/manifest"):
        assert httpx.get(url, headers=wrong, timeout=30).status_code == 401
    url = f"{stack.application_url}/v1/ask"
    assert httpx.post(url, json={"question": "hi"}, headers=wrong).status_code == 401
