"""What a person or a script gets from the command."""

import errno
import json
import sys
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient

from contracts.status import AuditReport, Pin, RawDocument, RunReport, SourceStatus
from ingestion.commands import cli
from ingestion.operate.prefect_access import answers
from ingestion.settings import Settings
from ingestion.state import runs
from ingestion.sync.request import request_for
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services


def test_a_sync_reports_every_path_in_its_counts(world: Any, ingestion: Any) -> None:
    world.write("a.md", "# A\n\nText.")

    result = ingestion("sync", world.folder)

    assert result.exit_code == 0
    assert "1 paths: 1 added, 0 modified, 0 unchanged, 0 deleted, 0 quarantined" in result.stdout
    assert "without Prefect" in result.stderr


def test_json_is_the_contract_and_quarantine_has_its_own_exit_code(
    world: Any, ingestion: Any
) -> None:
    world.write("a.md", "# A\n\nText.")
    world.write("b.odg", "x")

    result = ingestion("sync", world.folder, "--name", "kb", "--json")

    assert result.exit_code == 3
    report = RunReport.model_validate_json(result.stdout)
    assert report.source == "kb"
    assert report.outcomes == {"a.md": "added", "b.odg": "quarantined"}
    listed = ingestion("quarantine", "list")
    assert "kb/b.odg: format .odg is not supported" in listed.stdout
    assert json.loads(ingestion("quarantine", "list", "--json").stdout)[0]["attempts"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "There is nothing at"),
        ([""], "The source is empty: name a folder"),
        (["https://e.example/a.git"], "declare it in sources.yaml, and `ingestion run NAME`"),
        (["My Documents"], "source is 'My Documents', and a name has letters, digits"),
        (["--name", "a/b", "."], "give it one with --name."),
        (["--truncate", "."], "--truncate goes with --chunker whole"),
        (["--chunker", "lines", "."], "chunker"),
        (["--size", "400", "."], "do not fit an embedder of 256"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(
    ingestion: Any, arguments: list[str], says: str
) -> None:
    result = ingestion("sync", *arguments)

    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


def test_a_failed_run_is_reported_and_exits_1(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    store = QdrantClient(url="http://127.0.0.1:1", check_compatibility=False)
    services = Services(world.embedder, store)
    monkeypatch.setattr(Services, "of", lambda settings: services)

    result = ingestion("sync", world.folder, "--json")

    assert result.exit_code == 1
    report = RunReport.model_validate_json(result.stdout)
    assert report.status == "failed"
    assert "start it with `vectorstore serve`" in str(report.error)


def test_status_tells_how_fresh_each_source_is(world: Any, ingestion: Any) -> None:
    world.write("a.md", "# A\n\nText.")
    ingestion("sync", world.folder, "--name", "one")
    ingestion("sync", world.folder, "--name", "two")

    text = ingestion("status").stdout
    [one, _] = json.loads(ingestion("status", "--json").stdout)

    assert "one in faultline: 1 documents, 1 chunks, 0 in quarantine, in sync 0 min ago" in text
    status = SourceStatus.model_validate(one)
    assert (status.source, status.documents) == ("one", 1)
    assert status.lag_seconds is not None


def test_status_of_an_index_without_sources_says_how_to_add_one(ingestion: Any) -> None:
    assert "`ingestion sync <folder>` adds one" in ingestion("status").stdout


def test_serving_without_a_prefect_server_says_what_to_set(
    ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Set PREFECT_API_URL" in ingestion("serve").stderr
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    result = ingestion("serve")
    assert "No source is declared: write sources.yaml" in result.stderr
    assert result.exit_code == 2


def test_a_pin_is_made_listed_restored_and_removed(world: Any, ingestion: Any) -> None:
    world.write("a.md", "# A\n\nText.")
    ingestion("sync", world.folder)
    assert "has no pin yet" in ingestion("pins").stdout

    made = Pin.model_validate_json(ingestion("pin", "good", "--json").stdout)

    assert made.index == "faultline-pin-good"
    assert Pin.model_validate(json.loads(ingestion("pins", "--json").stdout)[0]) == made
    assert "has a pin good" in ingestion("pin", "good").stderr
    assert "no reader sees until `ingestion resume`" in ingestion("restore", "good").stdout
    assert "Readers of faultline see pin good" in ingestion("status").stdout
    assert "readers of faultline see pin good" in ingestion("sync", world.folder).stderr
    assert "again" in ingestion("resume").stdout
    assert "see pin" not in ingestion("status").stdout
    assert "Removed pin good" in ingestion("unpin", "good").stdout
    assert ingestion("unpin", "good").exit_code == 2


def test_an_audit_is_the_contract_and_findings_have_their_own_exit_code(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    ingestion("sync", world.folder, "--name", "kb")
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"kb": str(world.folder)}))

    result = ingestion("audit", "kb", "--json")

    assert result.exit_code == 0
    assert AuditReport.model_validate_json(result.stdout).checked == 1
    assert "1 documents, 1 compared" in ingestion("audit", world.folder, "--name", "kb").stdout
    world.store.delete("faultline", points_selector=list(world.chunks()))
    found = ingestion("audit", "kb")
    assert found.exit_code == 3
    assert "shape: kb/a.md: it has 0 chunks, and its manifest says 1" in found.stdout
    [raw] = json.loads(ingestion("raw", "kb/a.md", "--json").stdout)
    assert RawDocument.model_validate(raw).text == "# A\n\nText."
    assert "No source other is declared (kb)" in ingestion("raw", "other/a.md").stderr


def test_run_syncs_a_known_source_without_prefect_and_says_so(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    source = {"path": str(world.folder), "namespace": "canary", "interval_seconds": 60}
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"canaries": source}))

    result = ingestion("run", "canaries", "--json")

    assert result.exit_code == 0
    assert RunReport.model_validate_json(result.stdout).outcomes == {"a.md": "added"}
    assert "Syncing canaries without Prefect (none set)" in result.stderr
    assert world.manifests()["a.md"]["namespace"] == "canary"
    assert "No source other is declared (canaries)" in ingestion("run", "other").stderr


def test_run_prints_the_report_of_the_flow_run_that_it_triggered(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    settings = Settings(state_dir=world.state_dir)
    request = request_for(world.folder, settings, source="kb")
    services = Services(world.embedder, world.store)
    report, _ = run_sync(request, settings, services, lambda run: run, flow_run_id="f-1")
    world.sync(source="kb")
    ended = {"kb": "f-1", "elsewhere": "f-2"}
    flow = SimpleNamespace(trigger=lambda name, wait: (ended[name], "Completed", request))
    monkeypatch.setitem(sys.modules, "ingestion.flow", flow)
    monkeypatch.setattr(cli, "answers", lambda url: True)
    monkeypatch.setattr(cli, "refusal", lambda url: None)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")

    result = ingestion("run", "kb", "--json")

    assert RunReport.model_validate_json(result.stdout).run_id == report.run_id
    assert json.loads(ingestion("run", "kb", "--no-wait", "--json").stdout)["flow_run_id"] == "f-1"
    elsewhere = ingestion("run", "elsewhere")
    assert elsewhere.exit_code == 1
    assert "set INGESTION_STATE_DIR to that of" in " ".join(elsewhere.stderr.split())


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("SOURCES", "docs/", "INGESTION_SOURCES is not JSON"),
        ("SOURCES", '{"a": {"paths": "x"}}', "INGESTION_SOURCES.a.location is"),
        ("TIMEOUT_SECONDS", "soon", "INGESTION_TIMEOUT_SECONDS is 'soon': Input should be a valid"),
        ("QDRANT_URL", "ftp://x", "INGESTION_QDRANT_URL is 'ftp://x': it must be a URL such as"),
        ("QDRANT_URL", "http://x:port", "INGESTION_QDRANT_URL is 'http://x:port': Port could not"),
        ("EMBED_URL", "localhost:8001", "INGESTION_EMBED_URL is 'localhost:8001': it must be"),
    ],
)
def test_a_malformed_setting_is_one_sentence_with_its_variable(
    ingestion: Any, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"INGESTION_{setting}", value)

    result = ingestion("raw", "a/b.md")

    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_name_that_looks_like_markup_is_told_as_it_is(ingestion: Any) -> None:
    result = ingestion("approve", "[/bold]")

    assert "No run [/bold] is held" in result.stderr
    assert result.exit_code == 2


def test_a_mistyped_path_leaves_no_source_behind_and_a_known_one_that_vanished_is_failed(
    world: Any, ingestion: Any
) -> None:
    world.write("a.md", "# A\n\nText.")
    ingestion("sync", world.folder)

    assert ingestion("sync", "dosc").exit_code == 2
    world.folder.rename(world.folder.with_name("moved"))
    assert ingestion("sync", world.folder).exit_code == 2

    [docs] = json.loads(ingestion("status", "--json").stdout)
    assert (docs["source"], docs["documents"], docs["reason"]) == ("docs", 1, "run failed")


def test_a_path_is_looked_at_before_any_service_is_asked(ingestion: Any, world: Any) -> None:
    world.embedder.manifest = None

    assert "There is nothing at" in ingestion("sync", "nowhere").stderr


def test_an_empty_folder_is_in_sync_and_told_of(world: Any, ingestion: Any) -> None:
    result = ingestion("sync", world.folder)

    assert result.exit_code == 0
    assert f"note: {world.folder} is empty: is it the right place" in result.stderr


def test_an_interrupted_sync_says_so_and_its_next_run_goes_on(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(world.embedder, "embed", interrupted)
        result = ingestion("sync", world.folder)

    assert result.exit_code == 130
    assert "Interrupted. What was committed stays; the same command goes on" in result.stderr
    assert "run failed: It was interrupted" in ingestion("status").stdout
    assert ingestion("sync", world.folder).exit_code == 0
    assert "run failed" not in ingestion("status").stdout


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("sample",),
        ("quarantine", "list"),
        ("audit", "docs", "--name", "docs"),
        ("sync", "docs"),
    ],
)
def test_a_state_that_cannot_be_used_is_told_and_never_taken_for_an_empty_one(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    world.write("a.md", "# A\n\nText.")
    monkeypatch.chdir(world.folder.parent)
    ingestion("sync", "docs")
    monkeypatch.setenv("INGESTION_STATE_DIR", str(world.folder / "a.md"))

    result = ingestion(*command)

    assert result.exit_code == 1
    assert "INGESTION_STATE_DIR to another folder, and run this again." in result.stderr


def test_a_sync_that_could_not_keep_its_report_changes_nothing(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    ingestion("sync", world.folder)
    before = world.manifests()
    world.write("b.md", "# B\n\nText.")

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/state/runs")

    with monkeypatch.context() as patch:
        patch.setattr(runs, "TemporaryFile", full)
        patch.setattr(runs.Runs, "save", lambda *_: full())
        result = ingestion("sync", world.folder)

    assert result.exit_code == 1
    assert "/state/runs cannot be used (No space left on device): is its disk full" in result.stderr
    assert world.manifests() == before


def test_a_quarantine_that_is_no_database_is_told(world: Any, ingestion: Any) -> None:
    world.state_dir.mkdir()
    (world.state_dir / "quarantine.sqlite").write_text("not a database, however long it may be")

    result = ingestion("quarantine", "list")

    assert result.exit_code == 1
    assert "quarantine.sqlite cannot be used (file is not a database)" in result.stderr


def test_an_audit_of_neither_a_declared_source_nor_a_place_names_those_that_are_declared(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"kb": str(world.folder)}))

    result = ingestion("audit", "bk")

    assert result.exit_code == 2
    assert "bk is neither a declared source (kb) nor a place" in result.stderr


@pytest.mark.parametrize(
    ("body", "is_prefect"), [("true", True), ('{"status": "ready"}', False), ("<html>", False)]
)
def test_only_what_answers_as_prefect_does_is_taken_for_it(
    monkeypatch: pytest.MonkeyPatch, body: str, is_prefect: bool
) -> None:
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(200, text=body))

    assert answers("http://127.0.0.1:1/api") is is_prefect


def test_a_prefect_url_that_is_none_is_no_server() -> None:
    assert not answers("http://127.0.0.1:port/api")
