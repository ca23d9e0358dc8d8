"""Unpacks a GGUF file to the safetensors that vLLM loads; runs in the llm environment only."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from serving.errors import FetchError


def gguf_to_safetensors(gguf: Path, target: Path) -> None:
    """Write model (bfloat16), tokenizer and chat template of `gguf` to the folder `target`.

    Raises FetchError where this environment lacks the libraries.
    """
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    if not sys.stderr.isatty():
        quiet |= {"TQDM_DISABLE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    os.environ |= quiet | dict(os.environ)  # read as the libraries are imported
    try:
        import torch
        from gguf import (  # type: ignore[import-not-found,unused-ignore] # in the llm environment
            GGUFReader,
        )
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise FetchError(
            f"Converting {gguf.name} needs {error.name}: run this command in the llm environment "
            "(pip install 'faultline-serving[llm]')."
        ) from error
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        dtype=torch.bfloat16,
        **_dequantized(),
    )
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    for file in target.iterdir():
        file.chmod(0o644)  # transformers leaves the weights readable by their owner alone
    pre_tokenizer = GGUFReader(gguf).fields["tokenizer.ggml.pre"].contents()
    if pre_tokenizer == "smollm":
        restore_digit_splitting(target / "tokenizer.json")
    if pre_tokenizer == "qwen2":
        restore_normalisation(target / "tokenizer.json")


def _dequantized() -> dict[str, Any]:
    """transformers 5 keeps GGUF's weights packed unless it is told otherwise; 4 never did."""
    try:
        from transformers import GgufConfig
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}


def restore_digit_splitting(tokenizer_json: Path) -> None:
    """Split digits before byte-level BPE, as SmolLM2's own tokenizer.json does.

    transformers reads GGUF's "smollm" pre-tokenizer as plain byte-level; then white space before
    a number, as in a table, gives other tokens than those the model was trained on.
    """
    tokenizer = json.loads(tokenizer_json.read_text())
    digits = {"type": "Digits", "individual_digits": True}
    byte_level = tokenizer["pre_tokenizer"]
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [digits, byte_level]}
    tokenizer_json.write_text(json.dumps(tokenizer, ensure_ascii=False))


def restore_normalisation(tokenizer_json: Path) -> None:
    """Compose characters (NFC) before they are split, as Qwen2's own tokenizer.json does.

    A GGUF file does not say so; then a letter and its accent, written apart, give other tokens.
    """
    tokenizer = json.loads(tokenizer_json.read_text())
    tokenizer["normalizer"] = {"type": "NFC"}
    tokenizer_json.write_text(json.dumps(tokenizer, ensure_ascii=False))
