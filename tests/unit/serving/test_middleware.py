"""Inside vLLM's process: a list of allowed routes, the key on all but health, and the manifest."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from tests.fakes.engine import FakeEngine

from contracts.endpoints import LlmManifest
from serving import engine_manifest, middleware
from serving.compare import differences
from serving.engine_manifest import LOGPROB_PROMPTS, launch_flags
from serving.middleware import ManifestMiddleware

KEY = {"Authorization": "Bearer k"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("weights")
    return tmp_path


@pytest.fixture(autouse=True)
def vllm_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_manifest, "version", lambda distribution: "0.32.0")
    monkeypatch.setattr(engine_manifest, "_non_default", lambda args: dict(vars(args)))


@pytest.fixture
def engine(model: Path) -> FakeEngine:
    return FakeEngine(str(model), ManifestMiddleware, api_key=["k"])


@pytest.fixture
async def client(engine: FakeEngine) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=engine.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://llm") as client:
        yield client


async def manifest_of(client: httpx.AsyncClient) -> LlmManifest:
    return LlmManifest.model_validate((await client.get("/manifest", headers=KEY)).json())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ping"),
        ("POST", "/v1/completions"),
        ("GET", "/v1/chat/completions"),
        ("GET", "/tokenize"),
        ("GET", "/docs"),
        ("GET", "//health"),
        ("POST", "/v1/chat/completions/"),
    ],
)
async def test_a_route_or_method_that_is_not_listed_is_not_found_even_with_the_key(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, path, headers=KEY)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("POST", "/tokenize"),
        ("GET", "/v1/models"),
        ("GET", "/metrics"),
        ("GET", "/version"),
        ("GET", "/manifest"),
    ],
)
async def test_every_listed_route_but_health_needs_the_key(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    body = {"messages": []}
    wrong = {"Authorization": "Bearer wrong"}
    assert (await client.request(method, path, json=body)).status_code == 401
    assert (await client.request(method, path, json=body, headers=wrong)).status_code == 401
    assert (await client.request(method, path, json=body, headers=KEY)).status_code == 200
    assert (await client.get("/health")).status_code == 200


async def test_without_a_key_set_nobody_needs_one_but_no_web_page_may_ask(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    transport = httpx.ASGITransport(app=FakeEngine(str(model), ManifestMiddleware).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get("/v1/models")).status_code == 200
        for headers in ({"Origin": "http://evil.example"}, {"Host": "rebound.example"}):
            assert (await client.get("/v1/models", headers=headers)).status_code == 403


async def test_the_manifest_tells_the_running_engine(client: httpx.AsyncClient) -> None:
    manifest = await manifest_of(client)
    assert manifest.model == "tiny"
    assert manifest.dtype == "bfloat16"
    assert manifest.quantization == "none"
    assert manifest.sampling_defaults["temperature"] == 0.2
    assert manifest.sampling_defaults["top_p"] == 1.0
    assert len(manifest.logprobs) == sum(len(prompt) - 1 for prompt in LOGPROB_PROMPTS)
    assert not manifest.declared


async def test_a_restart_changes_nothing(model: Path, client: httpx.AsyncClient) -> None:
    transport = httpx.ASGITransport(app=FakeEngine(str(model), ManifestMiddleware, ["k"]).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://llm") as restarted:
        assert await manifest_of(restarted) == await manifest_of(client)


async def test_other_files_another_template_and_other_weights_are_each_seen(
    engine: FakeEngine, client: httpx.AsyncClient, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "MANIFEST_SECONDS", -1.0)  # observe at every request
    seen = [await manifest_of(client)]
    (model / "model.safetensors").write_text("other weights")
    seen.append(await manifest_of(client))
    engine.template = "<human>"
    seen.append(await manifest_of(client))
    engine.weights = -3.0
    seen.append(await manifest_of(client))
    said = [differences(a, b) for a, b in itertools.pairwise(seen)]
    assert [len(sentences) for sentences in said] == [1, 1, 1]
    assert "files" in said[0][0]
    assert "chat template" in said[1][0]
    assert "log probabilities" in said[2][0]


async def test_a_launch_flag_that_alters_answers_is_seen_and_named(
    model: Path, client: httpx.AsyncClient
) -> None:
    relaunched = FakeEngine(str(model), ManifestMiddleware, ["k"])
    relaunched.app.state.args.override_generation_config = {"eos_token_id": 198}
    transport = httpx.ASGITransport(app=relaunched.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://llm") as other:
        before, after = await manifest_of(client), await manifest_of(other)
    assert before.digest != after.digest
    assert differences(before, after) == [
        'The launch flags: override_generation_config not set -> {"eos_token_id": 198}.'
    ]


def test_flags_name_files_by_their_content_and_leave_out_secrets_and_places(tmp_path: Path) -> None:
    template, tokenizer = tmp_path / "chat.jinja", tmp_path / "tokenizer"
    template.write_text("{{ messages }}")
    tokenizer.mkdir()
    (tokenizer / "tokenizer.json").write_text("{}")
    args = {
        "chat_template": str(template),
        "tokenizer": str(tokenizer),
        "api_key": ["k"],
        "hf_token": "t",
        "port": 9000,
        "ssl_keyfile": "key.pem",
        "max_model_len": 256,
        "middleware": ["serving.middleware.ManifestMiddleware"],
        "kv_transfer_config": {"kv_ip": "10.0.0.1", "kv_role": "kv_both"},
        "seed": 3,
    }
    flags = launch_flags(SimpleNamespace(**args))
    assert set(flags) == {
        *("chat_template", "tokenizer", "middleware", "kv_transfer_config", "seed"),
    }
    assert flags["kv_transfer_config"] == '{"kv_role": "kv_both"}'
    assert flags["seed"] == "3"
    assert str(tmp_path) not in str(flags)
    template.write_text("{{ messages[0] }}")
    changed = launch_flags(SimpleNamespace(**args))
    assert changed["chat_template"] != flags["chat_template"]
    assert changed["tokenizer"] == flags["tokenizer"]


async def test_polling_does_not_load_the_engine(
    engine: FakeEngine, client: httpx.AsyncClient
) -> None:
    for _ in range(3):
        await manifest_of(client)
    assert engine.completions == len(LOGPROB_PROMPTS)


async def test_an_engine_that_fails_its_probes_has_no_manifest(
    engine: FakeEngine, client: httpx.AsyncClient
) -> None:
    engine.broken = True
    reply = await client.get("/manifest", headers=KEY)
    assert reply.status_code == 503
    assert "does not answer its probes" in reply.json()["error"]["message"]
