"""The embedder's tokenizer as consumers get it: it counts tokens, and never cuts."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from serving.errors import InputTooLongError


class ModelTokenizer:
    """A model's tokenizer.json without the truncation and padding that the file may declare."""

    def __init__(self, file: Path, max_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.max_tokens = max_tokens  # special tokens included
        self.content = self._tokenizer.to_str().encode()
        self.sha256 = hashlib.sha256(self.content).hexdigest()

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included. Raises InputTooLongError."""
        lengths = [len(encoding) for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        for index, tokens in enumerate(lengths):
            if tokens > self.max_tokens:
                raise InputTooLongError(index, tokens, self.max_tokens)
        return lengths

    def longest(self, *prefixes: str) -> int:
        """Tokens of the longest prefix; 0 where all are empty."""
        special = len(self._tokenizer.encode(""))
        return max(len(self._tokenizer.encode(prefix)) - special for prefix in prefixes)


def declared_max_tokens(folder: Path) -> int:
    """Tokens that the sentence-transformers model in `folder` reads, by its own files."""
    model = json.loads((folder / "config.json").read_text())
    sentence = folder / "sentence_bert_config.json"
    declared = json.loads(sentence.read_text()) if sentence.is_file() else {}
    return int(declared.get("max_seq_length") or model["max_position_embeddings"])
