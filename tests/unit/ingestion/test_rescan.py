"""A source of any kind may be looked at again: by this run, by another one, after a kill."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.fault.places import KINDS, publisher

from ingestion.errors import DocumentError
from ingestion.index.lease import Lease
from ingestion.settings import Settings
from ingestion.sources import Source
from ingestion.sources.git import GitSource
from ingestion.sources.settings import SourceSettings
from ingestion.sync.request import request_for, source_of

PAGES = {f"page{n}.md": f"# Page {n}\n\nThe key {n} is kept in cupboard {n}.\n" for n in range(9)}
Place = Callable[[str], SourceSettings]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The same nine pages as a source of the kind that is asked for."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / name).write_text(text)
    with ExitStack() as stack:
        yield lambda kind: stack.enter_context(publisher(kind, folder))()


def source(reads: SourceSettings, state_dir: Path) -> Source:
    settings = Settings(state_dir=state_dir)
    return source_of(request_for(Path("pages"), settings, reads=reads, source="docs"), settings)


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_that_is_scanned_again_says_the_same_and_reads_the_same(
    place: Place, tmp_path: Path, kind: str
) -> None:
    opened = source(place(kind), tmp_path / "state")

    first = list(opened.scan())
    texts = [opened.read(found.path) for found in first]
    scans = [list(opened.scan()) for _ in range(3)]

    assert len(first) == len(PAGES)
    assert all(found.problem is None for found in first)
    assert scans == [first] * 3
    assert [opened.read(found.path) for found in first] == texts


@pytest.mark.parametrize("kind", KINDS)
def test_two_scans_of_one_source_that_overlap_say_the_same(
    place: Place, tmp_path: Path, kind: str
) -> None:
    opened = source(place(kind), tmp_path / "state")
    expected = list(opened.scan())

    both = list(zip(opened.scan(), opened.scan(), strict=True))

    assert both == [(found, found) for found in expected]


@pytest.mark.parametrize("kind", KINDS)
def test_two_runs_of_one_source_may_read_it_at_once(
    place: Place, tmp_path: Path, kind: str
) -> None:
    reads = place(kind)
    at_once = threading.Barrier(4)
    seen: list[Any] = []

    def look() -> None:
        opened = source(reads, tmp_path / "state")
        at_once.wait()
        try:
            found = list(opened.scan())
            seen.append([(each, opened.read(each.path)) for each in found])
        except Exception as error:  # noqa: BLE001 - told by the test
            seen.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [len(each) if isinstance(each, list) else each for each in seen] == [len(PAGES)] * 4
    assert all(each == seen[0] for each in seen)


@pytest.mark.parametrize("kind", KINDS)
def test_the_run_after_a_kill_looks_twice_and_keeps_every_document(
    world: Any, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    reads = place(kind)
    world.sync(reads=reads)
    before = world.chunks()
    monkeypatch.setattr(Lease, "silent_seconds", 0.05)
    with monkeypatch.context() as patched:  # a run that dies with its lease in hand
        patched.setattr(Lease, "__exit__", lambda self, *error: self._ended.set())
        patched.setattr("ingestion.index.writer.Index.write", dies)
        [changed] = [m for p, m in world.manifests().items() if p.endswith("page0.md")]
        world.store.delete("faultline", points_selector=[ids_of(world, changed)[0]])
        with pytest.raises(Killed):
            world.sync(reads=reads)

    report = world.sync(reads=reads)

    assert report.status == "complete", report.model_dump_json()
    assert sorted(set(report.outcomes.values())) == ["modified", "unchanged"]
    assert world.chunks() == before


class Killed(BaseException):
    """What SIGKILL looks like from inside."""


def dies(*_: object) -> int:
    raise Killed


def ids_of(world: Any, manifest: dict[str, Any]) -> list[str]:
    return [k for k, c in world.chunks().items() if c["document_id"] == manifest["document_id"]]


def test_rows_with_an_id_like_a_line_number_or_without_text_have_a_path_of_their_own(
    tmp_path: Path,
) -> None:
    lines = ['{"_id": "line 2"}', "no row", '{"_id": ""}', '{"_id": "\\ud800"}', '{"_id": "a"}']
    (tmp_path / "rows.jsonl").write_text("\n".join([*lines, '{"_id": "a"}']))
    opened = source(SourceSettings.model_validate(tmp_path / "rows.jsonl"), tmp_path)

    found = {entry.path: entry.problem for entry in opened.scan()}

    assert [path for path, problem in found.items() if problem is None] == ["line 2", "a"]
    assert len(found) == 6
    with pytest.raises(DocumentError, match="no row with this _id"):
        opened.read("b")


def test_a_fetch_that_was_killed_does_not_block_the_next_one(place: Place, tmp_path: Path) -> None:
    opened = source(place("git"), tmp_path / "state")
    [clone] = [opened._clone] if isinstance(opened, GitSource) else []
    list(opened.scan())
    for left in ("shallow.lock", "refs/faultline/source.lock", "config.lock"):
        (clone / left).write_text("")
    (clone / "HEAD").unlink()

    assert len(list(opened.scan())) == len(PAGES)
