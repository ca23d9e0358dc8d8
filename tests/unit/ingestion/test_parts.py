"""A sync of a part of a source, a sync that only tells, and names that are alike."""

import json
import unicodedata
from typing import Any

from ingestion.state.runs import Runs
from ingestion.sync.selection import alike

PAGE = "# Keys\n\nThe key of room {} is at the desk, and it goes back there at night.\n"


def test_a_dry_run_tells_what_a_sync_would_do_and_writes_nothing(
    world: Any, ingestion: Any
) -> None:
    world.write("a.md", PAGE.format(1))
    told = ingestion("sync", world.folder, "--name", "docs", "--dry-run", "--json")
    assert json.loads(told.stdout)["added"] == ["a.md"]
    assert world.store.get_collections().collections == []

    world.sync()
    world.write("a.md", PAGE.format(2))
    world.write("b.md", PAGE.format(3))
    world.write("c.bin", b"\0")
    before = (world.chunks(), world.manifests())
    told = json.loads(
        ingestion("sync", world.folder, "--name", "docs", "--dry-run", "--json").stdout
    )
    assert (told["added"], told["modified"], told["deleted"]) == (["b.md"], ["a.md"], [])
    assert list(told["problems"]) == ["c.bin"]
    assert (world.chunks(), world.manifests()) == before
    assert len([*Runs(world.state_dir).of("faultline", "default", "docs")]) == 1


def test_a_dry_run_tells_that_a_guard_would_hold_the_run(world: Any, ingestion: Any) -> None:
    for number in range(12):
        world.write(f"{number}.md", PAGE.format(number))
    world.sync()
    for number in range(10):
        (world.folder / f"{number}.md").unlink()
    told = ingestion("sync", world.folder, "--name", "docs", "--dry-run")
    assert "a guard would hold the run: " in told.stdout
    assert world.sync().status == "held"


def test_only_a_path_is_synced_and_the_rest_stays_as_it_is(world: Any) -> None:
    for path in ("legal/a.md", "legal/b.md", "sales/a.md", "legal2.md"):
        world.write(path, PAGE.format(path))
    world.sync()
    before = world.manifests()
    for path in ("legal/a.md", "sales/a.md", "legal2.md"):
        world.write(path, PAGE.format("another"))
    (world.folder / "legal/b.md").unlink()
    report = world.sync(only="legal/")
    assert report.status == "complete"
    assert (report.count("modified"), report.count("deleted"), report.count("unchanged")) == (
        1,
        1,
        2,
    )
    after = world.manifests()
    assert after["legal/a.md"]["version"] != before["legal/a.md"]["version"]
    assert "legal/b.md" not in after
    assert after["sales/a.md"] == before["sales/a.md"]
    assert after["legal2.md"] == before["legal2.md"]
    assert world.sync().count("modified") == 2


def test_a_sync_of_a_part_does_not_make_the_source_fresh(world: Any) -> None:
    world.write("a.md", PAGE.format(1))
    whole = world.sync()
    world.sync(only="a.md")
    runs = Runs(world.state_dir)
    assert runs.last_good("faultline", whole.tenant, "docs").run_id == whole.run_id


def test_a_sync_of_a_part_keeps_the_quarantine_of_the_rest(world: Any, ingestion: Any) -> None:
    world.write("a.md", PAGE.format(1))
    world.write("b.md", b"")
    assert world.sync().status == "partial"
    world.sync(only="a.md")
    assert "b.md" in ingestion("quarantine", "list").stdout


def test_a_part_that_is_nowhere_is_refused_and_nothing_changes(world: Any, ingestion: Any) -> None:
    world.write("a.md", PAGE.format(1))
    world.sync()
    told = ingestion("sync", world.folder, "--name", "docs", "--only", "b.md", "--plain")
    assert told.exit_code == 2
    assert "Neither the source nor the index has b.md" in told.stderr


def test_a_part_is_not_written_beside_what_readers_see(world: Any, ingestion: Any) -> None:
    world.write("a.md", PAGE.format(1))
    world.sync()
    told = ingestion(
        "sync", world.folder, "--name", "docs", "--only", "a.md", "--plain", "--size", "50"
    )
    assert told.exit_code == 2
    assert "sync the whole source, without --only" in " ".join(told.stderr.split())


def test_names_that_differ_only_by_form_or_case_are_told_and_both_are_documents(world: Any) -> None:
    both = [unicodedata.normalize(form, "Kündigung.md") for form in ("NFC", "NFD")]
    for number, path in enumerate([*both, "Leave.md", "leave.md", "other.md"]):
        world.write(path, PAGE.format(number))
    report = world.sync()
    assert report.count("added") == 5
    said = [note for note in report.notes if note.startswith("names differ only by ")]
    assert len(said) == 2
    assert "by Unicode form" in said[0]
    assert "by case" in said[1]
    assert len(world.manifests()) == 5


def test_a_thousand_names_that_are_alike_are_told_in_twenty_lines() -> None:
    told = alike(name for number in range(1000) for name in (f"a{number}", f"A{number}"))
    assert len(told) == 21
    assert told[-1] == "980 more names are as alike"
