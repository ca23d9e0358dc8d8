"""What must hold before a model starts: its files, its port, and enough memory, in sentences."""

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from serving.catalog import find_model
from serving.errors import StartError
from serving.settings import Settings

EMBEDDER_MB = 1000
LLM_MB = 2250  # besides the KV cache and the weights


def check_embedder(settings: Settings) -> None:
    """Raises ModelError or StartError."""
    check_key(settings.embed_host, settings.embed_api_key is not None, "SERVING_EMBED_API_KEY")
    entry = find_model(settings.catalog, settings.embed_model, "embedder")
    entry.location(settings.models_dir)
    check_port(settings.embed_host, settings.embed_port, "SERVING_EMBED_PORT")
    if not settings.embed_upstream_url:
        check_memory(EMBEDDER_MB, entry.name)


def check_llm(
    settings: Settings,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    weights_mb: int = 0,
) -> None:
    """Look at what vLLM would be started with, a person's own flags included. Raises StartError.

    `weights_mb` is what the weights take of this machine's memory.
    """
    has_key = bool(environment.get("VLLM_API_KEY")) or _last(arguments, "--api-key") is not None
    host = _last(arguments, "--host")
    check_key(settings.llm_host if host is None else host, has_key, "SERVING_LLM_API_KEY")
    check_port(settings.llm_host, settings.llm_port, "SERVING_LLM_PORT")
    needed_mb = LLM_MB + weights_mb + 1024 * settings.llm_kv_cache_gb
    check_memory(needed_mb, settings.llm_model)


# For httpx's `mounts`: this machine is asked directly, whatever HTTP_PROXY and NO_PROXY say.
DIRECT = dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]"))


def is_loopback(host: str) -> bool:
    """True if only this machine can reach a server that listens on this host."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_key(host: str, has_key: bool, setting: str) -> None:
    """Raises StartError where others can reach the host and nobody would be asked for a key."""
    if not has_key and not is_loopback(host):
        raise StartError(f"Set {setting}: only a loopback host may go without a key.")


def _last(arguments: Sequence[str], flag: str) -> str | None:
    """Value of a flag on a command line, where the last one wins; None where it is not there."""
    found = None
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == flag:
            found = value if equals else following
    return found


def check_port(host: str, port: int, setting: str) -> None:
    """Raises StartError where something listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(
                f"Port {port} on {host} cannot be used ({error.strerror}): stop what uses it, "
                f"or set {setting}."
            ) from error


def check_memory(needed_mb: int, model: str, meminfo: Path = Path("/proc/meminfo")) -> None:
    """Raises StartError where less memory is free; says nothing where the system does not tell."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    free_mb = sizes.get("MemAvailable", needed_mb * 1024) // 1024
    if free_mb < needed_mb:
        raise StartError(
            f"{model} needs {needed_mb} MB of memory and {free_mb} MB are free: stop something, "
            "or use a hosted model by its URL."
        )
