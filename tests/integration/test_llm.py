"""The real chat model of a running stack: it answers, streams, and says what it is."""

import json
from collections.abc import Iterator

import httpx
import pytest
from tests.conftest import Stack

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
