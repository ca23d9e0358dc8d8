"""What a source promises of its documents, and what becomes of one that breaks the promise."""

import json
from typing import Any

import pytest

from ingestion.documents.validate import check_contract
from ingestion.errors import DocumentError
from ingestion.parse import parse
from ingestion.sources.settings import DocumentContract

GERMAN = "Der Jahresurlaub beträgt dreißig Tage und wird beim Vorgesetzten beantragt. " * 5
ENGLISH = "Annual leave is thirty days, and it is asked for at the line manager's desk. " * 5
FRONT_MATTER = "---\nowner: ann\nUpdated: 2026-07-01\ncount: 3\ndraft: false\ntags: [a]\n---\n"


def breach(text: str | bytes, path: str, **contract: Any) -> str:
    """What the contract has against a document; empty where it keeps it."""
    format = {"md": "markdown", "html": "html", "jsonl": "jsonl"}[path.rpartition(".")[2]]
    parsed = parse(text.encode() if isinstance(text, str) else text, format, path)
    try:
        check_contract(parsed, format, DocumentContract.model_validate(contract))
    except DocumentError as error:
        return str(error).removeprefix("it breaks its source's document contract: ")
    return ""


def test_a_source_without_a_contract_takes_every_document() -> None:
    assert breach("x", "a.md") == ""


@pytest.mark.parametrize(
    ("text", "contract", "says"),
    [
        ("# A", {"formats": ["html", "pdf"]}, "its format is markdown, not html or pdf"),
        ("# Ab c.", {"min_characters": 4}, "it has 3 letters and digits, under 4"),
        (GERMAN, {"language": "en"}, "its language is de, not en"),
        ("# A", {"metadata": {"owner": "text"}}, "metadata owner is missing"),
        (FRONT_MATTER, {"metadata": {"owner": "date"}}, "metadata owner is no date ('ann')"),
        (FRONT_MATTER, {"metadata": {"tags": "text"}}, "metadata tags is no text (\"['a']\")"),
        (FRONT_MATTER, {"metadata": {"owner": "number"}}, "metadata owner is no number ('ann')"),
        ("x", {"min_characters": 9, "formats": ["pdf"]}, "; it has 1 letters"),
    ],
)
def test_each_breach_is_named_with_what_was_found(
    text: str, contract: dict[str, Any], says: str
) -> None:
    assert says in breach(text, "a.md", **contract)


def test_a_document_that_keeps_its_contract_passes() -> None:
    kinds = {"owner": "text", "updated": "date", "count": "number", "draft": "boolean"}
    contract = {"metadata": {**kinds, "tags": "list"}, "language": "en", "min_characters": 100}

    assert breach(FRONT_MATTER + ENGLISH, "a.md", **contract, formats=["markdown"]) == ""


def test_a_short_text_is_of_no_certain_language() -> None:
    assert breach(GERMAN[:80], "a.md", language="en") == ""


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('<head><meta name="Owner" content="ann"></head><p>Text</p>', "a.html"),
        ('{"_id": "1", "text": "Text", "owner": "ann"}', "a.jsonl"),
    ],
)
def test_metadata_comes_from_every_format_that_carries_some(text: str, path: str) -> None:
    assert breach(text, path, metadata={"owner": "text"}) == ""
    assert breach(text, path, metadata={"team": "text"}) == "metadata team is missing"


@pytest.fixture
def broken(world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A source "kb" with one good document and one that breaks the contract three times."""
    world.write("good.md", FRONT_MATTER + ENGLISH)
    world.write("bad.md", ENGLISH)
    source = {"path": str(world.folder), "document": {"metadata": {"owner": "text"}}}
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"kb": source}))
    for _ in range(4):
        assert ingestion("run", "kb").exit_code == 3
    return ingestion


def quarantined(ingestion: Any, *options: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(
        ingestion("quarantine", "list", "--json", *options).stdout
    )
    return listed


def test_a_breach_goes_to_quarantine_with_reason_hash_and_attempts(world: Any, broken: Any) -> None:
    [entry] = quarantined(broken)

    assert "metadata owner is missing" in entry["reason"]
    assert (entry["path"], entry["attempts"], len(entry["sha256"])) == ("bad.md", 3, 64)
    assert set(world.manifests()) == {"good.md"}


def test_a_contract_that_changes_is_held_against_documents_that_do_not(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(**contract: Any) -> tuple[int, str]:
        source = {"path": str(world.folder), "document": contract}
        monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"kb": source}))
        result = ingestion("run", "kb")
        return result.exit_code, result.output

    world.write("good.md", FRONT_MATTER + ENGLISH)
    world.write("bad.md", ENGLISH)
    assert run()[0] == 0
    status, told = run(metadata={"owner": "text"})
    assert status == 3
    assert "2 documents are checked anew: their contract has changed" in told
    [entry] = quarantined(ingestion)
    assert "metadata owner is missing; its last good version stays" in entry["reason"]
    told = run(metadata={"owner": "text"})[1]
    assert "1 documents are checked anew" in told
    assert "1 unchanged" in told
    assert run()[0] == 0
    assert quarantined(ingestion) == []
    assert "2 unchanged" in run()[1]


def test_retry_makes_the_next_sync_try_again(
    world: Any, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"kb": str(world.folder)}))
    assert broken("run", "kb").exit_code == 3  # mended, but it was given up

    result = broken("quarantine", "retry", "kb", "bad.md")

    assert result.exit_code == 0
    assert "The next sync tries 1 again: `ingestion run kb`" in result.stdout
    assert broken("run", "kb").exit_code == 0
    assert quarantined(broken) == []
    again = broken("quarantine", "retry", "kb")
    assert again.exit_code == 2
    assert "No kb is in quarantine: `ingestion quarantine list` shows all" in again.stderr


def test_what_was_dropped_is_accounted_for_but_not_listed_until_it_changes(
    world: Any, broken: Any
) -> None:
    assert broken("quarantine", "drop", "kb", "gone.md").exit_code == 2

    result = broken("quarantine", "drop", "kb", "bad.md")

    assert "Dropped kb/bad.md until it changes" in result.stdout
    assert quarantined(broken) == []
    run = broken("run", "kb", "--json")
    assert (run.exit_code, json.loads(run.stdout)["outcomes"]["bad.md"]) == (0, "quarantined")
    assert [entry["path"] for entry in quarantined(broken, "--dropped")] == ["bad.md"]
    world.write("bad.md", ENGLISH + "More.")
    assert broken("run", "kb").exit_code == 3
    assert [entry["attempts"] for entry in quarantined(broken)] == [1]


def test_a_drop_is_undone_by_retry(broken: Any) -> None:
    broken("quarantine", "drop", "kb", "bad.md")

    assert json.loads(broken("quarantine", "retry", "--json").stdout) == {"retried": 1}

    assert [entry["attempts"] for entry in quarantined(broken)] == [0]
    assert broken("run", "kb").exit_code == 3
