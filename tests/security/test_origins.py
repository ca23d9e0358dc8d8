"""A page of another origin, in a real browser, reads and changes nothing of the services."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.conftest import browser, page
from tests.fakes.vectorstore_server import KEY, Server, free_port
from tests.security.conftest import World, program, serving

pytest.importorskip("playwright", reason="the page's tests need playwright")

from playwright.sync_api import Page

__all__ = ["browser", "page"]  # fixtures
pytestmark = pytest.mark.e2e

NOTHING = "00000000-0000-0000-0000-000000000000"
ATTACK = """async ([url, method, headers]) => {
  const said = {};
  for (const mode of ["cors", "no-cors"]) {
    try {
      const simple = mode === "no-cors";
      const init = {method: simple && !["GET", "POST"].includes(method) ? "POST" : method, mode,
                    headers: simple ? {} : headers, credentials: "include"};
      if (init.method !== "GET") init.body = "{}";
      const reply = await fetch(url, init);
      said[mode] = reply.type === "opaque" ? "opaque" : `read ${reply.status}`;
    } catch { said[mode] = "refused"; }
  }
  return said;
}"""


class Blank(http.server.BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>foreign</title>")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def foreign(page: Page) -> Iterator[Page]:
    """The browser on a page of another port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    page.goto(f"http://127.0.0.1:{server.server_port}")
    yield page
    server.shutdown()
    thread.join()
    server.server_close()


def attacked(page: Page, url: str, *routes: tuple[str, str]) -> None:
    for method, path in routes:
        for headers in ({}, {"Content-Type": "application/json"}, {"Authorization": "Bearer x"}):
            said = page.evaluate(ATTACK, [url + path, method, headers])
            assert said["cors"] == "refused", (method, path, said)
            assert said["no-cors"] in ("opaque", "refused"), (method, path, said)


def test_no_foreign_page_reads_or_changes_the_application(foreign: Page, world: World) -> None:
    routes = [("GET", "/"), ("GET", "/v1/status"), ("POST", "/v1/ask"), ("GET", "/health/ready")]
    attacked(foreign, world.url, *routes)


def test_no_foreign_page_reads_or_changes_the_embedder(foreign: Page, embedder_url: str) -> None:
    attacked(foreign, embedder_url, ("POST", "/v1/embeddings"), ("GET", "/manifest"))


def test_no_foreign_page_reads_or_changes_the_vector_store(foreign: Page, store: Server) -> None:
    routes = [("GET", "/collections"), ("PUT", "/collections/x"), ("DELETE", "/collections/x")]
    attacked(foreign, store.url, *routes, ("POST", "/collections/aliases"))
    listed = httpx.get(f"{store.url}/collections", headers={"api-key": KEY})
    assert {"name": "x"} not in listed.json()["result"]["collections"]


def test_no_foreign_page_reads_or_changes_prefect(foreign: Page, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    env = {
        "INGESTION_PREFECT_AUTH_STRING": "never-guessed",
        "PREFECT_API_URL": url,
        "PREFECT_HOME": str(tmp_path),
        "DO_NOT_TRACK": "1",
    }
    command = [program("ingestion", "ingestion"), "prefect", "--port", str(port)]
    with serving(command, f"{url}/health", **env):
        attacked(
            foreign,
            url,
            ("POST", "/deployments/filter"),
            ("PATCH", f"/deployments/{NOTHING}"),
            ("POST", f"/deployments/{NOTHING}/create_flow_run"),
        )


def test_no_foreign_page_reads_or_changes_evidentlys_page(foreign: Page, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [program("evals", "evals"), "reports-page", "--port", str(port)]
    with serving(command, f"{url}/api/version", EVALS_STATE_DIR=str(tmp_path), DO_NOT_TRACK="1"):
        attacked(foreign, url, ("GET", "/api/projects"), ("POST", "/api/projects"))
