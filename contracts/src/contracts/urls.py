"""How every layer reads the address of a server: credentials, paths and `/v1` mean the same to all.

The credentials of `https://user:password@host` go into a header and are shown nowhere.
"""

from base64 import b64encode
from urllib.parse import unquote, urlsplit, urlunsplit

QDRANT_PORT = 6333


def without_user(url: str) -> str:
    """`url` without user and password: fit to be a link."""
    parts = urlsplit(url.strip())
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def without_credentials(url: str) -> str:
    """`url` without user, password, query, fragment and the slashes at its end: fit to be shown."""
    parts = urlsplit(without_user(url))
    return urlunsplit(parts._replace(path=parts.path.rstrip("/"), query="", fragment=""))


def authorization(url: str, key: str | None = None) -> dict[str, str]:
    """The header that `key` asks for or, without one, the credentials inside `url`."""
    if key:
        return {"Authorization": f"Bearer {key}"}
    credentials, at, _ = urlsplit(url.strip()).netloc.rpartition("@")
    if not at:
        return {}
    user, _, password = credentials.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def openai_base(url: str) -> str:
    """Base of an OpenAI-compatible API: `url` as it is where it has a path, else with `/v1`."""
    base = without_credentials(url)
    return base if urlsplit(base).path else f"{base}/v1"


def openai_url(url: str, route: str) -> str:
    """Where `route`, e.g. "chat/completions", lies under `url`, whose query is kept."""
    query = urlsplit(url.strip()).query
    return f"{openai_base(url)}/{route}" + (f"?{query}" if query else "")


def service_root(url: str) -> str:
    """Root of a server that is given with or without `/v1`: our own routes lie beside that."""
    return without_credentials(url).removesuffix("/v1").rstrip("/")


def qdrant_address(url: str) -> tuple[str, int]:
    """Qdrant's URL without credentials, and its port: https without one is 443, http is 6333.

    qdrant-client would add 6333 to both. A path stays in the URL, which it takes as a prefix.
    """
    parts = urlsplit(url.strip())
    port = parts.port or (443 if parts.scheme == "https" else QDRANT_PORT)
    return without_credentials(url), port
