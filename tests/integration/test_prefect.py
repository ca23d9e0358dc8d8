"""A running Prefect server gives nothing to a caller without the password, or to a foreign page."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.conftest import ROOT

pytestmark = pytest.mark.integration

BIN = ROOT / ".venvs" / "ingestion" / "bin"
PASSWORD = "never-guessed"
START_SECONDS = 120
NOTHING = "00000000-0000-0000-0000-000000000000"


def health(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=3).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the API, started by the stack's own command."""
    if not (BIN / "ingestion").exists():
        pytest.skip("ingestion's environment is not installed: run `make install`")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/api"
    folder: Path = tmp_path_factory.mktemp("prefect")
    env = os.environ | {
        "INGESTION_PREFECT_AUTH_STRING": PASSWORD,
        "PREFECT_API_URL": url,
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
        "DO_NOT_TRACK": "1",
    }
    log = folder / "server.log"
    command = [str(BIN / "ingestion"), "prefect", "--port", str(port)]
    with log.open("w") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as run:
        try:
            until = time.monotonic() + START_SECONDS
            while not health(url):
                assert run.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)  # polling, not waiting: the condition decides
            yield url
        finally:
            run.terminate()


def test_no_route_answers_a_caller_without_the_password(server: str) -> None:
    for method, path, body in (
        ("GET", "/admin/version", None),
        ("POST", "/deployments/filter", {}),
        ("POST", "/flow_runs/filter", {}),
        ("PATCH", f"/deployments/{NOTHING}", {"pull_steps": []}),
        ("POST", f"/deployments/{NOTHING}/create_flow_run", {}),
    ):
        for auth in (None, ("", PASSWORD), ("admin", "wrong")):
            reply = httpx.request(method, server + path, json=body, auth=auth, timeout=30)
            assert reply.status_code == 401, (method, path, auth)


def test_a_foreign_page_may_not_ask_and_the_servers_own_page_may(server: str) -> None:
    def preflight(origin: str) -> httpx.Response:
        headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
        return httpx.options(f"{server}/deployments/{NOTHING}", headers=headers, timeout=30)

    foreign = preflight("http://evil.example")
    assert foreign.status_code == 400
    assert "access-control-allow-origin" not in foreign.headers
    own = server.removesuffix("/api")
    assert preflight(own).headers["access-control-allow-origin"] == own


def test_prefects_own_client_is_let_in_with_the_password_alone(server: str, tmp_path: Path) -> None:
    for password, expected in ((PASSWORD, 0), ("wrong", 1)):
        env = os.environ | {
            "PREFECT_API_URL": server,
            "PREFECT_API_AUTH_STRING": password,
            "PREFECT_HOME": str(tmp_path),
        }
        command = [str(BIN / "prefect"), "deployment", "ls"]
        result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
        assert result.returncode == expected, result.stdout + result.stderr
