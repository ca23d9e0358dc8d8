"""Prefect's API asks for a password, and everything of ours that calls it sends that password."""

import os
from typing import Any

import httpx
import pytest

from ingestion.operate import prefect_access
from ingestion.operate.prefect_access import authorise, plan_server, refusal
from ingestion.settings import Settings

PASSWORD = "never-guessed"


@pytest.fixture(autouse=True)
def no_password_in_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PREFECT_API_AUTH_STRING", "INGESTION_PREFECT_AUTH_STRING"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_the_server_does_not_start_without_a_password(ingestion: Any) -> None:
    result = ingestion("prefect")
    assert result.exit_code == 2
    assert "Set INGESTION_PREFECT_AUTH_STRING to a password" in " ".join(result.stderr.split())


def test_the_server_answers_its_own_page_only() -> None:
    launch = plan_server(Settings(prefect_auth_string=PASSWORD), "0.0.0.0", 4200, 9999)
    assert launch.arguments[1:5] == ["-m", "prefect", "server", "start"]
    assert launch.environment["PREFECT_SERVER_API_AUTH_STRING"] == PASSWORD
    origins = launch.environment["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"]
    assert origins == "http://127.0.0.1:9999,http://localhost:9999"
    assert launch.environment["PREFECT_UI_API_URL"] == "http://127.0.0.1:9999/api"


def test_the_password_is_in_no_argument_that_other_users_see() -> None:
    launch = plan_server(Settings(prefect_auth_string=PASSWORD), "127.0.0.1", 4200, 4200)
    assert PASSWORD not in " ".join(launch.arguments)


def test_prefects_client_gets_our_password_unless_it_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authorise(Settings(prefect_auth_string=PASSWORD))
    assert os.environ["PREFECT_API_AUTH_STRING"] == PASSWORD
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "theirs")
    authorise(Settings(prefect_auth_string=PASSWORD))
    assert os.environ["PREFECT_API_AUTH_STRING"] == "theirs"


def test_a_wrong_password_is_a_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(401))
    assert "INGESTION_PREFECT_AUTH_STRING" in str(refusal("http://127.0.0.1:1/api"))


def test_a_sync_with_a_wrong_password_runs_without_prefect_and_says_why(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setattr(prefect_access, "answers", lambda _: True)
    monkeypatch.setattr(prefect_access, "refusal", lambda _: "Prefect refuses the password")
    result = ingestion("sync", world.folder)
    assert "without Prefect (Prefect refuses the password)" in " ".join(result.stderr.split())
    assert result.exit_code == 0
