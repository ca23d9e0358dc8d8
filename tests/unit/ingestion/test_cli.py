"""What a person or a script gets from the command."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from qdrant_client import QdrantClient
from typer.testing import CliRunner, Result

from contracts.status import RunReport, SourceStatus
from ingestion import bootstrap, cli, freshness
from ingestion.bootstrap import Services


@pytest.fixture
def ingestion(world: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Runs the command against the world in memory."""
    for name in ("PREFECT_API_URL", "INGESTION_SOURCES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INGESTION_STATE_DIR", str(world.state_dir))
    services = Services(world.embedder, world.store)
    monkeypatch.setattr(bootstrap.Services, "of", lambda settings: services)
    monkeypatch.setattr(freshness, "connect", lambda *_: world.store)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])

    return run


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
