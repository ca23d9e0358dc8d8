"""`serving observe`: the manifest of a hosted chat model, from its owner's words and its replies.

What neither says is "unknown", which equals nothing in `serving diff`.
"""

import hashlib
from pathlib import Path
from typing import Any, cast

import httpx
import yaml  # type: ignore[import-untyped]  # ships no types
from pydantic import ValidationError

from contracts.endpoints import LlmManifest
from contracts.urls import authorization, openai_url, service_root, without_credentials
from serving.checks import DIRECT
from serving.compare import UNKNOWN
from serving.engine_manifest import SAMPLING_DEFAULTS, template_sha256
from serving.errors import ModelError, UpstreamRefusedError, UpstreamUnavailableError
from serving.reasons import reason_of

PROMPTS = (  # with short replies, which vary least between two runs of one model
    "Reply with the sum of 17 and 25, and nothing else.",
    "Repeat this code exactly: QX-7314-ZB",
    "Translate to German, one word: window",
)
REPLY_TOKENS = 16
MENDS = {  # status -> what a person can do
    401: "put the server's key into a variable and name it by --key-env",
    403: "put a key that may use this model into the variable of --key-env",
    404: "check the URL and --model",
}
LENGTHS = ("max_model_len", "context_length", "context_window")  # as servers list them
UNSEEN: dict[str, Any] = dict.fromkeys(
    ("files_sha256", "template_sha256", "engine", "dtype", "max_model_len", "quantization"), UNKNOWN
) | {"sampling_defaults": dict.fromkeys(SAMPLING_DEFAULTS, UNKNOWN)}


async def observe_hosted(
    url: str,
    model: str,
    key: str | None = None,
    declared: dict[str, Any] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> LlmManifest:
    """The manifest of `model` at `url`, the API's base or a bare host; what is seen wins over
    `declared`.

    Raises UpstreamRefusedError, UpstreamUnavailableError, ModelError.
    """
    async with httpx.AsyncClient(
        base_url=service_root(url),  # of vLLM's own routes, which lie beside /v1
        headers=authorization(url, key),
        timeout=60,
        transport=transport,
        mounts=DIRECT,
    ) as client:
        replies = [await _reply(client, url, model, key or "", prompt) for prompt in PROMPTS]
        seen = (
            _identity(replies) | await _length(client, url, model) | await _template(client, model)
        )
    try:
        fields = UNSEEN | (declared or {}) | seen | {"model": model}
        return LlmManifest.model_validate(fields, extra="forbid")  # a person may have mistyped one
    except ValidationError as error:
        names = ", ".join(str(e["loc"][0]) for e in error.errors())
        raise ModelError(f"What is declared of {model} is not of a manifest: {names}.") from error


def read_declared(file: Path) -> dict[str, Any]:
    """Fields of a manifest, as its owner wrote them (YAML or JSON). Raises ModelError."""
    try:
        fields = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ModelError(f"No declaration could be read from {file}: {error}") from error
    if not isinstance(fields, dict):
        raise ModelError(f"{file} declares nothing: write fields of a manifest, e.g. `dtype: fp8`.")
    return fields


async def _reply(
    client: httpx.AsyncClient, url: str, model: str, key: str, prompt: str
) -> dict[str, Any]:
    shown, chat = without_credentials(url), openai_url(url, "chat/completions")
    asked = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    usual = asked | {"temperature": 0, "max_tokens": REPLY_TOKENS}
    bodies = (
        usual | {"logprobs": True},
        usual,  # some give no log probabilities
        asked | {"max_completion_tokens": REPLY_TOKENS},  # some reasoning models take only this
    )
    try:
        for body in bodies:
            response = await client.post(chat, json=body)
            if response.status_code not in (400, 422):
                break
        response.raise_for_status()
        reply = response.json()
        message = reply["choices"][0]["message"]
        message["content"] = message["content"] or ""  # null: all went into thoughts, or a filter
        cast(str, message["content"]).encode()
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        reason = reason_of(error.response.content, key)
        said = f" It says: {reason}" if reason else ""
        if status == 429 or status >= 500:
            raise UpstreamUnavailableError(
                f"{shown} answered {status}: try again later.{said}"
            ) from error
        mend = MENDS.get(status, "check the URL, --model and the key")
        raise UpstreamRefusedError(
            f"{shown} refused the request ({status}): {mend}.{said}"
        ) from error
    except httpx.HTTPError as error:
        raise UpstreamUnavailableError(
            f"No answer from {shown} ({type(error).__name__}): check the URL, or try again later."
        ) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UpstreamRefusedError(
            f"{shown} does not answer as an OpenAI-compatible chat model: check the URL."
        ) from error
    return cast(dict[str, Any], reply)


def _identity(replies: list[dict[str, Any]]) -> dict[str, Any]:
    """What the replies say; several backends behind one URL show as several names."""
    observed = {
        name: ", ".join(sorted({str(reply.get(field) or UNKNOWN) for reply in replies}))
        for name, field in (("model", "model"), ("system fingerprint", "system_fingerprint"))
    }
    choices = [reply["choices"][0] for reply in replies]
    for number, choice in enumerate(choices, start=1):
        text = str(choice["message"]["content"])
        observed[f"reply {number}"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    tokens = [t for choice in choices for t in (choice.get("logprobs") or {}).get("content") or []]
    logprobs = [round(float(token["logprob"]), 4) for token in tokens]
    return {"observed": observed, "logprobs": logprobs, "declared": True}


async def _length(client: httpx.AsyncClient, url: str, model: str) -> dict[str, Any]:
    """The context length, where the list of models says it."""
    try:
        listed = (await client.get(openai_url(url, "models"))).raise_for_status().json()["data"]
        (entry,) = (entry for entry in listed if entry["id"] == model)
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return {}
    lengths = [entry[name] for name in LENGTHS if isinstance(entry.get(name), int)]
    return {"max_model_len": lengths[0]} if lengths else {}


async def _template(client: httpx.AsyncClient, model: str) -> dict[str, Any]:
    """The hash of the chat template's tokens, where the server is a vLLM and lets us ask."""
    try:
        return {"template_sha256": await template_sha256(client, model)}
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return {}
