"""evidently's page is for reading: nobody changes anything by it, and no foreign page asks it."""

import warnings
from typing import Any

import httpx
import pytest

# evidently and what it imports use deprecated names of numpy, litestar and Python.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")

PROJECT = "01234567-89ab-7cde-8f01-23456789abcd"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with warnings.catch_warnings(action="ignore"):  # at its first import
        from evals.web.reports_page import page

        return page(tmp_path_factory.mktemp("reports"), ["127.0.0.1"])


@pytest.fixture
def client(app: Any, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_the_page_and_its_lists_are_shown(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/version", "/api/projects"):
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/projects"),
        ("DELETE", f"/api/projects/{PROJECT}"),
        ("POST", "/api/llm_judges/prompt_template"),
        ("POST", "/api/datasets/upload"),
        ("POST", "/api/v1/traces"),
        ("OPTIONS", "/api/projects"),
    ],
)
async def test_nothing_can_be_changed_or_run(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, path, json={"name": "planted"})).status_code == 403


async def test_a_get_that_changes_something_needs_a_key_that_nobody_has(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get(f"/api/projects/{PROJECT}/reload")).status_code in (401, 403)


async def test_a_name_that_a_foreign_site_gave_this_machine_is_refused(
    client: httpx.AsyncClient,
) -> None:
    reply = await client.get("/api/projects", headers={"Host": "rebound.example"})
    assert reply.status_code == 400


async def test_only_the_page_itself_may_send_the_one_read_that_is_a_post(
    client: httpx.AsyncClient,
) -> None:
    path = f"/api/v2/snapshots/{PROJECT}/data_series_batch"
    foreign = await client.post(path, json={}, headers={"Origin": "http://evil.example"})
    own = await client.post(path, json={}, headers={"Origin": "http://127.0.0.1"})
    assert (foreign.status_code, own.status_code == 403) == (403, False)


async def test_no_reply_invites_another_origin(client: httpx.AsyncClient) -> None:
    reply = await client.get("/api/projects", headers={"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in reply.headers
