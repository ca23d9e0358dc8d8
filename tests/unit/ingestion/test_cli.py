"""What a person or a script gets from the command."""

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from qdrant_client import QdrantClient

from contracts.status import AuditReport, Pin, RawDocument, RunReport, SourceStatus
from ingestion import bootstrap, cli
from ingestion.bootstrap import Services, request_for
from ingestion.settings import Settings


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
    world.write("b.xlsx", "x")

    result = ingestion("sync", world.folder, "--name", "kb", "--json")

    assert result.exit_code == 3
    report = RunReport.model_validate_json(result.stdout)
    assert report.source == "kb"
    assert report.outcomes == {"a.md": "added", "b.xlsx": "quarantined"}
    listed = ingestion("quarantine", "list")
    assert "kb/b.xlsx: format .xlsx is not supported" in listed.stdout
    assert json.loads(ingestion("quarantine", "list", "--json").stdout)[0]["attempts"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "There is nothing at"),
        (["--name", "a/b", "."], "source: String should match"),
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
    monkeypatch.setattr(bootstrap.Services, "of", lambda settings: services)

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
    assert "Set INGESTION_SOURCES" in result.stderr
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
    assert "has no source other (kb)" in ingestion("raw", "other/a.md").stderr


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
    assert "INGESTION_SOURCES has no source other (canaries)" in ingestion("run", "other").stderr


def test_run_prints_the_report_of_the_flow_run_that_it_triggered(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    settings = Settings(state_dir=world.state_dir)
    request = request_for(world.folder, settings, source="kb")
    services = Services(world.embedder, world.store)
    report, _ = bootstrap.run_sync(request, settings, services, lambda run: run, flow_run_id="f-1")
    world.sync(source="kb")
    ended = {"kb": "f-1", "elsewhere": "f-2"}
    flow = SimpleNamespace(trigger=lambda name, wait: (ended[name], "Completed", request))
    monkeypatch.setitem(sys.modules, "ingestion.flow", flow)
    monkeypatch.setattr(cli, "_answers", lambda url: True)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")

    result = ingestion("run", "kb", "--json")

    assert RunReport.model_validate_json(result.stdout).run_id == report.run_id
    assert json.loads(ingestion("run", "kb", "--no-wait", "--json").stdout)["flow_run_id"] == "f-1"
    elsewhere = ingestion("run", "elsewhere")
    assert elsewhere.exit_code == 1
    assert "set INGESTION_STATE_DIR to that of" in " ".join(elsewhere.stderr.split())


@pytest.mark.parametrize("sources", ["docs/", '{"a": {"paths": "x"}}'])
def test_a_malformed_setting_is_one_sentence(
    ingestion: Any, monkeypatch: pytest.MonkeyPatch, sources: str
) -> None:
    monkeypatch.setenv("INGESTION_SOURCES", sources)

    result = ingestion("raw", "a/b.md")

    assert result.exit_code == 2
    assert "sources" in result.stderr
    assert "Traceback" not in result.stderr
