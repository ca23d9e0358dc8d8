"""`serving diff` names each change of a chat model, on manifests of real files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.fakes.engine import FakeEngine
from tests.unit.serving.test_middleware import manifest_of, vllm_is_installed

from contracts.endpoints import LlmManifest
from serving.compare import differences
from serving.middleware import ManifestMiddleware

__all__ = ["vllm_is_installed"]  # a fixture that each test here uses

Change = Callable[[FakeEngine, Path], object]
TOKENIZER_CONFIG = {"chat_template": "{{ messages }}", "model_max_length": 4096}


def rewrite(file: Path, **fields: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


@pytest.fixture
def chat_model(tmp_path: Path) -> Path:
    folder = tmp_path / "before"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "generation_config.json").write_text("{}")
    (folder / "model.safetensors").write_text("weights")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENIZER_CONFIG))
    return folder


async def chat_manifest(folder: Path, change: Change | None = None) -> LlmManifest:
    """What a launch of the model in `folder` says of itself, after `change`."""
    engine = FakeEngine(str(folder), ManifestMiddleware, ["k"])
    if change:
        change(engine, folder)
    transport = httpx.ASGITransport(app=engine.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://llm") as client:
        return await manifest_of(client)


def other_weights(engine: FakeEngine, folder: Path) -> None:
    (folder / "model.safetensors").write_text("weightS")
    engine.weights = -3.0


def other_template_file(engine: FakeEngine, folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages[0] }}")
    engine.template = "<human>"


def other_template_in_the_configuration(engine: FakeEngine, folder: Path) -> None:
    rewrite(folder / "tokenizer_config.json", chat_template="{{ messages[0] }}")
    engine.template = "<human>"


def other_tokenizer(engine: FakeEngine, folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"pre_tokenizer": null}')
    engine.template = "<user> "


def other_setting(name: str, value: object) -> Change:
    return lambda engine, folder: setattr(engine.app.state.vllm_config.model_config, name, value)


def other_sampling(engine: FakeEngine, folder: Path) -> None:
    rewrite(folder / "generation_config.json", temperature=0.7)
    other_setting("get_diff_sampling_param", lambda: {"temperature": 0.7})(engine, folder)


def other_flag(engine: FakeEngine, folder: Path) -> None:
    engine.app.state.args.max_num_seqs = 16


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (other_weights, ["files: weights ", "weights answer differently"]),
        (other_template_file, ["files: chat template ", "(chat template or tokenizer)"]),
        (other_template_in_the_configuration, ["files: chat template ", "(chat template or"]),
        (other_tokenizer, ["files: tokenizer ", "(chat template or tokenizer)"]),
        (other_setting("dtype", "torch.float32"), ["Dtype: bfloat16 -> float32."]),
        (other_setting("quantization", "fp8"), ["Quantization: none -> fp8."]),
        (other_setting("max_model_len", 512), ["Max model len: 4096 -> 512."]),
        (other_sampling, ["files: sampling defaults ", "temperature 0.2 -> 0.7."]),
        (other_flag, ["The launch flags: max_num_seqs not set -> 16."]),
    ],
)
async def test_each_change_of_a_chat_model_is_named_and_nothing_else_is(
    chat_model: Path, change: Change, named: list[str]
) -> None:
    before = await chat_manifest(chat_model)
    again = await chat_manifest(chat_model)
    copy = shutil.copytree(chat_model, chat_model.parent / "after")
    said = sorted(differences(before, await chat_manifest(copy, change)))
    assert differences(before, again) == []
    assert len(said) == len(named), said
    for words in named:
        assert any(words in sentence for sentence in said), (words, said)


async def test_a_manifest_from_before_parts_is_compared_by_all_its_files(chat_model: Path) -> None:
    before = (await chat_manifest(chat_model)).model_copy(update={"parts": {}})
    assert differences(before, await chat_manifest(chat_model)) == []
    after = await chat_manifest(chat_model, other_weights)
    assert "(weights, tokenizer or configuration)" in differences(before, after)[0]
