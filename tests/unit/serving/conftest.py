"""A tokenizer of words, and a catalogue, small enough to be made for each test."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from serving.tokenizer import ModelTokenizer


@pytest.fixture
def tokenizer_json(tmp_path: Path) -> Path:
    """Counts words; like the real one's file, it declares a truncation and a padding."""
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "word": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture
def tokenizer(tokenizer_json: Path) -> ModelTokenizer:
    return ModelTokenizer(tokenizer_json, max_tokens=6)
