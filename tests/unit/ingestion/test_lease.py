"""One writer at a time; one that stood still and goes on can change nothing any more (I8)."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from contracts.index import manifest_alias
from ingestion.documents.duplicates import Duplicates
from ingestion.documents.languages import Languages
from ingestion.errors import Fenced, Unavailable
from ingestion.index.lease import LEASES, Lease
from ingestion.index.writer import RESERVED, Index
from ingestion.parse import parse
from ingestion.settings import Settings
from ingestion.sources.folder import FolderSource
from ingestion.sync.batch import Indexer
from ingestion.sync.plan import make_plan
from ingestion.sync.request import request_for
from ingestion.sync.services import chunker_of, spec_of

PAGE = "# {title}\n\nThe {title} is kept in the cupboard next to the door.\n"


@pytest.fixture
def lease(world: Any) -> Callable[..., Lease]:
    def lease(silent_seconds: float = 30, wait_seconds: float = 0) -> Lease:
        made = Lease(world.store, "faultline-1", "default", "docs")
        made.silent_seconds, made.wait_seconds = silent_seconds, wait_seconds
        return made

    return lease


def held_by(world: Any, **holder: Any) -> None:
    """Let the lease belong to another process."""
    [point] = world.store.scroll(LEASES)[0]
    world.store.set_payload(LEASES, {"holder": "another", "beat": 7} | holder, points=[point.id])


def test_every_lease_has_a_higher_token_and_none_but_the_first_takes_over(lease: Any) -> None:
    tokens = []
    for _ in range(3):
        with lease() as held:
            tokens.append((held.token, held.took_over))
    assert tokens == [(1, False), (2, False), (3, False)]


def test_of_two_runs_that_see_a_free_lease_one_gets_it(lease: Any) -> None:
    with lease():
        pass
    one, other = lease(), lease()
    seen = one._read()
    assert (one._take(seen), other._take(seen)) == (True, False)


def test_a_second_run_is_told_who_is_at_work(lease: Any, caplog: Any) -> None:
    with (
        lease(),
        pytest.raises(Unavailable, match=rf"process {os.getpid()} on .* stop it"),
        lease(),
    ):
        pass
    assert caplog.messages == []  # it did not wait
    with lease():
        pass


def test_a_run_waits_for_one_that_beats_and_says_so_once(lease: Any, caplog: Any) -> None:
    busy = lease(silent_seconds=0.2, wait_seconds=0.5)
    with lease(silent_seconds=0.2) as first, pytest.raises(Unavailable), busy:
        pass
    assert first.token == 1
    assert [m.endswith("waiting for it.") for m in caplog.messages] == [True]


def test_the_lease_of_a_process_that_is_gone_is_taken_over_at_once(world: Any, lease: Any) -> None:
    with lease():
        pass
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    held_by(world, host=socket.gethostname(), process=gone.pid)
    with lease() as held:
        assert (held.token, held.took_over) == (2, True)


def test_a_holder_elsewhere_that_stands_still_is_taken_over(world: Any, lease: Any) -> None:
    with lease():
        pass
    held_by(world, host="elsewhere", process=1)
    with lease(silent_seconds=0.05, wait_seconds=30) as held:
        assert held.took_over


def test_a_store_that_is_away_is_told_once(lease: Any, caplog: Any) -> None:
    beats, thrice = [], threading.Event()

    def away(payload: Any, **only: Any) -> None:
        beats.append(payload)
        if len(beats) == 3:
            thrice.set()
        raise Unavailable("away")

    with lease(silent_seconds=0.05) as held:
        renew, held._set = held._set, away
        assert thrice.wait(30)
        held._set = renew
    assert len([m for m in caplog.messages if m.endswith("was not renewed: away")]) == 1


def test_a_lease_that_was_lost_is_not_given_back(world: Any, lease: Any) -> None:
    with lease() as first:
        held_by(world)
        with pytest.raises(Fenced, match="took over the sync of docs"):
            first.check()
    [point] = world.store.scroll(LEASES)[0]
    assert point.payload["holder"] == "another"


@pytest.fixture
def writer(world: Any) -> Callable[[str], Indexer]:
    """One who writes the source "docs", as a run does."""

    def writer(run_id: str) -> Indexer:
        request = request_for(world.folder, Settings(state_dir=world.state_dir))
        chunker = chunker_of(request, world.embedder)
        spec = spec_of(world.embedder, chunker)
        index = Index(world.store, "faultline", spec, "default", "docs")
        index.open()
        source = FolderSource(world.folder, 10**6)
        given = {"source": source, "name": "docs", "tenant": "default", "namespace": "default"}
        given |= {"run_id": run_id, "chunker": chunker, "embedder": world.embedder, "index": index}
        given |= {"reads": request.reads, "parse": parse, "duplicates": Duplicates()}
        given |= {"languages": Languages([], "")}
        return Indexer(**given)

    return writer


def write_all(writer: Indexer) -> None:
    plan = make_plan(writer.source.scan(), writer.index.manifests(), "default")
    writer.index_batch(plan.pending)
    writer.index.remove(plan.deleted)


def taken_over(world: Any) -> None:
    held_by(world, host=socket.gethostname(), process=-1)
    [point] = world.store.scroll(LEASES)[0]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    world.store.set_payload(LEASES, {"process": gone.pid}, points=[point.id])


@pytest.mark.parametrize(
    ("page", "successor_finds"),
    [("keys.md", "an edit"), ("keys.md", "nothing new"), ("new.md", "an edit"), ("new.md", "none")],
)
def test_a_writer_that_was_overtaken_commits_nothing(
    world: Any, writer: Any, page: str, successor_finds: str
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    with writer("first").index.lease():
        pass
    stale, next_one = writer("stale"), writer("next")
    with next_one.index.lease():
        write_all(next_one)
    with stale.index.lease():
        known = stale.index.manifests()
        world.write(page, PAGE.format(title="stale"))
        plan = make_plan(stale.source.scan(), known, "default")
        taken_over(world)
        with next_one.index.lease():
            if successor_finds == "an edit":
                world.write(page, PAGE.format(title="newer"))
            elif successor_finds == "nothing new":
                world.write(page, PAGE.format(title="key"))
            else:
                (world.folder / page).unlink()
            write_all(next_one)
        seen = world.visible_texts()
        world.write(page, PAGE.format(title="stale"))
        with pytest.raises(Fenced):
            stale.index_batch(plan.pending)
    assert world.visible_texts() == seen
    assert not any("stale" in text for text in seen)
    assert {manifest["run_id"] for manifest in world.manifests().values()} == {"next"}


def test_a_writer_that_was_overtaken_deletes_nothing(world: Any, writer: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    stale, next_one = writer("stale"), writer("next")
    with stale.index.lease():
        write_all(stale)
        known = stale.index.manifests()
        taken_over(world)
        with next_one.index.lease():
            pass
        with pytest.raises(Fenced):
            stale.index.remove(list(known.values()))
    assert set(world.manifests()) == {"keys.md"}
    assert world.visible_texts()


def test_a_late_sweep_spares_the_same_version_that_a_successor_brought_back(
    world: Any, writer: Any
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    stale, next_one = writer("stale"), writer("next")
    with stale.index.lease():
        write_all(stale)
        [old] = stale.index.manifests().values()
        world.write("keys.md", PAGE.format(title="badge"))
        sweep = Index._sweep
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Index, "_sweep", lambda self, manifests, keep: 0)
            write_all(stale)
        taken_over(world)
        with next_one.index.lease():
            world.write("keys.md", PAGE.format(title="key"))
            write_all(next_one)
        sweep(stale.index, [old], set())
    assert any("key is kept" in text for text in world.visible_texts())


def test_a_run_that_was_overtaken_between_manifests_and_chunks_takes_none_for_an_orphan(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    world.write("keys.md", PAGE.format(title="badge"))
    audit, audits = Index.audit, count(1)

    def stands_still(index: Index, manifests: Any) -> Any:
        if next(audits) == 2:  # the proof at the end has read the manifests
            taken_over(world)
            world.write("keys.md", PAGE.format(title="newer"))
            world.write("new.md", PAGE.format(title="newest"))  # else the count alone is right
            assert world.sync().status == "complete"
        return audit(index, manifests)

    monkeypatch.setattr(Index, "audit", stands_still)
    report = world.sync()
    assert "took over the sync of docs" in str(report.error)
    assert len(world.visible_texts()) == 2
    assert all("newe" in text for text in world.visible_texts())


def test_places_of_documents_that_were_never_committed_are_left(
    world: Any, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    one = writer("one")
    with monkeypatch.context() as patched:
        patched.setattr(Lease, "check", refuse)
        with pytest.raises(Fenced), one.index.lease():
            write_all(one)
    points = world.store.scroll(manifest_alias("faultline"))[0]
    assert [point.payload["kind"] for point in points] == ["spec"]


def refuse(lease: Lease) -> None:
    raise Fenced("taken over")


def test_an_index_is_not_written_to_without_its_lease(world: Any, writer: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    with pytest.raises(RuntimeError, match="under its lease only"):
        write_all(writer("one"))


def test_a_place_is_no_document(world: Any, writer: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    one = writer("one")
    with one.index.lease():
        write_all(one)
        world.store.set_payload(
            manifest_alias("faultline"), {"kind": RESERVED}, points=list_ids(world)
        )
        assert one.index.manifests() == {}


def list_ids(world: Any) -> list[Any]:
    points = world.store.scroll(manifest_alias("faultline"))[0]
    return [point.id for point in points if point.payload["kind"] == "document"]


def test_a_run_with_nothing_to_do_writes_nothing_not_even_a_lease(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    for write in ("upsert", "delete", "set_payload", "batch_update_points", "create_collection"):
        monkeypatch.setattr(world.store, write, None)
    report = world.sync()
    assert report.error is None
    assert report.outcomes == {"keys.md": "unchanged"}


def test_a_run_that_had_to_wait_looks_at_the_source_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    world.write("keys.md", PAGE.format(title="badge"))
    enter = Lease.__enter__

    def enter_after_another_run(lease: Lease) -> Lease:
        monkeypatch.setattr(Lease, "__enter__", enter)
        world.write("keys.md", PAGE.format(title="newer"))
        world.sync()
        return enter(lease)

    monkeypatch.setattr(Lease, "__enter__", enter_after_another_run)
    report = world.sync()
    assert report.outcomes == {"keys.md": "unchanged"}
    assert any("newer is kept" in text for text in world.visible_texts())
