"""The command line: help with examples, and errors in one sentence."""

import json
import sys
from pathlib import Path

import pytest
from tests.fakes.openai_server import MODEL, running
from typer.testing import CliRunner

from serving import cli
from serving.errors import ModelError

COMMANDS = ["models", "fetch", "embed", "llm", "bench", "observe", "diff"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str) -> None:
    result = CliRunner().invoke(cli.app, [command, "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.output


def test_an_unknown_model_is_one_sentence_that_lists_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["serving", "fetch", "nope"])
    with pytest.raises(SystemExit) as exit_code:
        cli.main()
    assert exit_code.value.code == 1
    said = capsys.readouterr().err
    assert "'nope'" in said
    assert "all-MiniLM-L6-v2" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_a_reranker_that_others_can_reach_does_not_start_without_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    monkeypatch.setenv("SERVING_RERANK_HOST", host)
    monkeypatch.delenv("SERVING_RERANK_API_KEY", raising=False)
    monkeypatch.setattr(sys, "argv", ["serving", "rerank"])
    with pytest.raises(SystemExit) as exit_code:
        cli.main()
    assert exit_code.value.code == 1
    assert "Set SERVING_RERANK_API_KEY: only a loopback host" in capsys.readouterr().err


def test_the_catalogue_is_listed_with_what_is_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SERVING_MODELS_DIR", str(tmp_path))
    text = CliRunner().invoke(cli.app, ["models"]).output
    assert "Qwen2.5-Coder-1.5B-Instruct  llm       small" in text
    assert "not fetched" in text
    rows = json.loads(CliRunner().invoke(cli.app, ["models", "--json"]).output)
    assert {row["name"]: row["fetched"] for row in rows}["SmolLM2-135M-Instruct"] is False


def test_a_value_of_model_is_resolved_for_machines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SERVING_MODELS_DIR", str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    (tmp_path / "mine" / "model.safetensors").write_bytes(b"w")
    hub = "Qwen/Qwen2.5-Coder-1.5B-Instruct"
    found = {
        value: json.loads(CliRunner().invoke(cli.app, ["models", value, "--json"]).output)
        for value in (hub, str(tmp_path / "mine"), "Own/Model@v1")
    }
    assert found[hub]["name"] == "Qwen2.5-Coder-1.5B-Instruct"
    assert found[hub]["memory_mb"] > 4000
    assert found[str(tmp_path / "mine")]["name"] == "mine"
    assert found[str(tmp_path / "mine")]["fetched"] is True
    assert found["Own/Model@v1"]["revision"] == "v1"


def test_a_model_that_is_not_there_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SERVING_MODELS_DIR", str(tmp_path))
    result = CliRunner().invoke(cli.app, ["embed"])
    assert isinstance(result.exception, ModelError)
    assert "run `serving fetch" in str(result.exception)


def test_a_hosted_model_is_observed_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("THEIR_KEY", "k")
    with running(key="k") as server:
        command = ["observe", server.url, "--model", MODEL, "--key-env", "THEIR_KEY"]
        said = CliRunner().invoke(cli.app, command)
        recorded = CliRunner().invoke(cli.app, [*command, "--json"])
    assert said.exit_code == recorded.exit_code == 0
    assert "dtype              unknown" in said.output
    accepted = tmp_path / "accepted.json"
    accepted.write_text(recorded.output)
    diff = CliRunner().invoke(cli.app, ["diff", str(accepted), str(accepted)])
    assert "Dtype: cannot be compared, unknown and unknown." in diff.output


def test_a_key_that_is_not_there_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THEIR_KEY", raising=False)
    command = ["observe", "http://127.0.0.1:1", "--model", "m", "--key-env", "THEIR_KEY"]
    result = CliRunner().invoke(cli.app, command)
    assert isinstance(result.exception, ModelError)
    assert "THEIR_KEY is not set" in str(result.exception)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING_EMBED_API_KEY", "")
    monkeypatch.setenv("SERVING_LLM_MAX_MODEL_LEN", "")
    settings = cli.Settings()
    assert settings.embed_api_key is None
    assert settings.llm_max_model_len is None
