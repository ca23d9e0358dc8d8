"""The processes of the stack: what each runs, with which settings, and how its health is asked."""

import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.accepted import app_ref_state, sources
from demo.doctor import port_of
from demo.layout import BY_NAME, ROOT
from demo.settings import Settings, kept_secret, secret

QUIET = {  # no telemetry, no look-ups at a model hub
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "HF_HUB_OFFLINE": "1",
    "PYTHONUNBUFFERED": "1",
}
# Without compiled files vLLM takes twice as long to start: each of its processes imports it whole.
# What a process starts in turn is not Supervisor's.
UNWANTED = {"PYTHONDONTWRITEBYTECODE", "SUPERVISOR_ENABLED"}
OWNED = {
    "LLM_KEY",
    "EMBED_KEY",
    "QDRANT_API_KEY",
    "QDRANT_READ_ONLY_API_KEY",
}  # handed on only to the process that needs it


@dataclass(frozen=True)
class Process:
    """One process: its environment's name, its command and its own variables."""

    name: str
    environment: str
    command: tuple[str, ...]
    variables: dict[str, str]
    health: str | None = None  # URL that answers 200 when it is up
    late: bool = False  # started after the others are healthy, and not waited for
    needs: Path | None = None  # started only where this lies
    ends: bool = False  # it does one thing, and nobody waits for it


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
    found.append(_app_ref(settings))
    if settings.demo == "full":
        found += [_watcher(settings), _prefect(settings), _runner(settings), _evidently(settings)]
    if settings.accept:
        found.append(_accept(settings))
    return found


def complete(environment: str, variables: dict[str, str]) -> dict[str, str]:
    """This shell's variables less the secrets of others, with the process's own."""
    folder = str(BY_NAME[environment].command("python").parent)
    kept = {name: value for name, value in os.environ.items() if name not in OWNED | UNWANTED}
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


def _llm_endpoint(settings: Settings) -> dict[str, str | None]:
    if settings.llm_url:
        return {
            "LLM_URL": settings.llm_url,
            "LLM_API_KEY": settings.llm_key,
            "LLM_MODEL": settings.llm_model,
        }
    key = secret(settings, "llm")
    name = settings.llm_model or settings.model
    return {"LLM_URL": url_of("llm"), "LLM_API_KEY": key, "LLM_MODEL": name}


def _prefect_variables(settings: Settings) -> dict[str, str]:
    return {
        "PREFECT_API_URL": f"{url_of('prefect')}/api",
        "PREFECT_HOME": str(settings.state_dir / "prefect"),
        "INGESTION_PREFECT_AUTH_STRING": secret(settings, "prefect"),
        "PREFECT_API_AUTH_STRING": secret(settings, "prefect"),  # whatever this shell has
    }


def _ingestion_variables(settings: Settings) -> dict[str, str]:
    variables = _prefixed("INGESTION", _qdrant(settings) | _embed(settings))
    variables["INGESTION_STATE_DIR"] = str(settings.state_dir)
    canaries = {"path": str(settings.canaries), "namespace": "canary"}
    in_sync = {"sample": str(settings.sample), "canary": canaries}
    variables["INGESTION_SOURCES"] = json.dumps(in_sync)
    return variables | (_prefect_variables(settings) if settings.demo == "full" else {})


def _evals_variables(settings: Settings) -> dict[str, str]:
    pin_application = [str(BY_NAME["demo"].command("demo")), "pin-application"]
    variables = _qdrant(settings) | _embed(settings) | _llm_endpoint(settings)
    variables |= {
        "HOST": "127.0.0.1",
        "PORT": str(port_of("watcher")),
        "APPLICATION_URL": url_of("application"),
        "REFERENCE_URL": url_of("app-ref"),
        "PIN_APPLICATION_COMMAND": shlex.join(pin_application),
        "CANARIES": str(settings.canaries),
        "API_KEY": kept_secret(settings, "user"),
        "PROBE_KEY": secret(settings, "probe"),
        "STATE_DIR": str(settings.state_dir),
        "INGESTION_COMMAND": shlex.quote(str(BY_NAME["ingestion"].command("ingestion"))),
        "SERVING_COMMAND": shlex.quote(str(BY_NAME["embed"].command("serving"))),
        "COMMANDS": json.dumps(_commands()),
        "PLACES": json.dumps(_places(settings)),
    }
    return _prefixed("EVALS", variables)


def _commands() -> dict[str, str]:
    """How a person types each program, from the repository's root: cards say so."""
    demo = BY_NAME["demo"].command("demo").relative_to(ROOT)
    return {
        "restart": f"{demo} restart {{process}} --accepted",
        "ingestion": f"{demo} exec ingestion -- ingestion",
        "application": f"{demo} exec application -- application",
    }


def _places(settings: Settings) -> dict[str, str]:
    """What drills edit and run."""
    return {
        "sample": str(settings.sample),
        "models": str(settings.models),
        "demo": str(BY_NAME["demo"].command("demo")),
        "embed_python": str(BY_NAME["embed"].command("python")),
    }


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
    if settings.qdrant_url:
        reads = settings.qdrant_read_only_api_key or settings.qdrant_api_key
    else:
        reads = secret(settings, "vectorstore-read-only")
    own = {"QDRANT_API_KEY": reads}
    probe_key = secret(settings, "probe")
    variables = _qdrant(settings) | own | _embed(settings) | _llm_endpoint(settings)
    variables |= {
        "PORT": str(port_of("application")),
        "STATE_DIR": str(settings.state_dir),
        "PROBE_KEY_SHA256": hashlib.sha256(probe_key.encode()).hexdigest(),
        "PROBE_LLM_URL": f"{url_of('watcher')}/memo/v1",
        "LAYERS_URL": f"{url_of('watcher')}/" if settings.demo == "full" else None,
        "ANSWER_PROFILE": settings.answer_profile,
        "LLM_QUIRKS": settings.llm_quirks,
    }
    return Process(
        "application",
        "application",
        ("application", "serve"),
        _prefixed("APPLICATION", variables),
        f"{url_of('application')}/health/live",
    )


def _app_ref(settings: Settings) -> Process:
    code = sources(settings)
    own = {
        "PORT": str(port_of("app-ref")),
        "STATE_DIR": str(app_ref_state(settings)),
        "BUNDLE": str(code / "application" / "bundle.toml"),
    }
    variables = _application(settings).variables | _prefixed("APPLICATION", own)
    variables["PYTHONPATH"] = str(code)  # found before the live packages
    health = f"{url_of('app-ref')}/health/live"
    command = ("application", "serve")
    return Process("app-ref", "application", command, variables, health, late=True, needs=code)


def _watcher(settings: Settings) -> Process:
    variables = layer_variables(settings, "evals")
    health = f"{url_of('watcher')}/health"
    return Process("watcher", "evals", ("evals", "watch"), variables, health, late=True)


def _accept(settings: Settings) -> Process:
    """The first baseline, as small as it may be and one question at a time: people ask meanwhile.

    The cycle that follows replays what was generated for it.
    """
    own = {"BASELINE": "small", "PARALLEL": "1", "REPLAY": "true"}
    variables = layer_variables(settings, "evals") | _prefixed("EVALS", own)
    return Process(
        "accept", "evals", ("evals", "accept", "--first"), variables, late=True, ends=True
    )


def _prefect(settings: Settings) -> Process:
    command = ("ingestion", "prefect", "--port", str(port_of("prefect")))
    variables = _prefect_variables(settings) | {"PREFECT_LOGGING_SERVER_LEVEL": "WARNING"}
    health = f"{url_of('prefect')}/api/health"
    return Process("prefect", "ingestion", command, variables, health, late=True)


def _runner(settings: Settings) -> Process:
    variables = _ingestion_variables(settings)
    return Process("runner", "ingestion", ("ingestion", "serve"), variables, late=True)


def _evidently(settings: Settings) -> Process:
    command = ("evals", "reports-page", "--port", str(port_of("evidently")))
    variables = _prefixed("EVALS", {"STATE_DIR": str(settings.state_dir)})
    health = f"{url_of('evidently')}/api/version"
    return Process("evidently", "evals", command, variables, health, late=True)
