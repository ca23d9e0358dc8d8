"""`serving diff` names each change of an embedder, on manifests of a small real model."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import BertConfig, BertModel

from contracts.endpoints import PROBE_TEXTS, EmbedderManifest
from serving.compare import differences
from serving.embedder import open_embedder
from serving.settings import Settings


def rewrite(file: Path, **fields: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


@pytest.fixture
def embedder_model(tmp_path: Path) -> Path:
    """A real sentence-transformers folder of a few thousand weights."""
    folder = tmp_path / "mine"
    torch.manual_seed(1)
    words = {word for text in PROBE_TEXTS for word in text.split()}
    vocabulary = {"[UNK]": 0} | {word: n for n, word in enumerate(sorted(words), start=1)}
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "pad_token": "[UNK]"}'
    )
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    (folder / "config_sentence_transformers.json").write_text('{"prompts": {}}')
    modules = [("0", "", "Transformer"), ("1", "1_Pooling", "Pooling"), ("2", "2", "Normalize")]
    (folder / "modules.json").write_text(
        json.dumps(
            [
                {"idx": int(n), "name": n, "path": p, "type": f"sentence_transformers.models.{t}"}
                for n, p, t in modules
            ]
        )
    )
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "2").mkdir()
    return folder


async def embedder_manifest(folder: Path, **settings: object) -> EmbedderManifest:
    values = {"embed_model": str(folder), "embed_precision": "float32"} | settings
    async with open_embedder(Settings.model_validate(values)) as embedder:
        return embedder.manifest


def other_embedder_weights(folder: Path) -> None:
    model = BertModel.from_pretrained(folder)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.mul_(-1)
    model.save_pretrained(folder)


def other_embedder_tokenizer(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {"type": "Lowercase"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def prompts(**told: str) -> Callable[[Path], None]:
    return lambda folder: rewrite(folder / "config_sentence_transformers.json", prompts=told)


def cls_pooling(folder: Path) -> None:
    rewrite(
        folder / "1_Pooling" / "config.json",
        pooling_mode_mean_tokens=False,
        pooling_mode_cls_token=True,
    )


def shorter(folder: Path) -> None:
    rewrite(folder / "sentence_bert_config.json", max_seq_length=128)


def not_normalised(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps(modules[:2]))


@pytest.mark.parametrize(
    ("change", "settings", "named"),
    [
        (other_embedder_weights, {}, "The weights: "),
        (other_embedder_tokenizer, {}, "The tokenizer: "),
        (None, {"embed_precision": "bfloat16"}, "Precision: float32 -> bfloat16."),
        (shorter, {}, "Max tokens: 256 -> 128."),
        (prompts(query="query: "), {}, 'Query prefix: "" -> "query: ".'),
        (prompts(passage="passage: "), {}, 'Document prefix: "" -> "passage: ".'),
        (cls_pooling, {}, "Pooling: mean -> cls."),
        (not_normalised, {}, "Normalised: True -> False."),
    ],
)
async def test_each_change_of_an_embedder_is_named(
    embedder_model: Path,
    change: Callable[[Path], None] | None,
    settings: dict[str, object],
    named: str,
) -> None:
    before = await embedder_manifest(embedder_model)
    assert differences(before, await embedder_manifest(embedder_model)) == []
    if change:
        change(embedder_model)
    said = differences(before, await embedder_manifest(embedder_model, **settings))
    assert any(sentence.startswith(named) for sentence in said), said
