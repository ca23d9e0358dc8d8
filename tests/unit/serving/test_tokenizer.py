"""The tokenizer counts every token, and refuses what the embedder would cut."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from serving.errors import InputTooLongError
from serving.tokenizer import ModelTokenizer, declared_max_tokens


def test_lengths_are_whole_though_the_file_declares_a_truncation(
    tokenizer_json: Path,
) -> None:
    assert len(Tokenizer.from_file(str(tokenizer_json)).encode("word " * 6)) == 4
    assert ModelTokenizer(tokenizer_json, 6).lengths(["word " * 6, "word"]) == [6, 1]


def test_what_is_served_neither_cuts_nor_pads(tokenizer: ModelTokenizer) -> None:
    served = json.loads(tokenizer.content)
    assert served["truncation"] is None
    assert served["padding"] is None


def test_the_longest_input_is_taken_and_one_token_more_is_refused_with_its_size(
    tokenizer: ModelTokenizer,
) -> None:
    assert tokenizer.lengths(["word " * 6]) == [6]
    with pytest.raises(InputTooLongError) as refused:
        tokenizer.lengths(["word", "word " * 7])
    assert (refused.value.index, refused.value.tokens, refused.value.limit) == (1, 7, 6)


def test_the_limit_is_the_sentence_models_own_before_the_transformers(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 512}')
    assert declared_max_tokens(tmp_path) == 512
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    assert declared_max_tokens(tmp_path) == 256
