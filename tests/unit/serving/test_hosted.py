"""A hosted model's manifest: what is seen, what its owner declares, and "unknown" for the rest."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.openai_server import MODEL, Running, running

from serving.compare import differences
from serving.errors import ModelError, UpstreamRefusedError, UpstreamUnavailableError
from serving.hosted import PROMPTS, observe_hosted, read_declared


@pytest.fixture
def server() -> Iterator[Running]:
    with running(key="k") as server:
        yield server


async def test_what_cannot_be_seen_reads_unknown(server: Running) -> None:
    manifest = await observe_hosted(server.url, MODEL, "k")
    assert manifest.declared
    for name in ("files_sha256", "template_sha256", "engine", "dtype", "max_model_len"):
        assert getattr(manifest, name) == "unknown"
    assert set(manifest.sampling_defaults.values()) == {"unknown"}
    assert manifest.observed["model"] == MODEL
    assert manifest.observed["system fingerprint"] == "unknown"
    assert manifest.logprobs == []


async def test_fixed_prompts_are_asked_at_temperature_0(server: Running) -> None:
    await observe_hosted(f"{server.url}/v1", MODEL, "k")
    chats = [r["body"] for r in server.script.requests if r["path"] == "/v1/chat/completions"]
    assert [chat["messages"][0]["content"] for chat in chats] == list(PROMPTS)
    assert {chat["temperature"] for chat in chats} == {0}


async def test_the_same_model_again_is_the_same_and_another_reply_is_seen(server: Running) -> None:
    first = await observe_hosted(server.url, MODEL, "k")
    assert await observe_hosted(server.url, MODEL, "k") == first
    server.script.replies = ["42", "QX-7314-ZB", "Tür"]
    other = await observe_hosted(server.url, MODEL, "k")
    assert other.digest != first.digest
    (said,) = [s for s in differences(first, other) if "replies to fixed prompts" in s]
    assert "reply 3" in said


async def test_the_owners_words_fill_what_cannot_be_seen(server: Running, tmp_path: Path) -> None:
    (tmp_path / "owner.yaml").write_text("dtype: fp8\nmax_model_len: 8192\nmodel: ours\n")
    declared = read_declared(tmp_path / "owner.yaml")
    manifest = await observe_hosted(server.url, MODEL, "k", declared)
    assert (manifest.dtype, manifest.max_model_len) == ("fp8", 8192)
    assert manifest.model == MODEL  # what is asked for, not what is said
    assert manifest.engine == "unknown"


@pytest.mark.parametrize("text", ["- dtype", "dtype: [", ""])
def test_a_declaration_that_is_none_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "owner.yaml").write_text(text)
    with pytest.raises(ModelError, match=r"owner\.yaml"):
        read_declared(tmp_path / "owner.yaml")


async def test_a_declared_field_that_no_manifest_has_is_named(server: Running) -> None:
    with pytest.raises(ModelError, match="colour"):
        await observe_hosted(server.url, MODEL, "k", {"colour": "blue"})


async def test_a_base_url_with_a_path_is_used_as_given_and_its_credentials_are_not_shown() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(401)

    url = "https://bob:s3cret@m.example/v1beta/openai"
    with pytest.raises(UpstreamRefusedError, match=r"https://m\.example/v1beta/openai") as raised:
        await observe_hosted(url, "m", transport=httpx.MockTransport(handler))
    assert asked == ["https://m.example/v1beta/openai/chat/completions"]
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("401", UpstreamRefusedError, r"refused the request \(401\)"),
        ("429", UpstreamUnavailableError, "try again later"),
        ("500", UpstreamUnavailableError, "try again later"),
        ("reset", UpstreamUnavailableError, "No answer"),
        ("garbage", UpstreamRefusedError, "does not answer as an OpenAI-compatible"),
        ("utf8", UpstreamRefusedError, "does not answer as an OpenAI-compatible"),
        ("empty", UpstreamRefusedError, "does not answer as an OpenAI-compatible"),
    ],
)
async def test_each_fault_is_an_error_that_says_what_to_do(
    server: Running, fault: str, error: type[Exception], words: str
) -> None:
    server.script.faults = [fault]
    with pytest.raises(error, match=words):
        await observe_hosted(server.url, MODEL, "k")


def hosted(refuses_logprobs: bool = False) -> httpx.MockTransport:
    """A vLLM that somebody else runs."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": "m", "max_model_len": 512}]})
        if request.url.path == "/tokenize":
            return httpx.Response(200, json={"tokens": [1, 2]})
        if refuses_logprobs and b"logprobs" in request.content:
            return httpx.Response(400)
        choice: dict[str, Any] = {"message": {"content": "42"}}
        if b"logprobs" in request.content:
            choice["logprobs"] = {"content": [{"token": "42", "logprob": -0.25}]}
        reply = {"model": "m-0613", "system_fingerprint": "fp_1", "choices": [choice]}
        return httpx.Response(200, json=reply)

    return httpx.MockTransport(answer)


async def test_what_a_server_tells_of_itself_is_observed() -> None:
    manifest = await observe_hosted("http://model.example", "m", transport=hosted())
    assert manifest.max_model_len == 512
    assert len(manifest.template_sha256) == 64
    assert manifest.observed["model"] == "m-0613"
    assert manifest.observed["system fingerprint"] == "fp_1"
    assert manifest.logprobs == [-0.25] * len(PROMPTS)


async def test_what_is_seen_wins_over_what_is_declared() -> None:
    declared = {"max_model_len": 8192}
    manifest = await observe_hosted("http://model.example", "m", None, declared, hosted())
    assert manifest.max_model_len == 512


async def test_a_server_that_refuses_logprobs_is_asked_without() -> None:
    manifest = await observe_hosted("http://model.example", "m", transport=hosted(True))
    assert manifest.logprobs == []
    assert manifest.observed["reply 1"] != "unknown"


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, UpstreamRefusedError, r"--key-env.*It says: no such key"),
        (403, UpstreamRefusedError, r"--key-env"),
        (404, UpstreamRefusedError, "check the URL and --model"),
        (429, UpstreamUnavailableError, "answered 429: try again later"),
        (503, UpstreamUnavailableError, "answered 503: try again later"),
    ],
)
async def test_a_refusal_names_what_to_mend_and_the_servers_reason(
    server: Running, status: int, error: type[Exception], words: str
) -> None:
    server.script.refusals = [(status, {"error": {"message": "no such key: k-1234"}}, {})]
    with pytest.raises(error, match=words) as raised:
        await observe_hosted(server.url, MODEL, "k-1234")
    assert "k-1234" not in str(raised.value)


async def test_a_model_that_takes_neither_max_tokens_nor_a_temperature_is_observed() -> None:
    asked: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.read() or b"{}")
        asked.append(body)
        if "max_tokens" in body or not request.url.path.endswith("completions"):
            return httpx.Response(400, json={"error": {"message": "unsupported: max_tokens"}})
        # all of its tokens went into thoughts
        choice = {"message": {"content": None}, "finish_reason": "length"}
        return httpx.Response(200, json={"model": "r", "choices": [choice]})

    transport = httpx.MockTransport(handler)
    manifest = await observe_hosted("https://m.example", "r", transport=transport)
    assert manifest.observed["model"] == "r"
    assert any("max_completion_tokens" in body and "temperature" not in body for body in asked)
