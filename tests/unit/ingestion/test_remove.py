"""A source that is no longer declared: status says that it answers, and one command removes it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from contracts.index import manifest_alias
from contracts.status import SourceStatus

PAGE = "# {0}\n\nThe {0} is kept in the cupboard.\n"


@pytest.fixture
def declare(world: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Declares these sources, and no others."""

    def declare(*names: str, **options: str) -> None:
        sources = {name: {"location": str(world.folder / name)} | options for name in names}
        monkeypatch.setenv("INGESTION_SOURCES", json.dumps(sources))

    for name in ("handbook", "wiki"):
        world.write(f"{name}/page.md", PAGE.format(name))
        world.write(f"{name}/bad.md", " ")
    return declare


@pytest.fixture
def both(ingestion: Any, declare: Any) -> Callable[..., None]:
    """An index of the two declared sources; then wiki is declared no more."""
    declare("handbook", "wiki")
    for name in ("handbook", "wiki"):
        assert ingestion("run", name).exit_code == 3
    assert "no longer declared" not in ingestion("status").stdout
    declare("handbook")
    return declare


def statuses(ingestion: Any) -> dict[str, SourceStatus]:
    found = json.loads(ingestion("status", "--json").stdout)
    return {each["source"]: SourceStatus.model_validate(each) for each in found}


def sources_of(world: Any, *collections: str) -> set[str]:
    points = (world.store.scroll(name, limit=1000)[0] for name in collections)
    return {p.payload["source"] for found in points for p in found if "source" in p.payload}


def test_a_source_that_is_no_longer_declared_is_told_with_the_command(
    ingestion: Any, both: Any
) -> None:
    shown = ingestion("status").stdout

    assert shown.count("no longer declared, still answering") == 1
    assert "`ingestion remove wiki --tenant default`" in shown
    found = statuses(ingestion)
    assert (found["wiki"].undeclared, found["handbook"].undeclared) == (True, False)
    assert 'ingestion_source_undeclared{index="faultline",source="wiki",tenant="default"} 1.0' in (
        ingestion("status", "--metrics").stdout
    )


def test_a_removal_waits_for_a_yes_and_leaves_no_point_and_no_text(
    world: Any, ingestion: Any, both: Any
) -> None:
    waits = ingestion("remove", "wiki")
    assert waits.exit_code == 4
    assert "1 documents that readers see, 1 chunks in 1 collections" in waits.stdout
    assert "Nothing was changed" in waits.stdout
    assert sources_of(world, "faultline") == {"handbook", "wiki"}

    done = ingestion("remove", "wiki", "--yes")

    assert done.exit_code == 0, done.output
    assert "None of its points is left" in done.stdout
    assert sources_of(world, "faultline", manifest_alias("faultline")) == {"handbook"}
    assert set(statuses(ingestion)) == {"handbook"}
    assert not list(world.state_dir.rglob("*wiki*"))
    assert "wiki" not in ingestion("quarantine", "list").stdout
    assert ingestion("remove", "wiki").exit_code == 2


def test_a_removed_source_is_gone_from_the_collection_before_the_last_switch_too(
    world: Any, ingestion: Any, both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    both("handbook", "wiki")
    monkeypatch.setenv("INGESTION_CHUNK_TOKENS", "100")
    for name in ("handbook", "wiki"):
        ingestion("run", name)
    both("handbook")

    result = ingestion("remove", "wiki", "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["points"]) == 2
    assert ingestion("rollback").exit_code == 0
    assert sources_of(world, "faultline", manifest_alias("faultline")) == {"handbook"}


def test_a_declared_source_is_not_removed_since_it_would_come_back(
    ingestion: Any, both: Any
) -> None:
    result = ingestion("remove", "handbook", "--yes")

    assert result.exit_code == 2
    assert "take it out of" in result.output


def test_after_a_change_of_tenant_the_earlier_ones_documents_are_told_and_removed(
    world: Any, ingestion: Any, both: Any
) -> None:
    both("handbook", "wiki", tenant="acme")
    assert ingestion("run", "wiki").exit_code == 3

    assert "`ingestion remove wiki --tenant default`" in ingestion("status").stdout
    which = ingestion("remove", "wiki", "--yes")
    done = ingestion("remove", "wiki", "--tenant", "default", "--yes")

    assert "say which with --tenant" in which.output
    assert done.exit_code == 0, done.output
    wiki = [c for c in world.chunks().values() if c["source"] == "wiki"]
    assert {chunk["tenant"] for chunk in wiki} == {"acme"}


def test_after_a_change_of_namespace_no_document_stays_in_the_earlier_one(
    world: Any, ingestion: Any, both: Any
) -> None:
    both("handbook", "wiki", namespace="staff")

    assert ingestion("run", "wiki").exit_code == 3

    found = [c["namespace"] for c in world.chunks().values() if c["source"] == "wiki"]
    assert found == ["staff"]
