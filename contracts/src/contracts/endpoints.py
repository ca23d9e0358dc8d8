"""Contract 2, model endpoints: what serving answers to ingestion, application and evals.

`/v1/chat/completions`, `/v1/embeddings` and `/v1/models` are OpenAI's; what is ours is
`/v1/sparse`, `/v1/tokenizer` (the tokenizer.json that the embedder uses) and `/manifest`.
"""

import hashlib
import json
from typing import Literal

from pydantic import Field

from contracts import Contract, Record

PRIORITY_HEADER = "X-Priority"  # of embedding requests: "interactive" goes before "bulk"
SAME_EMBEDDER_COSINE = 0.999  # lowest cosine between two runs of one embedder's probe texts

PROBE_TEXTS = (
    "The invoice was paid on 3 March.",
    "Where do I report a lost badge?",
    "| city | code |\n| --- | --- |\n| Zürich | ZRH |",
    "def main() -> None: ...",
    "Überstunden werden am Monatsende ausgezahlt.",
    "error E4042: the pump stopped after 17.5 hours",
    "yes",
    "A long sentence that says little, again and again, until it has said little at length. " * 4,
)


def digest_of(value: object) -> str:
    """First 16 hex digits of the sha256 of `value` as canonical JSON: how digests are written."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class SparseRequest(Contract):
    """Body of `POST /v1/sparse`; BM25 weighs documents and queries differently."""

    input: list[str]
    kind: Literal["document", "query"]


class SparseVector(Record):
    """One sparse vector: token ids, ascending and distinct, and their weights."""

    indices: list[int]
    values: list[float]


class SparseResponse(Record):
    """One vector per input, in order."""

    data: list[SparseVector]


class EmbedderFingerprint(Record):
    """Identity of an embedder: equal hashes, and probe vectors that agree (see `matches`).

    Hashes are sha256 in hex, or "unknown" for a hosted model, which its vectors then tell apart.
    """

    model: str
    weights_sha256: str
    tokenizer_sha256: str
    pooling: str
    normalised: bool
    max_tokens: int
    dimensions: int
    probe_vectors: list[list[float]]  # one per PROBE_TEXTS, `dimensions` long
    query_prefix: str = ""  # put before a question, e.g. "query: "
    document_prefix: str = ""

    @property
    def digest(self) -> str:
        """Digest of all but the probe vectors, which vary in their last bits.

        A prefix counts only where there is one, so digests from before prefixes stay valid.
        """
        prefixes = {name for name in ("query_prefix", "document_prefix") if not getattr(self, name)}
        return digest_of(self.model_dump(exclude={"probe_vectors", *prefixes}))

    def matches(self, other: "EmbedderFingerprint") -> bool:
        """Whether vectors of the two may be compared."""
        return self.digest == other.digest and self.lowest_cosine(other) >= SAME_EMBEDDER_COSINE

    def lowest_cosine(self, other: "EmbedderFingerprint") -> float:
        """Lowest cosine, in [-1, 1], between the two embedders' vectors of one probe text."""
        pairs = zip(self.probe_vectors, other.probe_vectors, strict=False)  # a release may add one
        return min((_cosine(a, b) for a, b in pairs), default=0.0)


def _cosine(a: list[float], b: list[float]) -> float:
    if len(a) != len(b):
        return 0.0
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    norms = sum(x * x for x in a) ** 0.5 * sum(y * y for y in b) ** 0.5
    return dot / norms if norms else 0.0


class EmbedderManifest(Record):
    """`GET /manifest` of the embedder: its identity, and what is recorded but is not identity."""

    contract: Literal["endpoints/1"] = "endpoints/1"
    kind: Literal["embedder"] = "embedder"
    fingerprint: EmbedderFingerprint
    sparse: str  # the BM25 settings, e.g. "bm25:k=1.2,b=0.75,language=english"
    precision: str  # "float32" | "bfloat16" | "unknown"
    backend: str  # e.g. "sentence-transformers 6.2.0"
    languages: list[str] = Field(default_factory=list)  # ISO 639-1; empty where unknown
    declared: bool = False  # True where a hosted endpoint's owner vouches for it

    @property
    def digest(self) -> str:
        """Digest of everything that may change a vector."""
        return digest_of([self.fingerprint.digest, self.sparse, self.precision, self.backend])


class LlmManifest(Record):
    """`GET /manifest` of a chat model: what answers, in hashes; "unknown" where unseen."""

    contract: Literal["endpoints/1"] = "endpoints/1"
    kind: Literal["llm"] = "llm"
    model: str
    files_sha256: str  # over the files at the engine's own model path
    template_sha256: str  # over the token ids of fixed messages, from `/tokenize`
    engine: str
    dtype: str
    max_model_len: int | Literal["unknown"]  # tokens
    quantization: str
    sampling_defaults: dict[str, float | int | str | None]
    logprobs: list[float]  # fingerprint of the running engine, compared with a tolerance
    flags: dict[str, str] = Field(
        default_factory=dict
    )  # launch arguments that are not the engine's defaults
    parts: dict[str, str] = Field(default_factory=dict)  # sha256 of the files of one kind
    observed: dict[str, str] = Field(default_factory=dict)  # a hosted model's names and replies
    declared: bool = False  # True where a hosted endpoint's owner vouches for what is not observed

    @property
    def digest(self) -> str:
        """Digest of all but the logprobs, which vary in their last bits.

        The parts are in `files_sha256`, so digests from before parts stay valid.
        """
        return digest_of(self.model_dump(exclude={"logprobs", "parts"}))
