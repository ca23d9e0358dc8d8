"""A secret in every setting that may hold one, and a search for it in all that comes out."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from tests.fakes.openai_server import Running as Server
from tests.fakes.openai_server import running

from application import client
from application.access import KeyRing
from application.bootstrap import create_app
from application.errors import ApplicationError
from application.settings import Settings

CANARY = "c4n4ry"
URLS = (
    "qdrant_url",
    "embed_url",
    "rerank_url",
    "llm_url",
    "secondary_llm_url",
    "probe_llm_url",
    "layers_url",
)
PATHS = [
    ("GET", "/"),
    ("GET", "/health/ready"),
    ("GET", "/health/live"),
    ("GET", "/v1/status"),
    ("GET", "/v1/search?q=leave"),
    ("GET", "/v1/search?q=leave&mode=sparse"),
    ("GET", "/v1/documents/handbook/leave.md"),
    ("POST", "/v1/ask"),
    ("GET", "/metrics"),
    ("GET", "/nowhere"),
]


def secret_settings() -> set[str]:
    """Names of the settings whose type or name says that they hold a secret."""
    fields = Settings.model_fields
    secret = {name for name, field in fields.items() if "SecretStr" in str(field.annotation)}
    named = {n for n in fields if n.endswith(("_key", "_token", "_secret", "_password"))}
    assert named - {"max_in_flight_per_key"} <= secret
    return secret


def settings_with_canaries(server: Server, state: Path) -> Settings:
    address = server.url.replace("http://", f"http://bob:{CANARY}%40url@") + f"/v1?key={CANARY}"
    values: dict[str, Any] = dict.fromkeys(URLS, address)
    assert set(URLS) == {name for name in Settings.model_fields if name.endswith("_url")}
    values["layers_url"] = (
        f"http://bob:{CANARY}@127.0.0.1:8085/?a=1"  # a link, which keeps its query
    )
    values |= {name: f"{CANARY}-{name}" for name in secret_settings() - {"marker_key"}}
    return Settings(**values, state_dir=state, marker_key=SecretStr(CANARY * 8))


@asynccontextmanager
async def outside(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            key = KeyRing(settings.keys_file).create("default", ["default"])
            http.headers["Authorization"] = f"Bearer {key}"
            yield http


def written_below(folder: Path) -> str:
    files = [file for file in folder.rglob("*") if file.is_file() and "secrets" not in file.parts]
    return "".join(file.read_text() for file in files)


@pytest.mark.parametrize("refusal", [None, 400, 401, 403, 404, 429, 500])
async def test_no_secret_comes_out_in_answers_headers_logs_events_or_metrics(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, refusal: int | None
) -> None:
    caplog.set_level(logging.DEBUG)
    said = {"error": {"message": f"bad key {CANARY}-embed_api_key"}}
    refusals = [(refusal, said, {"Retry-After": "60"})] * 40 if refusal else []
    out = ""
    with running(refusals=refusals) as server:
        settings = settings_with_canaries(server, tmp_path)
        async with outside(settings) as http:
            for method, path in PATHS:
                for stream in (False, True):
                    body = {"question": "How long is leave?", "stream": stream}
                    reply = await http.request(method, path, json=body)
                    out += reply.text + str(reply.headers)
    out += repr(settings) + str(settings) + caplog.text
    out += written_below(tmp_path)
    assert CANARY not in out


def test_a_wrong_setting_is_named_without_its_value() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(llm_url=["http://bob:c4n4ry@llm"], llm_api_key=["c4n4ry"])  # type: ignore[arg-type]  # wrong on purpose
    assert "llm_api_key" in str(raised.value)
    assert CANARY not in str(raised.value)


async def test_the_command_line_names_an_address_without_its_password() -> None:
    with pytest.raises(
        ApplicationError, match=r"Nothing answers at http://127\.0\.0\.1:1;"
    ) as raised:
        await client.ask(f"http://bob:{CANARY}@127.0.0.1:1", CANARY, "x", lambda _: None)
    assert CANARY not in str(raised.value)
