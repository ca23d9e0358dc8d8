"""The real chat model of a running stack: it answers, streams, and says what it is.

RESTARTS=10 restarts it ten times, to hold its manifest against itself.
"""

import json
import os
import shutil
import subprocess
from array import array
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.conftest import DEMO, ROOT, Stack

from contracts.endpoints import LlmManifest

pytestmark = pytest.mark.integration

MESSAGES = [
    {"role": "system", "content": "Answer briefly from the passage."},
    {"role": "user", "content": "Passage: The code of gate 7 is 4821.\n\nWhat is its code?"},
]


@pytest.fixture
def llm(stack: Stack) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {stack.llm_api_key}"}
    with httpx.Client(base_url=stack.llm_url, headers=headers, timeout=120) as client:
        yield client


@pytest.fixture
def restarted(stack: Stack) -> Iterator["Restart"]:
    restart = Restart(stack)
    yield restart
    if restart.changed:
        restart(unset=restart.changed)


class Restart:
    """Restarts the model with other variables, which the fixture takes back."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.changed: list[str] = []

    def __call__(self, *, unset: list[str] | None = None, **put: str) -> None:
        self.changed = list(put)
        words = [w for name, value in put.items() for w in ("--set", f"{name}={value}")]
        words += [w for name in unset or [] for w in ("--unset", name)]
        command = [str(DEMO), "restart", "llm", *words]
        subprocess.run(command, env=self.stack.env, cwd=ROOT, check=True, timeout=500)


@pytest.fixture
def model(llm: httpx.Client) -> str:
    return str(llm.get("/v1/models").json()["data"][0]["id"])


def test_it_answers_from_the_passage_and_the_stream_says_the_same(
    llm: httpx.Client, model: str
) -> None:
    body = {"model": model, "messages": MESSAGES, "max_tokens": 32, "temperature": 0}
    whole = llm.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
    assert "4821" in whole
    streamed = ""
    with llm.stream("POST", "/v1/chat/completions", json=body | {"stream": True}) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line.removeprefix("data: "))["choices"]
                streamed += choices[0]["delta"].get("content") or "" if choices else ""
    assert streamed == whole


def test_smollm2s_own_chat_template_and_digits_survive_the_conversion(
    llm: httpx.Client, model: str
) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "|  42"}]}
    reply = llm.post("/tokenize", json=body | {"return_token_strs": True}).json()
    text = "".join(reply["token_strs"]).replace("Ġ", " ").replace("Ċ", "\n")
    assert text == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
        "<|im_end|>\n<|im_start|>user\n|  42<|im_end|>\n<|im_start|>assistant\n"
    )
    assert {"ĠĠ", "4", "2"} <= set(reply["token_strs"])


def test_the_manifest_has_every_hash_and_repeats_itself(llm: httpx.Client, model: str) -> None:
    manifest = LlmManifest.model_validate(llm.get("/manifest").json())
    assert manifest.model == model
    assert len(manifest.files_sha256) == len(manifest.template_sha256) == 64
    assert manifest.engine.startswith("vllm")
    assert len(manifest.logprobs) >= 40
    assert all(value <= 0 for value in manifest.logprobs)
    assert LlmManifest.model_validate(llm.get("/manifest").json()).digest == manifest.digest


@pytest.mark.parametrize("path", ["/v1/completions", "/ping", "/invocations", "/docs", "/load"])
def test_vllms_other_routes_are_not_there(llm: httpx.Client, path: str) -> None:
    assert llm.get(path).status_code == 404
    assert llm.post(path, json={}).status_code == 404


def test_without_the_key_only_health_answers(stack: Stack) -> None:
    for path in ("/manifest", "/metrics", "/v1/models", "/version"):
        assert httpx.get(f"{stack.llm_url}{path}").status_code == 401
    assert httpx.post(f"{stack.llm_url}/tokenize", json={"prompt": "a"}).status_code == 401
    assert httpx.get(f"{stack.llm_url}/health").status_code == 200


def test_a_prompt_longer_than_the_context_is_refused_not_cut(llm: httpx.Client, model: str) -> None:
    messages = [{"role": "user", "content": "pump " * 5000}]
    reply = llm.post("/v1/chat/completions", json={"model": model, "messages": messages})
    assert reply.status_code == 400
    assert "4096" in reply.text


def differences(stack: Stack, before: Path, after: Path) -> list[str]:
    said = stack.run("serving", "serving", "diff", "--json", str(before), str(after)).stdout
    return list(json.loads(said))


def recorded(llm: httpx.Client, file: Path) -> Path:
    file.write_bytes(llm.get("/manifest").raise_for_status().content)
    return file


def test_the_same_launch_gives_the_same_manifest(
    stack: Stack, llm: httpx.Client, restarted: Restart, tmp_path: Path
) -> None:
    first = recorded(llm, tmp_path / "first.json")
    for _ in range(int(os.environ.get("RESTARTS", "1"))):
        restarted()
        again = recorded(llm, tmp_path / "again.json")
        assert differences(stack, first, again) == []
        digests = [LlmManifest.model_validate_json(p.read_text()).digest for p in (first, again)]
        assert digests[0] == digests[1]


def test_other_launch_flags_are_each_named(
    stack: Stack, llm: httpx.Client, restarted: Restart, tmp_path: Path
) -> None:
    before = recorded(llm, tmp_path / "before.json")
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}### {{ m.role }}: {{ m.content }}\n{% endfor %}")
    dtype = LlmManifest.model_validate_json(before.read_text()).dtype
    is_wide = dtype == "float32"  # this processor's default: another would take minutes a reply
    flags = [
        *(() if is_wide else ("--dtype", "float32")),
        *("--max-model-len", "512", "--chat-template", str(template)),
        *("--override-generation-config", '\'{"temperature": 0.2, "eos_token_id": 198}\''),
    ]
    restarted(SERVING_LLM_FLAGS=" ".join(flags))
    said = " ".join(differences(stack, before, recorded(llm, tmp_path / "after.json")))
    for words in (
        *(() if is_wide else (f"Dtype: {dtype} -> float32.",)),
        "Max model len: 4096 -> 512.",
        "chat template or tokenizer): ",
        "Sampling defaults: temperature 1.0 -> 0.2.",
        "chat_template not set -> sha256 ",
        'override_generation_config not set -> {"eos_token_id": 198, "temperature": 0.2}',
    ):
        assert words in said
    assert str(tmp_path) not in said


def test_another_tokenizer_file_and_perturbed_weights_are_each_named(
    stack: Stack, llm: httpx.Client, restarted: Restart, tmp_path: Path, model: str
) -> None:
    before = recorded(llm, tmp_path / "before.json")
    copy = tmp_path / model
    source = Path(stack.env["MODELS_DIR"]) / model
    shutil.copytree(source, copy)
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    tokenizer["pre_tokenizer"] = None
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    restarted(SERVING_LLM_FLAGS=f"--tokenizer {copy}")
    said = differences(stack, before, recorded(llm, tmp_path / "tokenizer.json"))
    assert any("(chat template or tokenizer)" in sentence for sentence in said)
    assert any("tokenizer not set -> sha256 " in sentence for sentence in said)
    shutil.copy(source / "tokenizer.json", copy)
    perturb(next(copy.glob("*.safetensors")))
    restarted(SERVING_LLM_FLAGS="", SERVING_LLM_MODEL=str(copy))
    said = differences(stack, before, recorded(llm, tmp_path / "weights.json"))
    assert any("The model's files" in sentence for sentence in said)
    assert any("The running weights answer differently" in sentence for sentence in said)


def perturb(weights: Path) -> None:
    """Reverse the order of some weights: as many bytes as before, and no value that is none."""
    content = bytearray(weights.read_bytes())
    middle = len(content) // 4 * 2
    numbers = array("H", content[middle : middle + 4_000_000])
    numbers.reverse()
    content[middle : middle + 4_000_000] = numbers.tobytes()
    weights.write_bytes(content)
