"""Conversion from GGUF: what transformers loses of SmolLM2's tokenizer is put back."""

import json
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from serving.convert import restore_digit_splitting, restore_normalisation


def test_white_space_before_a_number_is_split_as_the_model_was_trained(tmp_path: Path) -> None:
    alphabet = {token: number for number, token in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE({**alphabet, "ĠĠ": len(alphabet)}, [("Ġ", "Ġ")]))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    file = tmp_path / "tokenizer.json"
    tokenizer.save(str(file))
    assert tokenizer.encode("|  42").tokens == ["|", "Ġ", "Ġ", "4", "2"]
    restore_digit_splitting(file)
    assert Tokenizer.from_file(str(file)).encode("|  42").tokens == ["|", "ĠĠ", "4", "2"]
    assert json.loads(file.read_text())["pre_tokenizer"]["type"] == "Sequence"


def test_a_letter_and_its_accent_are_one_character_again(tmp_path: Path) -> None:
    tokenizer = Tokenizer(BPE({"u": 0}, []))
    file = tmp_path / "tokenizer.json"
    tokenizer.save(str(file))
    restore_normalisation(file)
    normalizer = Tokenizer.from_file(str(file)).normalizer
    assert normalizer.normalize_str("Zu\u0308rich") == "Z\u00fcrich"
