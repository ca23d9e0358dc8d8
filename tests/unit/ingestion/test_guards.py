"""What a run may not do to an index unasked: each guard fires, and has a twin that passes."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from qdrant_client import QdrantClient

from ingestion.errors import Refused
from ingestion.sync import guards

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "evals/datasets/sample"
GOV_KB = ROOT.parent / "shared/data/gov-kb"
LOGIN = "# Sign in\n\nYour session has expired. Enter your user name and your password to go on."


def page(n: int) -> str:
    words = " ".join(f"{word}{n}" for word in ("badge", "key", "desk", "lamp", "door") * 6)
    rows = "\n".join(f"| shelf {n} | {row + n} |" for row in range(4))
    text = f"The room is on floor {n}: {words}."
    return f"# Room {n}\n\n{text}\n\n| Place | Count |\n|---|---|\n{rows}\n"


def filled(world: Any, count: int) -> list[Path]:
    files = [world.write(f"room-{n:02}.md", page(n)) for n in range(count)]
    assert world.sync().status == "complete"
    return files


def index_of(world: Any) -> Any:
    return world.chunks(), world.manifests()


def rewrite(files: list[Path], change: Callable[[str], str]) -> None:
    for file in files:
        file.write_text(change(file.read_text()))


# --- volume ----------------------------------------


def test_a_run_that_would_drop_more_than_its_share_is_held_and_changes_nothing(world: Any) -> None:
    files = filled(world, 20)
    before = index_of(world)
    for file in files[:7]:
        file.unlink()
    world.write("new.md", page(99))

    report = world.sync()

    assert (report.status, report.error, report.outcomes) == ("held", None, {})
    [reason] = report.hold.reasons
    assert reason.startswith("7 of 20 documents of docs are gone, and their text is nowhere else")
    assert reason.endswith("(at most 30% may go), e.g. room-00.md, room-01.md, room-02.md")
    assert index_of(world) == before


def test_losses_in_small_steps_are_held_like_one_large_loss(world: Any) -> None:
    files = filled(world, 20)
    for file in files[:4]:
        file.unlink()
    assert world.sync().status == "complete"
    for file in files[4:8]:
        file.unlink()
    before = index_of(world)

    report = world.sync()

    assert report.status == "held"
    assert report.hold.reasons[0].startswith("8 of 20 documents of docs are gone since ")
    assert index_of(world) == before
    assert world.sync(allow_empty=True).count("deleted") == 4
    files[8].unlink()
    assert world.sync().status == "complete"  # what a person let go is the measure from then on


def test_documents_that_came_back_or_moved_are_no_loss_of_later_runs(world: Any) -> None:
    files = filled(world, 20)
    texts = {file: file.read_text() for file in files}
    for step in range(3):  # each day another fifth is away for a while
        gone = files[4 * step : 4 * step + 4]
        for file in gone:
            file.unlink()
        assert world.sync().status == "complete"
        for n, file in enumerate(gone):
            (file if n % 2 else world.folder / f"moved{step}{n}.md").write_text(texts[file])
        assert world.sync().status == "complete"


def test_losses_of_long_ago_are_forgotten(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = filled(world, 20)
    for file in files[:6]:
        file.unlink()
    assert world.sync().status == "complete"
    monkeypatch.setattr("ingestion.sync.guard_memory.MEMORY", timedelta(0))
    for file in files[6:10]:
        file.unlink()

    assert world.sync().status == "complete"


@pytest.mark.parametrize(("documents", "gone"), [(20, 6), (5, 4), (3, 2), (2, 1)])
def test_a_share_or_a_few_documents_may_go(world: Any, documents: int, gone: int) -> None:
    for file in filled(world, documents)[:gone]:
        file.unlink()

    assert world.sync().count("deleted") == gone


def test_content_that_moved_or_was_there_twice_counts_as_kept(world: Any) -> None:
    files = filled(world, 12)
    for n in range(12):
        world.write(f"copy/room-{n:02}.md", page(n))
    world.sync()
    for file in files:
        file.unlink()

    assert world.sync().count("deleted") == 12
    (world.folder / "copy").rename(world.folder / "moved")
    assert len(world.sync().moves) == 12


def test_pages_that_moved_with_edits_or_into_one_page_count_as_kept(world: Any) -> None:
    files = filled(world, 12)
    (world.folder / "new").mkdir()
    for file in files[:6]:
        file.rename(world.folder / "new" / file.name)
        rewrite([world.folder / "new" / file.name], lambda text: text.replace("floor", "level"))
    world.write("new/all.md", "\n\n".join(map(page, range(6, 12))))
    for file in files[6:]:
        file.unlink()

    assert world.sync().status == "complete"


def test_pages_that_gave_way_to_others_of_their_number_do_not(world: Any) -> None:
    for n, file in enumerate(filled(world, 12)):
        file.unlink()
        world.write(f"new/room-{n:02}.md", page(100 + n))

    assert "12 of 12 documents of docs are gone" in world.sync().hold.reasons[0]


def test_a_collection_that_is_built_anew_is_held_against_the_one_that_readers_see(
    world: Any,
) -> None:
    before = [(file, index_of(world)) for file in filled(world, 20)]
    for file, _ in before[:7]:
        file.unlink()

    assert world.sync(chunk_tokens=100).status == "held"
    assert index_of(world) == before[0][1]
    shutil.rmtree(world.folder)
    filled_anew = [world.write(f"room-{n:02}.md", page(n)) for n in range(20)]
    assert world.sync(chunk_tokens=100).count("added") == len(filled_anew)


def test_allow_empty_lets_documents_go_but_not_a_broken_export_in(world: Any) -> None:
    files = filled(world, 20)
    for file in files[:10]:
        file.unlink()
    assert world.sync().status == "held"
    assert world.sync(allow_empty=True).count("deleted") == 10
    rewrite(files[10:], lambda text: text[:30])
    assert world.sync(allow_empty=True).status == "held"


# --- shape ----------------------------------------

DAMAGE: dict[str, Callable[[str], str]] = {
    "text lost, e.g. room-00.md: 0 characters are left of": lambda text: " \n",
    "text lost, e.g. room-00.md: 40 characters are left of": lambda text: text[:40],
    "tables lost, e.g. room-00.md: 0 table rows": lambda text: (
        re.sub(r"\|.*\n", "", text) + text[:99]
    ),
    "mojibake, e.g. room-00.md:": lambda text: text.replace("floor", "Ã¼ber"),
    "boilerplate, e.g. room-00.md: nearly all": lambda text: LOGIN,
}


@pytest.mark.parametrize("says", DAMAGE)
def test_a_run_of_damaged_documents_is_held_and_changes_nothing(world: Any, says: str) -> None:
    files = filled(world, 20)
    before = index_of(world)
    rewrite(files[:5], DAMAGE[says])

    report = world.sync()

    assert report.status == "held"
    [reason] = report.hold.reasons
    assert reason.startswith("5 of the 5 documents of docs that changed look like a broken export")
    assert f"(at most 10% of 20 may): 5 x {says}" in reason
    assert index_of(world) == before


def test_broken_exports_in_small_steps_are_held_like_one_large_one(world: Any) -> None:
    files = filled(world, 20)
    for half in (files[:3], files[3:6]):
        before = index_of(world)
        rewrite(half, DAMAGE["mojibake, e.g. room-00.md:"])
        report = world.sync()

    assert report.status == "held"
    assert "6 of the 6 documents of docs that changed, with those since " in report.hold.reasons[0]
    assert index_of(world) == before


def test_damage_that_is_mended_or_stays_as_it_was_is_not_added_up(world: Any) -> None:
    files = filled(world, 20)
    texts = [file.read_text() for file in files]
    for start in (0, 3, 6):
        rewrite(files[start : start + 3], DAMAGE["mojibake, e.g. room-00.md:"])
        assert world.sync().status == "complete"
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        assert world.sync().status == "complete"
    rewrite(files[:4], lambda text: " \n")  # emptied pages are looked at in every run
    for _ in range(3):
        assert world.sync().status == "partial"


@pytest.mark.parametrize("says", DAMAGE)
def test_a_few_damaged_documents_are_noted_and_hold_nobody_up(world: Any, says: str) -> None:
    rewrite(filled(world, 20)[:4], DAMAGE[says])
    kind = says.split(",")[0] if "boilerplate" not in says else "text lost"

    report = world.sync()

    assert report.status in ("complete", "partial")  # an emptied page keeps its last good version
    assert report.notes[0].startswith(
        f"indexed, but it looks like a broken export: 4 x {kind}, e.g."
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "\n",
        lambda text: re.sub(r"\d+", lambda number: f"1{number[0]}", text),
        lambda text: text.replace("key", "Schlüssel für die Tür") + "\n## Größe\n\nNeu.\n",
        lambda text: "The same notice stands above each page.\n\n" + text,
        lambda text: re.sub(r"\b(badge|key)\d+ ", "", text),
    ],
    ids=["touched", "every value", "another language", "a banner", "shortened"],
)
def test_edits_of_every_document_pass(world: Any, edit: Callable[[str], str]) -> None:
    rewrite(filled(world, 20), edit)

    report = world.sync()

    assert (report.count("modified"), report.notes) == (20, [])


def test_new_pages_that_all_say_the_same_are_held(world: Any) -> None:
    filled(world, 20)
    for n in range(5):
        world.write(f"new/{n}.md", f"{LOGIN}\n\n{n}")

    assert "5 x boilerplate, e.g. new/0.md" in world.sync().hold.reasons[0]


def test_new_pages_that_are_like_the_source_has_ever_been_pass(world: Any) -> None:
    for n in range(20):
        world.write(f"{n}.md", f"{LOGIN}\n\n{n}")
    first = world.sync()
    for n in range(20, 30):
        world.write(f"{n}.md", f"{LOGIN}\n\n{n}")

    assert (world.sync().status, first.status) == ("complete", "complete")
    assert any("looks like a broken export: 20 x boilerplate" in note for note in first.notes)


def test_of_many_documents_some_are_read_and_the_rest_is_estimated(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(filled(world, 60), lambda text: text[:40])
    monkeypatch.setattr(guards, "SAMPLE", 10)

    assert world.sync().hold.reasons[0].startswith("60 of the 60 documents of docs that changed")


def test_documents_that_cannot_be_read_keep_their_last_good_version_and_hold_nobody_up(
    world: Any,
) -> None:
    for n in range(20):
        world.write(f"{n}.txt", page(n))
    world.sync()
    for n in range(20):
        world.write(f"{n}.txt", b"\x81\x8d\x8f" * 20 + b"\x00\xff\xfe\xfa" * 10)

    assert world.sync().count("quarantined") == 20


# --- what becomes of a held run ----------------------------------------


def held_world(world: Any) -> tuple[Any, list[Path]]:
    files = filled(world, 20)
    rewrite(files[:8], lambda text: text[:40])
    report = world.sync()
    assert report.status == "held"
    return report, files


def reports(world: Any) -> list[Path]:
    return sorted((world.state_dir / "runs/faultline/default/docs").glob("*.json"))


def test_a_held_run_that_repeats_is_the_same_run(world: Any) -> None:
    report, _ = held_world(world)
    kept = reports(world)

    again = world.sync()

    assert (again.run_id, again.hold) == (report.run_id, report.hold)
    assert reports(world) == kept


def test_a_source_that_is_mended_goes_on_without_approval(world: Any) -> None:
    _, files = held_world(world)
    rewrite(files[:1], lambda text: page(0))
    for n, file in enumerate(files):
        file.write_text(page(n))

    assert world.sync().status == "complete"
    assert list((world.state_dir / "held").rglob("*.json")) == []


# --- the real edits and faults that people made ----------------------------------------


@pytest.fixture(scope="module")
def sample_world(tmp_path_factory: pytest.TempPathFactory, new_world: Any) -> Any:
    folder = tmp_path_factory.mktemp("sample")
    world = new_world(folder, folder / "state", QdrantClient(":memory:"))
    assert world.sync(location=SAMPLE / "r2").status == "complete"
    return world


def injected(drill: Path, sample: Path) -> None:
    """A drill's fault, put into a copy of the sample."""
    shutil.copytree(SAMPLE / "r2", sample)

    def fill(text: str) -> str:
        places = {"{sample}": str(sample), "{repo}": str(ROOT), "{python}": sys.executable}
        return re.sub("|".join(map(re.escape, places)), lambda name: places[name[0]], text)

    tree = yaml.safe_load(drill.read_text())
    for edit in tree.get("edits", []):
        root, _, pattern = fill(edit["file"]).partition("//")
        rewrite(
            sorted(Path(root).glob(pattern)),
            lambda text, e=edit: re.sub(e["find"], e["replace"], text, flags=re.MULTILINE),
        )
    for command in tree.get("run", []):
        subprocess.run(shlex.split(fill(command)), check=True)


@pytest.mark.parametrize(
    ("drill", "says"),
    [
        ("data-boilerplate", "44 x boilerplate"),
        ("data-folder-gone", "31 of 63 documents of docs are gone"),
        ("data-html-shell", "9 x boilerplate"),
        ("data-mojibake", "44 x mojibake"),
        ("data-pages-client-side", "44 of 63 documents of docs are gone"),
        ("data-tables-dropped", "23 x tables lost"),
        ("data-tables-flattened", "26 x tables lost"),
        ("data-truncated-export", "44 x text lost"),
    ],
)
def test_a_fault_at_the_source_is_stopped_at_the_boundary(
    sample_world: Any, tmp_path: Path, drill: str, says: str
) -> None:
    injected(ROOT / f"evals/drills/{drill}.yaml", tmp_path / "sample")
    before = index_of(sample_world)

    report = sample_world.sync(location=tmp_path / "sample")

    assert says in " ".join(report.hold.reasons)
    assert index_of(sample_world) == before


@pytest.mark.parametrize("change", ["page-added", "pages-indexed-anew"])
def test_a_benign_change_of_the_sample_is_let_through(
    sample_world: Any, tmp_path: Path, change: str
) -> None:
    injected(ROOT / f"evals/drills/benign/{change}.yaml", tmp_path / "sample")

    report = sample_world.sync(stopped_behind_the_guards, location=tmp_path / "sample")

    assert (report.error, report.notes) == (LET_THROUGH, [])


LET_THROUGH = "the guards let it through"


def stopped_behind_the_guards(run_batch: Any) -> Any:
    def stop(batch: Any) -> Any:
        raise Refused(LET_THROUGH)

    return stop


@pytest.mark.skipif(not GOV_KB.is_dir(), reason="the data set gov-kb is not beside this checkout")
def test_the_reorganisation_of_a_real_handbook_is_let_through_and_half_of_it_is_held(
    world: Any, tmp_path: Path
) -> None:
    for version, every in (("v1", 1), ("v2", 1), ("half", 2)):
        root = GOV_KB / version.replace("half", "v2") / "handbook"
        for file in sorted(root.rglob("*.md"))[::every]:
            copy = tmp_path / version / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    options = {"chunker": "whole", "truncate": True}  # the store in memory is slow with many
    world.sync(location=tmp_path / "v1", **options)

    held = world.sync(location=tmp_path / "half", **options)
    report = world.sync(stopped_behind_the_guards, location=tmp_path / "v2", **options)

    assert re.match(r"\d+ of 190 documents of docs are gone", held.hold.reasons[0])
    assert (report.error, report.notes) == (LET_THROUGH, [])
    assert report.count("deleted") > 10  # those that moved go last
