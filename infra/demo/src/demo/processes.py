"""The processes of the stack: what each runs, with which settings, and how its health is asked."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from demo.doctor import port_of
from demo.layout import BY_NAME
from demo.settings import Settings, kept_secret, secret

QUIET = {  # no telemetry, no look-ups at a model hub
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "HF_HUB_OFFLINE": "1",
    "PYTHONUNBUFFERED": "1",
}
OWNED = {"LLM_KEY", "EMBED_KEY", "QDRANT_API_KEY"}  # handed on only to the process that needs it


@dataclass(frozen=True)
class Process:
    """One process: its environment's name, its command and its own variables."""

    name: str
    environment: str
    command: tuple[str, ...]
    variables: dict[str, str]
    health: str | None = None  # URL that answers 200 when it is up
    late: bool = False  # started after the others are healthy, and not waited for


def url_of(process: str) -> str:
    """Base URL of a process on this machine."""
    return f"http://127.0.0.1:{port_of(process)}"


def processes(settings: Settings) -> list[Process]:
    """All processes that these settings ask for, in the order in which they start."""
    found = [_embedder(settings), _application(settings)]
    if not settings.llm_url:
        found.insert(0, _llm(settings))  # the slowest to start
    if not settings.qdrant_url:
        found.insert(0, _vectorstore(settings))
    if settings.demo == "full":
        found += [_prefect(settings), _runner(settings), _evidently(settings)]
    return found


def complete(environment: str, variables: dict[str, str]) -> dict[str, str]:
    """This shell's variables less the secrets of others, with the process's own."""
    folder = str(BY_NAME[environment].command("python").parent)
    kept = {name: value for name, value in os.environ.items() if name not in OWNED}
    path = {"PATH": folder + os.pathsep + kept.get("PATH", "")}
    return kept | path | QUIET | variables


def layer_variables(settings: Settings, layer: str) -> dict[str, str]:
    """Variables for a person's command of a layer."""
    match layer:
        case "ingestion":
            return _ingestion_variables(settings)
        case "application":
            own = {"URL": url_of("application"), "KEY": kept_secret(settings, "user")}
            return _application(settings).variables | _prefixed("APPLICATION", own)
        case "serving":
            return _embedder(settings).variables | _llm(settings).variables
        case _:
            return _evals_variables(settings) | _ingestion_variables(settings)


def _prefixed(prefix: str, variables: Mapping[str, str | None]) -> dict[str, str]:
    return {f"{prefix}_{name}": value for name, value in variables.items() if value}


def _qdrant(settings: Settings) -> dict[str, str | None]:
    if settings.qdrant_url:
        return {"QDRANT_URL": settings.qdrant_url, "QDRANT_API_KEY": settings.qdrant_api_key}
    return {"QDRANT_URL": url_of("vectorstore"), "QDRANT_API_KEY": secret(settings, "vectorstore")}


def _embed(settings: Settings) -> dict[str, str | None]:
    return {"EMBED_URL": url_of("embedder"), "EMBED_API_KEY": secret(settings, "embedder")}


def _prefect_variables(settings: Settings) -> dict[str, str]:
    home = str(settings.state_dir / "prefect")
    return {"PREFECT_API_URL": f"{url_of('prefect')}/api", "PREFECT_HOME": home}


def _ingestion_variables(settings: Settings) -> dict[str, str]:
    variables = _prefixed("INGESTION", _qdrant(settings) | _embed(settings))
    variables["INGESTION_STATE_DIR"] = str(settings.state_dir)
    return variables | (_prefect_variables(settings) if settings.demo == "full" else {})


def _evals_variables(settings: Settings) -> dict[str, str]:
    variables = _qdrant(settings) | {
        "APPLICATION_URL": url_of("application"),
        "API_KEY": kept_secret(settings, "user"),
        "PROBE_KEY": secret(settings, "probe"),
        "STATE_DIR": str(settings.state_dir),
        "INGESTION_COMMAND": str(BY_NAME["ingestion"].command("ingestion")),
    }
    return _prefixed("EVALS", variables)


def _vectorstore(settings: Settings) -> Process:
    variables = {
        "PORT": str(port_of("vectorstore")),
        "PATH": str(settings.state_dir / "vectors"),
        "API_KEY": secret(settings, "vectorstore"),
        "READ_ONLY_API_KEY": secret(settings, "vectorstore-read-only"),
    }
    return Process(
        "vectorstore",
        "vectorstore",
        ("vectorstore", "serve"),
        _prefixed("VECTORSTORE", variables),
        f"{url_of('vectorstore')}/readyz",
    )


def _embedder(settings: Settings) -> Process:
    variables = {
        "EMBED_PORT": str(port_of("embedder")),
        "EMBED_API_KEY": secret(settings, "embedder"),
        "EMBED_UPSTREAM_URL": settings.embed_url,
        "EMBED_UPSTREAM_KEY": settings.embed_key,
        "EMBED_UPSTREAM_MODEL": settings.embed_model,
        "MODELS_DIR": str(settings.models),
    }
    return Process(
        "embedder",
        "embed",
        ("serving", "embed"),
        _prefixed("SERVING", variables),
        f"{url_of('embedder')}/health/ready",
    )


def _llm(settings: Settings) -> Process:
    variables = {
        "LLM_PORT": str(port_of("llm")),
        "LLM_API_KEY": secret(settings, "llm"),
        "LLM_MODEL": settings.model,
        "MODELS_DIR": str(settings.models),
    }
    return Process(
        "llm", "llm", ("serving", "llm"), _prefixed("SERVING", variables), f"{url_of('llm')}/health"
    )


def _application(settings: Settings) -> Process:
    own = (
        {} if settings.qdrant_url else {"QDRANT_API_KEY": secret(settings, "vectorstore-read-only")}
    )
    probe_key = secret(settings, "probe")
    variables = _qdrant(settings) | own | _embed(settings)
    variables |= {
        "PORT": str(port_of("application")),
        "STATE_DIR": str(settings.state_dir),
        "LLM_URL": settings.llm_url or url_of("llm"),
        "LLM_API_KEY": settings.llm_key if settings.llm_url else secret(settings, "llm"),
        "LLM_MODEL": settings.llm_model if settings.llm_url else settings.model,
        "PROBE_KEY_SHA256": hashlib.sha256(probe_key.encode()).hexdigest(),
    }
    return Process(
        "application",
        "application",
        ("application", "serve"),
        _prefixed("APPLICATION", variables),
        f"{url_of('application')}/health/live",
    )


def _prefect(settings: Settings) -> Process:
    command = ("python", "-m", "prefect", "server", "start", "--port", str(port_of("prefect")))
    quiet = {"PREFECT_LOGGING_SERVER_LEVEL": "WARNING"}
    variables = _prefect_variables(settings) | quiet
    health = f"{url_of('prefect')}/api/health"
    return Process("prefect", "ingestion", command, variables, health, late=True)


def _runner(settings: Settings) -> Process:
    sources = {"INGESTION_SOURCES": json.dumps({"sample": str(settings.sample)})}
    variables = _ingestion_variables(settings) | sources
    return Process("runner", "ingestion", ("ingestion", "serve"), variables, late=True)


def _evidently(settings: Settings) -> Process:
    workspace = ("--workspace", str(settings.state_dir / "reports"))
    where = ("--host", "127.0.0.1", "--port", str(port_of("evidently")))
    health = f"{url_of('evidently')}/api/version"
    return Process(
        "evidently", "evals", ("evidently", "ui", *workspace, *where), {}, health, late=True
    )
