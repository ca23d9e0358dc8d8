"""A store on a directory: what is there again after a start."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import qdrant_edge as edge

from vectorstore import store as module
from vectorstore.errors import DirectoryUnusable, Refused
from vectorstore.settings import Settings
from vectorstore.store import Store

ROOT = Path(__file__).parents[3]
POINT = {"id": 1, "vector": {"": [1.0]}, "payload": {"a": 1}}


def settings(path: Path) -> Settings:
    return Settings(path=path, min_free_mb=0)


def test_a_store_is_the_same_after_it_is_opened_again(tmp_path: Path) -> None:
    first = Store(settings(tmp_path))
    first.create("x", {"vectors": {"size": 1, "distance": "Dot"}})
    first.find("x").upsert({"points": [POINT]})
    alias = {"alias_name": "y", "collection_name": "x"}
    first.change_aliases({"actions": [{"create_alias": alias}]})
    first.close()
    second = Store(settings(tmp_path))
    [point] = second.find("y").retrieve({"ids": [1]})
    assert (point["id"], point["payload"]) == (1, {"a": 1})
    second.close()


def test_a_directory_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first = Store(settings(tmp_path))
    with pytest.raises(DirectoryUnusable, match="is in use by the vector store with process id"):
        Store(settings(tmp_path))
    first.close()
    Store(settings(tmp_path)).close()


def test_a_creation_that_breaks_off_before_the_catalogue_leaves_no_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: object) -> None:
        raise OSError("no space left on device")

    first = Store(settings(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(module, "replace_json", full)
        with pytest.raises(OSError, match="no space"):
            first.create("x", {})
    assert not first.exists("x")["exists"]
    first.close()
    second = Store(settings(tmp_path))
    with pytest.raises(Refused):
        second.find("x")
    assert second.create("x", {})
    second.close()


def test_the_catalogue_is_the_old_one_when_its_replacement_is_torn(tmp_path: Path) -> None:
    first = Store(settings(tmp_path))
    first.create("x", {})
    first.close()
    (tmp_path / "catalogue.tmp").write_text('{"collections": {"x"')
    second = Store(settings(tmp_path))
    assert second.exists("x")["exists"]
    second.close()


def test_a_disk_that_is_nearly_full_is_said_to_be(tmp_path: Path) -> None:
    store = Store(Settings(path=tmp_path, min_free_mb=2**40))
    with pytest.raises(Refused, match="No space left") as caught:
        store.require_space()
    assert caught.value.status == 507
    store.close()


IDF = {
    "vectors": {"d": {"size": 2, "distance": "Dot"}},
    "sparse_vectors": {"s": {"modifier": "idf"}},
}
KEYS = {
    "by ids": {"points": [20, 21, 22, 99]},
    "by a filter": {"filter": {"must": [{"key": "first", "match": {"value": 20}}]}},
}


def texts(first: int, token: int, how_many: int = 3) -> dict[str, list[object]]:
    vector = {"d": [1.0, 1.0], "s": {"indices": [token], "values": [1.0]}}
    ids = range(first, first + how_many)
    return {"points": [{"id": n, "vector": vector, "payload": {"first": first}} for n in ids]}


def sparse_scores(store: Store, name: str) -> dict[int, float]:
    query = {"query": {"indices": [1, 2], "values": [1.0, 1.0]}, "using": "s", "limit": 9}
    return {hit["id"]: hit["score"] for hit in store.find(name).query(query)["points"]}


def fresh_and_lived(path: Path) -> Store:
    """A store with two collections of six points; three more are in the second."""
    store = Store(settings(path))
    for name in ("fresh", "lived"):
        store.create(name, IDF)
        store.find(name).upsert(texts(0, token=1))
        store.find(name).upsert(texts(10, token=2))
    store.find("lived").upsert(texts(20, token=2))
    return store


@pytest.mark.parametrize("how", KEYS)
def test_an_index_answers_as_a_fresh_one_of_the_same_points_whatever_was_deleted_from_it(
    tmp_path: Path, how: str
) -> None:
    store = fresh_and_lived(tmp_path)
    assert sparse_scores(store, "lived") != sparse_scores(store, "fresh")
    store.find("lived").delete(KEYS[how])
    assert sparse_scores(store, "lived") == sparse_scores(store, "fresh")
    store.close()
    again = Store(settings(tmp_path))
    assert sparse_scores(again, "lived") == sparse_scores(again, "fresh")
    again.close()


def test_what_an_earlier_version_deleted_counts_no_more_after_a_start(tmp_path: Path) -> None:
    store = fresh_and_lived(tmp_path)
    store.find("lived").update(edge.UpdateOperation.delete_points([20, 21, 22]))
    assert sparse_scores(store, "lived") != sparse_scores(store, "fresh")
    store.close()
    again = Store(settings(tmp_path))
    assert sparse_scores(again, "lived") == sparse_scores(again, "fresh")
    again.close()


class Watched:
    """A collection's shard, with something that happens before every update."""

    def __init__(self, collection: Any, before_update: Any) -> None:
        self._shard, self._before_update = collection._shard, before_update
        collection._shard = self

    def update(self, operation: object) -> None:
        self._before_update()
        self._shard.update(operation)

    def optimize(self) -> None:
        raise AssertionError("every thread stands still while the engine rewrites a shard")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shard, name)


def test_queries_are_answered_between_the_steps_of_a_large_deletion(tmp_path: Path) -> None:
    store = fresh_and_lived(tmp_path)
    lived = store.find("lived")
    lived.upsert(texts(1000, token=3, how_many=250))
    answers = []
    with ThreadPoolExecutor(1) as reader:
        Watched(
            lived,
            lambda: answers.append(reader.submit(lived.count, {}).result(timeout=10)["count"]),
        )
        lived.delete({"points": list(range(1000, 1250))})
    assert answers == [259] * 4  # 100, 100 and 50 sparse vectors; then the points at once
    assert lived.count({}) == {"count": 9}
    store.close()


def killed_while_deleting(path: Path, at_update: int) -> None:
    """Delete three points in a process that dies by SIGKILL before its nth update of the shard."""
    code = f"""
import itertools, os, signal
from pathlib import Path
from vectorstore.settings import Settings
from vectorstore.store import Store
from tests.unit.vectorstore.test_store import Watched
lived = Store(Settings(path=Path({str(path)!r}), min_free_mb=0)).find("lived")
updates = itertools.count(1)
Watched(lived, lambda: next(updates) == {at_update} and os.kill(os.getpid(), signal.SIGKILL))
lived.delete({{"points": [20, 21, 22]}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("at_update", [1, 2, 3])
def test_a_deletion_that_a_kill_cuts_short_is_finished_at_the_next_start(
    tmp_path: Path, at_update: int
) -> None:
    fresh_and_lived(tmp_path).close()
    killed_while_deleting(tmp_path, at_update)
    again = Store(settings(tmp_path))
    assert again.find("lived").count({}) == {"count": 6}
    assert sparse_scores(again, "lived") == sparse_scores(again, "fresh")
    again.find("lived").upsert(texts(20, token=1))
    again.close()
    last = Store(settings(tmp_path))
    assert last.find("lived").count({}) == {"count": 9}
    last.close()


def test_a_start_wins_back_the_room_of_many_deleted_points(tmp_path: Path) -> None:
    def blocks() -> int:
        return sum(file.stat().st_blocks for file in tmp_path.rglob("*.mmap"))

    store = Store(settings(tmp_path))
    store.create("x", {"vectors": {"size": 256, "distance": "Dot"}})
    ids = range(3000)
    vector = [1.0] * 256
    store.find("x").upsert({"points": [{"id": n, "vector": vector} for n in ids]})
    store.find("x").delete({"points": list(ids[100:])})
    store.close()
    before = blocks()
    again = Store(settings(tmp_path))
    assert again.find("x").count({}) == {"count": 100}
    again.close()
    assert blocks() < before / 2
