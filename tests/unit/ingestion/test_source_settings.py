"""What `sources.yaml` and INGESTION_SOURCES may say, and what a person is told of a mistake."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.errors import UsageError
from ingestion.settings import Settings
from ingestion.sources.settings import SourceSettings, due_after, load_sources
from ingestion.sync.request import SyncRequest, request_for, request_of

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)

SOURCES = """
handbook:
  location: docs/
  owner: people@example.com
  schedule: 15m
  freshness_limit: 1d
  tenant: acme
  namespace: staff
  document:
    formats: [markdown, html]
    language: 'no'
    metadata: {owner: text, updated: date}
wiki: {location: "https://git.example/wiki.git", ref: main, schedule: "0 6 * * *"}
site: {location: "https://www.example.com/sitemap.xml", hosts: [www.example.com]}
rows: rows.jsonl.gz
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INGESTION_SOURCES", raising=False)


def test_a_sources_file_beside_the_command_is_read_with_paths_of_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "sources.yaml").write_text(SOURCES)
    assert Settings().sources == {}
    monkeypatch.setenv("INGESTION_SOURCES_FILE", "team/sources.yaml")

    sources = Settings().sources

    kinds = {name: source.kind for name, source in sources.items()}
    assert kinds == {"handbook": "folder", "wiki": "git", "site": "http", "rows": "jsonl"}
    assert sources["handbook"].location == "team/docs"
    assert (sources["handbook"].schedule, sources["handbook"].freshness_limit) == (900, 86400)
    assert sources["handbook"].document.language == "no"
    assert sources["wiki"].location == "https://git.example/wiki.git"
    monkeypatch.chdir("team")
    monkeypatch.delenv("INGESTION_SOURCES_FILE")
    assert Settings().sources["rows"].location == "rows.jsonl.gz"


def test_the_json_setting_makes_the_same_models_and_adds_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sources.yaml").write_text("handbook: docs/")
    given = {"sample": "/r2", "canary": {"path": "/c", "namespace": "c", "interval_seconds": 60}}
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps(given))

    sources = Settings().sources

    assert set(sources) == {"handbook", "sample", "canary"}
    assert sources["sample"] == SourceSettings.model_validate("/r2")
    assert (sources["canary"].location, sources["canary"].schedule) == ("/c", 60)
    monkeypatch.setenv("INGESTION_SOURCES", '{"handbook": "/r2"}')
    with pytest.raises(UsageError, match=r"sources\.yaml and .* both declare handbook: keep one"):
        Settings()


def test_a_request_of_a_declared_source_survives_the_way_through_prefect(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(SOURCES)

    request = request_of("handbook", Settings())

    assert (request.source, request.tenant, request.namespace) == ("handbook", "acme", "staff")
    assert request.reads.location == str(tmp_path / "docs")
    assert SyncRequest.model_validate_json(request.model_dump_json()) == request
    with pytest.raises(UsageError, match=r"No source blog is declared \(handbook, wiki, site"):
        request_of("blog", Settings())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: {location: x, schedule: often}", "source a, schedule: it must be an interval such as"),
        ("a: {location: x, schedule: '61 * * * *'}", "61 * * * * is no cron expression"),
        ("a: {location: x, schedule: 0m}", "source a, schedule"),
        ("a: {location: x, freshness_limit: soon}", "source a, freshness_limit"),
        ("a: {location: x, colours: [hr]}", "source a, colours: Extra inputs are not permitted"),
        ("a: {location: x, document: {formats: [exe]}}", "source a, document.formats.0"),
        ("a: {location: x, ref: main}", "source a: ref goes with kind git"),
        ("a: {location: 'https://e.example/'}", "source a: hosts is missing"),
        ("a: {location: r.git, ref: '--upload-pack=x'}", "source a, ref"),
        ("a: {}", "source a, location: Field required"),
        ("a/b: x", "source a/b"),
        ("a: x\na: y", 'found duplicate key "a"'),
        ("[a]", "sources.yaml: source ?: Input should be a valid dictionary"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_mistake_is_told_by_file_source_and_field(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "sources.yaml").write_text(text)

    with pytest.raises(UsageError) as told:
        load_sources(tmp_path / "sources.yaml")

    assert str(tmp_path / "sources.yaml") in str(told.value)
    assert says in str(told.value)


def test_a_sources_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGESTION_SOURCES_FILE", "gone.yaml")

    with pytest.raises(UsageError, match=r"gone\.yaml cannot be read \(No such file"):
        Settings()


def test_a_schedule_says_when_its_next_runs_are_due() -> None:
    assert due_after(900, NOON, times=3) == NOON + timedelta(minutes=45)
    assert due_after("0 6 * * *", NOON, times=2) == datetime(2026, 7, 3, 6, tzinfo=UTC)


def test_a_folder_synced_under_a_declared_name_stays_its_tenants_and_keeps_its_contract(
    tmp_path: Path,
) -> None:
    (tmp_path / "sources.yaml").write_text(SOURCES)
    settings = Settings()
    request = request_for(tmp_path / "new", settings, source="handbook")
    assert (request.tenant, request.namespace) == ("acme", "staff")
    assert request.reads.location == str(tmp_path / "new")
    assert request.reads.document == settings.sources["handbook"].document
    assert SyncRequest.model_validate(request.model_dump(mode="json")) == request
    assert request_for(tmp_path / "handbook", settings).tenant == "acme"
    assert request_for(tmp_path / "new", settings, source="handbook", tenant="b").tenant == "b"


def test_a_folder_does_not_take_the_name_of_a_declared_repository(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(SOURCES)
    with pytest.raises(UsageError, match="wiki is declared as a git source: sync that by"):
        request_for(tmp_path, Settings(), source="wiki")
