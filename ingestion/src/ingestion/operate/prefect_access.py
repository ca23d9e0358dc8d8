"""Who may use Prefect: whoever reaches its API can run commands, so it always asks for a password.

Only `flow.py` imports prefect. This module sets the variables that it reads.
"""

import base64
import os
import sys
from typing import NamedTuple

import httpx

from ingestion.errors import UsageError
from ingestion.settings import Settings

# Prefect remembers on disk who has which slot. Without that, a slot whose owner it forgot at a
# restart would stay taken for ever.
LEASES = "prefect.server.concurrency.lease_storage.filesystem"


class Launch(NamedTuple):
    """A process to become."""

    arguments: list[str]
    environment: dict[str, str]


def plan_server(settings: Settings, host: str, port: int, page_port: int) -> Launch:
    """What `ingestion prefect` becomes: Prefect's server, with a password, for its own page only.

    `page_port` is the port under which a browser on this machine finds its page.
    Raises UsageError where there is no password.
    """
    if not settings.prefect_auth_string:
        raise UsageError(
            "Set INGESTION_PREFECT_AUTH_STRING to a password: whoever reaches Prefect's API "
            "without one can run commands here."
        )
    password = settings.prefect_auth_string.get_secret_value()
    pages = [f"http://{name}:{page_port}" for name in ("127.0.0.1", "localhost")]
    ours = {
        "PREFECT_SERVER_API_AUTH_STRING": password,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ",".join(pages),
        "PREFECT_API_AUTH_STRING": password,  # its own services ask its API
        "PREFECT_UI_API_URL": f"{pages[0]}/api",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    command = ["-m", "prefect", "server", "start", "--host", host, "--port", str(port)]
    return Launch([sys.executable, *command], dict(os.environ) | ours)


def authorise(settings: Settings) -> None:
    """Give Prefect's client our password; call it before prefect is imported.

    A password in Prefect's own variable stays.
    """
    if settings.prefect_auth_string:
        password = settings.prefect_auth_string.get_secret_value()
        os.environ.setdefault("PREFECT_API_AUTH_STRING", password)


def answers(prefect_url: str) -> bool:
    """True if a Prefect server answers. Others may have such a path too: the reply decides."""
    try:
        return bool(httpx.get(f"{prefect_url.rstrip('/')}/health", timeout=3).json() is True)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False


def unusable(prefect_url: str | None) -> str | None:
    """Why a run goes without Prefect; None if its server answers and takes our password."""
    if not prefect_url:
        return "none set"
    return refusal(prefect_url) if answers(prefect_url) else f"no server at {prefect_url}"


def refusal(prefect_url: str) -> str | None:
    """Why the server at this URL refuses us, in one sentence; None if it takes our password."""
    password = os.environ.get("PREFECT_API_AUTH_STRING", "")
    token = base64.b64encode(password.encode()).decode()
    headers = {"Authorization": f"Basic {token}"} if password else {}
    url = f"{prefect_url.rstrip('/')}/admin/version"
    try:
        status = httpx.get(url, headers=headers, timeout=10).status_code
    except httpx.HTTPError:
        return None  # whatever asks next says what is wrong
    if status not in (401, 403):
        return None
    return (
        f"Prefect at {prefect_url} refuses the password ({status}): set "
        "INGESTION_PREFECT_AUTH_STRING to that of its server"
    )
