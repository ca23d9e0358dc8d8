"""`serving diff`: says in words what differs between two manifests of one kind."""

import re
from pathlib import Path

import httpx
from pydantic import TypeAdapter, ValidationError

from contracts.endpoints import SAME_EMBEDDER_COSINE, EmbedderManifest, LlmManifest
from contracts.urls import authorization, service_root, without_credentials
from serving.checks import DIRECT
from serving.errors import ModelError

Manifest = LlmManifest | EmbedderManifest

LOGPROB_TOLERANCE = 0.25  # bfloat16 in another batch moves the last bits; other weights move far
HASH, SHOWN = re.compile("[0-9a-f]{64}"), 12
UNKNOWN = "unknown"  # never equals anything
MENDS = {  # status -> what a person can do
    401: "pass its key by --key or SERVING_DIFF_KEY",
    403: "pass a key that may read it by --key or SERVING_DIFF_KEY",
    404: "it serves no manifest, so run `serving observe` on it and compare the file",
}
WORDS = {  # of fields whose names do not say enough
    "files_sha256": "the model's files (weights, tokenizer or configuration)",
    "parts": "the model's files",
    "template_sha256": "the tokens of the fixed messages (chat template or tokenizer)",
    "weights_sha256": "the weights",
    "tokenizer_sha256": "the tokenizer",
    "flags": "the launch flags",
    "observed": "what the hosted model says of itself and replies to fixed prompts",
}


def differences(before: Manifest, after: Manifest) -> list[str]:
    """One sentence for each thing that differs; none where the two are the same model."""
    if before.kind != after.kind:
        return [f"These are two kinds of model: {before.kind} and {after.kind}."]
    old, new = _fields(before), _fields(after)
    if old.get("parts") and new.get("parts"):
        if _differs(old["parts"], new["parts"]):
            del old["files_sha256"]  # the parts name what of them differs
    else:
        old.pop("parts", None)  # a manifest from before parts, or of a hosted model
    said = [_sentence(name, old[name], new[name]) for name in old if _differs(old[name], new[name])]
    if isinstance(before, LlmManifest) and isinstance(after, LlmManifest):
        said += _logprob_differences(before.logprobs, after.logprobs)
    elif isinstance(before, EmbedderManifest) and isinstance(after, EmbedderManifest):
        said += _vector_differences(before, after)
    return said


def read_manifest(place: str, key: str | None) -> Manifest:
    """The manifest in a file, or of a running endpoint by its base URL. Raises ModelError."""
    is_url = place.startswith(("http://", "https://"))
    shown = without_credentials(place) if is_url else place
    try:
        content = _fetched(place, key) if is_url else Path(place).read_bytes()
        adapter: TypeAdapter[Manifest] = TypeAdapter(Manifest)
        return adapter.validate_json(content)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        mend = MENDS.get(status, "try again later" if status >= 500 else "check the URL")
        raise ModelError(f"{shown} gave no manifest ({status}): {mend}.") from error
    except httpx.HTTPError as error:
        raise ModelError(
            f"{shown} does not answer ({type(error).__name__}): check the URL, and that it runs."
        ) from error
    except OSError as error:
        raise ModelError(f"No manifest could be read from {shown}: {error}") from error
    except ValidationError as error:
        raise ModelError(f"What {shown} holds is no manifest of this version.") from error


def _fetched(url: str, key: str | None) -> bytes:
    with httpx.Client(headers=authorization(url, key), timeout=60, mounts=DIRECT) as client:
        return client.get(f"{service_root(url)}/manifest").raise_for_status().content


def _fields(manifest: Manifest) -> dict[str, object]:
    """Everything that is compared for equality, flat."""
    fields = manifest.model_dump(exclude={"contract", "kind", "logprobs", "fingerprint"})
    if isinstance(manifest, EmbedderManifest):
        fields |= manifest.fingerprint.model_dump(exclude={"probe_vectors"})
    return fields


def _differs(old: object, new: object) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return bool(_changed(old, new))
    return old != new or old == UNKNOWN


def _changed(old: dict[str, object], new: dict[str, object]) -> list[str]:
    return sorted(key for key in old | new if _differs(old.get(key), new.get(key)))


def _sentence(name: str, old: object, new: object) -> str:
    words = WORDS.get(name, name.replace("_", " "))
    words = words[0].upper() + words[1:]
    if UNKNOWN in (old, new):
        return f"{words}: cannot be compared, {old} and {new}."
    if isinstance(old, dict) and isinstance(new, dict):
        parts = [
            f"{key} {_short(old.get(key, 'not set'))} -> {_short(new.get(key, 'not set'))}"
            for key in _changed(old, new)
        ]
        return f"{words}: {', '.join(parts)}."
    return f"{words}: {_short(old)} -> {_short(new)}."


def _short(value: object) -> object:
    """A sha256 by its first digits, and a text that ends in a space, or has none, in quotes."""
    if not isinstance(value, str):
        return value
    if HASH.fullmatch(value):
        return value[:SHOWN]  # a person compares, and does not copy
    return value if value and value == value.strip() else f'"{value}"'


def _logprob_differences(old: list[float], new: list[float]) -> list[str]:
    if len(old) != len(new):
        return [f"The fixed prompts have other tokens: {len(old)} -> {len(new)}."]
    furthest = max((abs(a - b) for a, b in zip(old, new, strict=True)), default=0.0)
    if furthest <= LOGPROB_TOLERANCE:
        return []
    return [
        f"The running weights answer differently: log probabilities of fixed prompts differ by "
        f"up to {furthest:.2f}, and {LOGPROB_TOLERANCE} is tolerated."
    ]


def _vector_differences(old: EmbedderManifest, new: EmbedderManifest) -> list[str]:
    if old.fingerprint.dimensions != new.fingerprint.dimensions:
        return []  # said already
    cosine = old.fingerprint.lowest_cosine(new.fingerprint)
    if cosine >= SAME_EMBEDDER_COSINE:
        return []
    return [
        f"The running embedder gives other vectors: cosine {cosine:.4f} on a probe text, and "
        f"{SAME_EMBEDDER_COSINE} is asked."
    ]
