"""Each process gets its own settings and secrets, and only those that the choices ask for."""

import json
from pathlib import Path

import httpx
import pytest

from demo import cli
from demo.processes import Process, complete, layer_variables, processes
from demo.settings import Settings, load, secret


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    hosted = ("LLM_URL", "LLM_KEY", "QDRANT_URL", "QDRANT_API_KEY", "EMBED_URL", "DEMO")
    for name in (*hosted, "PORT_OFFSET", "EVALS_PORT"):
        monkeypatch.delenv(name, raising=False)
    return Settings(state_dir=tmp_path)


LAST = ["app-ref", "accept"]


def by_name(settings: Settings) -> dict[str, Process]:
    return {process.name: process for process in processes(settings)}


def test_the_whole_stack_is_nine_processes(settings: Settings) -> None:
    assert list(by_name(settings)) == [
        "vectorstore",
        "llm",
        "embedder",
        "application",
        "app-ref",
        "watcher",
        "prefect",
        "runner",
        "evidently",
        "accept",  # which ends
    ]


def test_lite_leaves_out_the_watcher_prefect_and_evidently(settings: Settings) -> None:
    lite = settings.model_copy(update={"demo": "lite"})
    assert list(by_name(lite)) == ["vectorstore", "llm", "embedder", "application", *LAST]
    assert "PREFECT_API_URL" not in layer_variables(lite, "ingestion")


def test_a_hosted_model_is_asked_with_its_key_and_no_vllm_starts(settings: Settings) -> None:
    hosted = settings.model_copy(update={"llm_url": "http://model.example", "llm_key": "k"})
    found = by_name(hosted)
    assert "llm" not in found
    assert found["application"].variables["APPLICATION_LLM_URL"] == "http://model.example"
    assert found["application"].variables["APPLICATION_LLM_API_KEY"] == "k"


def test_the_watcher_asks_the_same_hosted_model_as_the_application(settings: Settings) -> None:
    update = {"llm_url": "http://model.example", "llm_key": "k", "llm_model": "m"}
    watcher = by_name(settings.model_copy(update=update))["watcher"].variables
    assert watcher["EVALS_LLM_URL"] == "http://model.example"
    assert (watcher["EVALS_LLM_API_KEY"], watcher["EVALS_LLM_MODEL"]) == ("k", "m")


def test_app_ref_runs_the_accepted_code_and_bundle_with_events_of_its_own(
    settings: Settings,
) -> None:
    live, reference = (by_name(settings)[name] for name in ("application", "app-ref"))
    code = settings.state_dir / "accepted" / "src"
    changed = {
        name: value
        for name, value in reference.variables.items()
        if live.variables.get(name) != value
    }
    assert changed == {
        "PYTHONPATH": str(code),
        "APPLICATION_BUNDLE": str(code / "application" / "bundle.toml"),
        "APPLICATION_PORT": "8081",
        "APPLICATION_STATE_DIR": str(settings.state_dir / "app-ref"),
    }
    assert reference.needs == code


def test_probes_of_both_applications_share_the_watchers_memory_of_generations(
    settings: Settings,
) -> None:
    for name in ("application", "app-ref"):
        variables = by_name(settings)[name].variables
        assert variables["APPLICATION_PROBE_LLM_URL"] == "http://127.0.0.1:8090/memo/v1"
        assert variables["APPLICATION_LAYERS_URL"] == "http://127.0.0.1:8090/"


def test_the_first_baseline_is_small_and_asks_one_question_at_a_time(settings: Settings) -> None:
    accept = by_name(settings)["accept"]
    assert accept.command == ("evals", "accept", "--first")
    own = {"EVALS_BASELINE": "small", "EVALS_PARALLEL": "1", "EVALS_REPLAY": "true"}
    assert accept.variables == layer_variables(settings, "evals") | own


@pytest.mark.parametrize(("said", "there"), [("no", False), ("yes", True), ("", True)])
def test_a_setting_leaves_the_first_accept_to_people(
    said: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCEPT", said)
    assert ("accept" in by_name(Settings(state_dir=tmp_path))) == there


def test_canaries_are_a_source_of_their_own_in_a_namespace_of_their_own(
    settings: Settings,
) -> None:
    for variables in (by_name(settings)["runner"].variables, layer_variables(settings, "evals")):
        sources = json.loads(variables["INGESTION_SOURCES"])
        assert sources["sample"] == str(settings.sample)
        assert sources["canary"] == {
            "path": str(settings.state_dir / "canaries"),
            "namespace": "canary",
        }


def test_a_vector_store_elsewhere_is_used_by_both_layers(settings: Settings) -> None:
    update = {"qdrant_url": "http://store.example", "qdrant_api_key": "q"}
    elsewhere = settings.model_copy(update=update)
    assert "vectorstore" not in by_name(elsewhere)
    application = by_name(elsewhere)["application"].variables
    assert application["APPLICATION_QDRANT_URL"] == "http://store.example"
    assert application["APPLICATION_QDRANT_API_KEY"] == "q"
    assert layer_variables(elsewhere, "ingestion")["INGESTION_QDRANT_API_KEY"] == "q"


def test_a_hosted_embedder_is_adapted_by_our_own(settings: Settings) -> None:
    hosted = settings.model_copy(update={"embed_url": "http://embed.example"})
    embedder = by_name(hosted)["embedder"].variables
    assert embedder["SERVING_EMBED_UPSTREAM_URL"] == "http://embed.example"
    assert (
        by_name(hosted)["application"].variables["APPLICATION_EMBED_URL"].startswith("http://127")
    )


def test_the_application_gets_a_key_that_only_reads(settings: Settings) -> None:
    application = by_name(settings)["application"].variables
    assert application["APPLICATION_QDRANT_API_KEY"] == secret(settings, "vectorstore-read-only")
    assert secret(settings, "vectorstore") not in application.values()


def test_the_applications_settings_hold_the_probe_keys_digest_but_not_the_key(
    settings: Settings,
) -> None:
    application = by_name(settings)["application"].variables
    assert secret(settings, "probe") not in application.values()
    assert len(application["APPLICATION_PROBE_KEY_SHA256"]) == 64


def test_a_users_secrets_do_not_leak_into_processes_that_do_not_need_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_KEY", "sk-very-secret")
    assert "sk-very-secret" not in complete("vectorstore", {}).values()


def test_processes_compile_what_they_import_whatever_the_shell_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in complete("llm", {})


def test_no_process_reports_usage_to_anyone() -> None:
    assert complete("llm", {})["DO_NOT_TRACK"] == "1"
    assert complete("llm", {})["VLLM_NO_USAGE_STATS"] == "1"
    assert complete("ingestion", {})["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(settings: Settings) -> None:
    first = secret(settings, "probe")
    assert secret(settings, "probe") == first
    assert len(first) >= 32
    assert (settings.state_dir / "secrets" / "probe").stat().st_mode & 0o077 == 0


def test_later_commands_use_the_choices_that_the_stack_was_started_with(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.model_copy(update={"llm_url": "http://model.example"}).save()
    monkeypatch.setenv("STATE_DIR", str(settings.state_dir))
    assert load().llm_url == "http://model.example"


def test_the_sockets_path_is_short_however_deep_the_state_folder_is() -> None:
    deep = Settings(state_dir=Path("/" + "deep/" * 60))
    assert len(str(deep.socket)) < 100


def test_the_chosen_model_is_named_wherever_its_name_goes(settings: Settings) -> None:
    chosen = {"model": "/models/mine", "llm_model": "mine", "answer_profile": "small"}
    found = by_name(settings.model_copy(update=chosen))
    assert found["llm"].variables["SERVING_LLM_MODEL"] == "/models/mine"
    assert found["watcher"].variables["EVALS_LLM_MODEL"] == "mine"
    for name in ("application", "app-ref"):
        assert found[name].variables["APPLICATION_LLM_MODEL"] == "mine"
        assert found[name].variables["APPLICATION_ANSWER_PROFILE"] == "small"


def test_the_choice_is_kept_for_later_commands(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"model": "/models/mine", "llm_model": "mine", "answer_profile": "small"}
    settings.model_copy(update=chosen).save()
    monkeypatch.setenv("STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("MODEL", "another")
    kept = load()
    assert (kept.model, kept.llm_model, kept.answer_profile) == ("/models/mine", "mine", "small")


def test_prefect_asks_for_a_password_that_only_its_clients_have(settings: Settings) -> None:
    found = by_name(settings)
    password = secret(settings, "prefect")
    assert found["prefect"].command[:2] == ("ingestion", "prefect")  # refuses to start without one
    clients = [found[name].variables for name in ("prefect", "runner", "watcher")]
    clients += [layer_variables(settings, layer) for layer in ("ingestion", "evals")]
    assert {each["INGESTION_PREFECT_AUTH_STRING"] for each in clients} == {password}
    for name in ("vectorstore", "llm", "embedder", "application", "app-ref", "evidently"):
        assert password not in found[name].variables.values()


def test_where_prefects_password_lies_is_told_at_the_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = httpx.Response(200, json={"checks": {}}, request=httpx.Request("GET", "http://a"))
    monkeypatch.setattr(cli.httpx, "get", lambda *_, **__: ready)
    settings.state_dir.mkdir(exist_ok=True)
    cli._report(settings, 1.0)
    assert f"its password is in {settings.state_dir}/secrets/prefect" in capsys.readouterr().out


def test_the_application_gets_the_read_only_key_of_a_store_of_yours(settings: Settings) -> None:
    update = {
        "qdrant_url": "http://store.example",
        "qdrant_api_key": "full",
        "qdrant_read_only_api_key": "reads",
    }
    elsewhere = settings.model_copy(update=update)
    for name in ("application", "app-ref"):
        variables = by_name(elsewhere)[name].variables
        assert variables["APPLICATION_QDRANT_API_KEY"] == "reads"
        assert "full" not in variables.values()
    assert layer_variables(elsewhere, "ingestion")["INGESTION_QDRANT_API_KEY"] == "full"


def test_an_application_that_could_write_is_told_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = httpx.Response(200, json={"checks": {}}, request=httpx.Request("GET", "http://a"))
    monkeypatch.setattr(cli.httpx, "get", lambda *_, **__: ready)
    update = {"qdrant_url": "http://store.example", "qdrant_api_key": "full"}
    cli._report(settings.model_copy(update=update), 1.0)
    assert "set QDRANT_READ_ONLY_API_KEY" in capsys.readouterr().out
    cli._report(settings.model_copy(update=update | {"qdrant_read_only_api_key": "r"}), 1.0)
    assert "QDRANT_READ_ONLY_API_KEY" not in capsys.readouterr().out
