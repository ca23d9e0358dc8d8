"""An embedder without a model: vectors from hashes of words, at thousands of texts a second.

In a test, `HashEmbedder()` stands for the port of ingestion. As a process, it speaks the HTTP
contract of `serving embed`: `python tests/fakes/hash_embedder.py --port 26401`.
"""

import argparse
import base64
import hashlib
import json
import math
import re
import struct
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from contracts.endpoints import (
    PROBE_TEXTS,
    EmbedderFingerprint,
    EmbedderManifest,
    SparseVector,
)

DIMENSIONS = 32
MAX_TOKENS = 256


def word_tokenizer() -> Tokenizer:
    """Words and marks are the tokens, all of them unknown: only their number and place count."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def dense_vector(text: str, seed: str) -> list[float]:
    """A unit vector of length DIMENSIONS: the same words give the same vector."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", f"{seed} {text}".lower()):
        digest = hashlib.blake2b(f"{seed}{word}".encode(), digest_size=8).digest()
        vector[digest[0] % DIMENSIONS] += 1 if digest[1] % 2 else -1
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector] if any(vector) else [1.0, *vector[1:]]


def as_base64(text: str, seed: str = "") -> str:
    """Its dense vector in OpenAI's base64 form."""
    return base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *dense_vector(text, seed))).decode()


def sparse_vector(text: str) -> SparseVector:
    """Word counts at hashed indices."""
    counts = Counter(re.findall(r"\w+", text.lower()))
    weights = {
        int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big"): float(count)
        for word, count in counts.items()
    }
    indices = sorted(weights)
    return SparseVector(indices=indices, values=[weights[index] for index in indices])


class HashEmbedder:
    """Fulfils ingestion's port `Embedder`; `seed` makes another embedder of the same name."""

    def __init__(self, model: str = "hash", seed: str = "") -> None:
        self.model = model
        self.seed = seed
        self.texts: list[str] = []  # every text embedded so far

    def manifest(self) -> EmbedderManifest:
        """What `/manifest` answers."""
        tokenizer_json = word_tokenizer().to_str().encode()
        fingerprint = EmbedderFingerprint(
            model=self.model,
            weights_sha256=hashlib.sha256(self.model.encode()).hexdigest(),
            tokenizer_sha256=hashlib.sha256(tokenizer_json).hexdigest(),
            pooling="hash",
            normalised=True,
            max_tokens=MAX_TOKENS,
            dimensions=DIMENSIONS,
            probe_vectors=[dense_vector(text, self.seed) for text in PROBE_TEXTS],
        )
        return EmbedderManifest(
            fingerprint=fingerprint, sparse="counts", precision="float32", backend="hash 1"
        )

    def current(self) -> EmbedderManifest:
        """The same, asked again."""
        return self.manifest()

    def tokenizer(self) -> Tokenizer:
        """What `/v1/tokenizer` answers, ready to use."""
        return word_tokenizer()

    def embed(self, dense: Sequence[str], sparse: Sequence[str]) -> list[SimpleNamespace]:
        """One pair of vectors per text."""
        self.texts.extend(dense)
        return [
            SimpleNamespace(dense=dense_vector(text, self.seed), sparse=sparse_vector(other))
            for text, other in zip(dense, sparse, strict=True)
        ]


class Handler(BaseHTTPRequestHandler):
    """The HTTP contract of the embedder, without keys."""

    protocol_version = "HTTP/1.1"
    embedder = HashEmbedder()

    def do_GET(self) -> None:
        """Manifest, tokenizer and health."""
        if self.path == "/manifest":
            self._reply(self.embedder.manifest().model_dump_json().encode())
        elif self.path == "/v1/tokenizer":
            self._reply(word_tokenizer().to_str().encode())
        elif self.path == "/v1/models":
            self._reply(json.dumps({"data": [{"id": self.embedder.model}]}).encode())
        elif self.path.startswith("/health"):
            self._reply(b'{"status": "ready"}')
        else:
            self._reply(b'{"detail": "not found"}', 404)

    def do_POST(self) -> None:
        """Dense and sparse vectors; a text over MAX_TOKENS is refused."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if self.path == "/v1/sparse":
            data = [sparse_vector(text).model_dump() for text in texts]
            return self._reply(json.dumps({"data": data}).encode())
        tokenizer = word_tokenizer()
        for index, text in enumerate(texts):
            tokens = len(tokenizer.encode(text).ids)
            if tokens > MAX_TOKENS:
                problem = {"index": index, "tokens": tokens, "limit": MAX_TOKENS}
                return self._reply(json.dumps(problem).encode(), 413)
        data = []
        for index, text in enumerate(texts):
            as_numbers = body.get("encoding_format") != "base64"
            encode = dense_vector if as_numbers else as_base64
            vector = encode(text, self.embedder.seed)
            data.append({"object": "embedding", "index": index, "embedding": vector})
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        reply = {"object": "list", "data": data, "model": self.embedder.model, "usage": usage}
        return self._reply(json.dumps(reply).encode())

    def _reply(self, content: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    port = arguments.parse_args().port
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
