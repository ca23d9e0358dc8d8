"""`serving diff`: the same model gives no word, and each change one sentence that names it."""

from pathlib import Path

import pytest
from tests.fakes.openai_server import running

from contracts.endpoints import EmbedderFingerprint, EmbedderManifest, LlmManifest
from serving.compare import differences, read_manifest
from serving.errors import ModelError

LLM = LlmManifest(
    model="m",
    files_sha256="f",
    template_sha256="t",
    engine="vllm 0.32.0",
    dtype="bfloat16",
    max_model_len=4096,
    quantization="none",
    sampling_defaults={"temperature": 1.0, "top_p": 1.0},
    logprobs=[-1.0, -2.0],
)
EMBEDDER = EmbedderManifest(
    fingerprint=EmbedderFingerprint(
        model="e",
        weights_sha256="w",
        tokenizer_sha256="t",
        pooling="mean",
        normalised=True,
        max_tokens=256,
        dimensions=2,
        probe_vectors=[[1.0, 0.0]],
    ),
    sparse="bm25:k=1.2",
    precision="bfloat16",
    backend="sentence-transformers 6.2.0",
)


def test_the_same_model_within_tolerance_differs_in_nothing() -> None:
    assert differences(LLM, LLM.model_copy(update={"logprobs": [-1.1, -2.0]})) == []
    assert differences(EMBEDDER, EMBEDDER) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"files_sha256": "g"}, "The model's files"),
        ({"template_sha256": "u"}, "The tokens of the fixed messages (chat template"),
        ({"engine": "vllm 0.33.0"}, "Engine: vllm 0.32.0 -> vllm 0.33.0."),
        ({"max_model_len": 512}, "Max model len: 4096 -> 512."),
        ({"sampling_defaults": {"temperature": 0.2, "top_p": 1.0}}, "temperature 1.0 -> 0.2."),
        ({"dtype": "float32"}, "Dtype: bfloat16 -> float32."),
        ({"flags": {"seed": "3"}}, "The launch flags: seed not set -> 3."),
        ({"observed": {"model": "m-2"}}, "says of itself and replies to fixed prompts: model not"),
        ({"logprobs": [-1.0, -4.0]}, "differ by up to 2.00"),
        ({"logprobs": [-1.0]}, "other tokens: 2 -> 1"),
    ],
)
def test_each_change_of_a_chat_model_is_one_sentence(
    change: dict[str, object], sentence: str
) -> None:
    (said,) = differences(LLM, LLM.model_copy(update=change))
    assert sentence in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weights_sha256": "x"}, "The weights: w -> x."),
        ({"max_tokens": 128}, "Max tokens: 256 -> 128."),
        ({"probe_vectors": [[0.0, 1.0]]}, "other vectors: cosine 0.0000"),
    ],
)
def test_each_change_of_an_embedder_is_one_sentence(
    change: dict[str, object], sentence: str
) -> None:
    fingerprint = EMBEDDER.fingerprint.model_copy(update=change)
    (said,) = differences(EMBEDDER, EMBEDDER.model_copy(update={"fingerprint": fingerprint}))
    assert sentence in said


def test_unknown_never_equals_anything_not_even_itself() -> None:
    hosted = LLM.model_copy(update={"files_sha256": "unknown"})
    assert "cannot be compared" in differences(hosted, hosted)[0]
    nameless = LLM.model_copy(update={"observed": {"system fingerprint": "unknown", "model": "m"}})
    (said,) = differences(nameless, nameless)
    assert "system fingerprint unknown -> unknown" in said


def test_two_kinds_are_not_compared() -> None:
    assert "two kinds" in differences(LLM, EMBEDDER)[0]


def test_manifests_are_read_back_as_their_kind(tmp_path: Path) -> None:
    for manifest in (LLM, EMBEDDER):
        file = tmp_path / f"{manifest.kind}.json"
        file.write_text(manifest.model_dump_json())
        assert read_manifest(str(file), None) == manifest


def test_what_is_no_manifest_is_said(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(ModelError, match="no manifest of this version"):
        read_manifest(str(tmp_path / "other.json"), None)
    with pytest.raises(ModelError, match="No manifest could be read"):
        read_manifest(str(tmp_path / "none.json"), None)


@pytest.mark.parametrize(
    ("key", "path", "words"),
    [
        ("wrong", "", r"401\): pass its key by --key or SERVING_DIFF_KEY"),
        ("k", "", r"404\): it serves no manifest, so run `serving observe`"),
        ("k", "/v1/", r"404\): it serves no manifest"),
    ],
)
def test_a_server_without_a_manifest_says_what_to_do(key: str, path: str, words: str) -> None:
    with running(key="k") as server, pytest.raises(ModelError, match=words):
        read_manifest(server.url + path, key)


def test_a_server_that_is_not_there_is_one_sentence_without_credentials() -> None:
    with running() as server:
        gone = server.url.replace("//", "//user:s3cret@")
    with pytest.raises(ModelError, match=r"does not answer \(ConnectError\)") as raised:
        read_manifest(gone, None)
    assert "s3cret" not in str(raised.value)
