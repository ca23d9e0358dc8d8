"""Two hosts with a state folder each and one store: what one of them does, the other knows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import UsageError

PAGE = "# {0}\n\nThe {0} is kept in the cupboard.\n"


@pytest.fixture
def other(world: Any, new_world: Callable[..., Any], tmp_path: Path) -> Any:
    """The second host: its own folders, the first one's store."""
    folder = tmp_path / "other" / "docs"
    folder.mkdir(parents=True)
    return new_world(folder, tmp_path / "other" / "state", world.store)


def live(world: Any) -> str:
    aliases = world.store.get_aliases().aliases
    return next(a.collection_name for a in aliases if a.alias_name == "faultline")


def test_an_index_switches_once_every_host_has_built_its_sources_anew(
    world: Any, other: Any
) -> None:
    world.write("keys.md", PAGE.format("key"))
    other.write("badges.md", PAGE.format("badge"))
    world.sync(source="one")
    other.sync(source="two")
    old = live(world)

    first = world.sync(source="one", chunk_tokens=100)
    waiting = world.notes[-1]
    second = other.sync(source="two", chunk_tokens=100)

    assert (first.status, second.status) == ("complete", "complete")
    assert "sync two too" in waiting
    assert live(world) == second.collection != old


def test_a_collection_that_a_source_has_left_again_does_not_count_as_built(
    world: Any, other: Any
) -> None:
    world.write("keys.md", PAGE.format("key"))
    other.write("badges.md", PAGE.format("badge"))
    world.sync(source="one")
    other.sync(source="two")
    old = live(world)
    other.sync(source="two", chunk_tokens=100)
    other.write("badges.md", PAGE.format("new badge"))
    other.sync(source="two")

    world.sync(source="one", chunk_tokens=100)

    assert live(world) == old


def test_a_run_that_is_held_on_one_host_is_seen_and_approved_on_another(
    world: Any, other: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        world.write(f"{n}.md", PAGE.format(n))
    world.sync(source="kb")
    for n in range(10):
        (world.folder / f"{n}.md").unlink()
    report = world.sync(source="kb")
    monkeypatch.setenv("INGESTION_STATE_DIR", str(other.state_dir))

    seen = ingestion("status")
    approved = ingestion("approve", report.run_id, "--by", "Ada", "--plain")

    assert f"`ingestion approve {report.run_id}`" in seen.stdout
    assert approved.exit_code == 0, approved.output
    assert len(world.manifests()) == 10
    assert ingestion("approve", report.run_id).exit_code == 2


def test_a_link_that_is_moved_on_to_the_next_release_stays_one_source(
    world: Any, ingestion: Any
) -> None:
    for version in ("v1", "v2"):
        world.write(f"{version}/keys.md", PAGE.format("key"))
    current = world.folder / "current"
    current.symlink_to("v1")
    assert ingestion("sync", current, "--plain").exit_code == 0
    current.unlink()
    current.symlink_to("v2")

    again = ingestion("sync", current, "--plain")

    assert again.exit_code == 0, again.output
    assert "current -> faultline" in again.output
    assert {m["document_id"] for m in world.manifests().values()} == {"current/keys.md"}


@pytest.mark.parametrize("second", ["legal/docs", "docs.jsonl"])
def test_two_places_never_share_a_name_by_accident(world: Any, ingestion: Any, second: str) -> None:
    world.write("sales/docs/price.md", PAGE.format("price"))
    world.write("legal/docs/terms.md", PAGE.format("terms"))
    world.write("docs.jsonl", '{"_id": "a", "title": "A", "text": "Terms."}')
    assert ingestion("sync", world.folder / "sales/docs", "--plain").exit_code == 0

    refused = ingestion("sync", world.folder / second, "--plain")

    assert refused.exit_code == 2
    assert "docs is already the name of" in refused.output
    assert "--name NAME" in refused.output
    assert list(world.manifests()) == ["price.md"]
    assert "run failed" not in ingestion("status").output
    named = ingestion("sync", world.folder / second, "--name", "more", "--plain")
    assert named.exit_code == 0
    assert len(world.manifests()) == 2


def test_a_place_that_was_never_synced_does_not_take_a_declared_name(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("sales/docs/price.md", PAGE.format("price"))
    world.write("legal/docs/terms.md", PAGE.format("terms"))
    sales = world.folder / "sales/docs"
    monkeypatch.setenv("INGESTION_SOURCES", f'{{"docs": "{sales}"}}')

    assert ingestion("sync", world.folder / "legal/docs", "--plain").exit_code == 2
    assert ingestion("sync", sales, "--plain").exit_code == 0
    assert ingestion("sync", world.folder / "legal/docs", "--plain").exit_code == 2


def test_a_source_that_has_moved_goes_on_where_a_person_names_it(world: Any) -> None:
    world.write("a/docs/keys.md", PAGE.format("key"))
    world.write("b/docs/keys.md", PAGE.format("key"))
    world.sync(source=None, location=world.folder / "a/docs")
    with pytest.raises(UsageError, match="If the documents have moved here"):
        world.sync(source=None, location=world.folder / "b/docs")

    moved = world.sync(source="docs", location=world.folder / "b/docs")
    again = world.sync(source=None, location=world.folder / "b/docs")

    assert moved.outcomes == again.outcomes == {"keys.md": "unchanged"}


@pytest.mark.parametrize("typed", [".", "../docs", "./", "../docs/."])
def test_a_source_has_one_name_however_its_path_is_typed(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    world.write("keys.md", PAGE.format("key"))
    ingestion("sync", world.folder, "--plain")
    monkeypatch.chdir(world.folder)

    result = ingestion("sync", typed, "--plain")

    assert result.exit_code == 0, result.output
    assert "docs -> faultline: complete" in result.output
