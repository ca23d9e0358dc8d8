"""A store on a directory: what is there again after a start."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import qdrant_edge as edge

from vectorstore import store as module
from vectorstore.errors import DirectoryUnusable, Refused
from vectorstore.settings import Settings
from vectorstore.store import Store

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


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until


def sparse_scores(store: Store, name: str) -> dict[int, float]:
    query = {"query": {"indices": [1, 2], "values": [1.0, 1.0]}, "using": "s", "limit": 9}
    return {hit["id"]: hit["score"] for hit in store.find(name).query(query)["points"]}


def test_an_index_answers_as_a_fresh_one_of_the_same_points_whatever_was_deleted_from_it(
    tmp_path: Path,
) -> None:
    def texts(first: int, token: int) -> dict[str, list[object]]:
        vector = {"s": {"indices": [token], "values": [1.0]}}
        return {"points": [{"id": first + n, "vector": vector} for n in range(3)]}

    store = Store(settings(tmp_path))
    for name in ("fresh", "lived"):
        store.create(name, {"sparse_vectors": {"s": {"modifier": "idf"}}})
        store.find(name).upsert(texts(0, token=1))
        store.find(name).upsert(texts(10, token=2))
    lived = store.find("lived")
    lived.upsert(texts(20, token=2))
    lived.update(edge.UpdateOperation.delete_points([20, 21, 22]))
    assert sparse_scores(store, "lived") != sparse_scores(store, "fresh")
    eventually(lambda: sparse_scores(store, "lived") == sparse_scores(store, "fresh"))
    store.close()


def test_what_a_crash_left_unswept_is_swept_at_the_next_start(tmp_path: Path) -> None:
    first = Store(settings(tmp_path))
    first.create("x", {"sparse_vectors": {"s": {"modifier": "idf"}}})
    vector = {"s": {"indices": [1], "values": [1.0]}}
    for n in (1, 2):
        first.find("x").upsert({"points": [{"id": n, "vector": vector}]})
    alone = sparse_scores(first, "x")[1]
    first.find("x").update(edge.UpdateOperation.delete_points([2]))
    first.close()  # before it was quiet
    second = Store(settings(tmp_path))
    eventually(lambda: sparse_scores(second, "x")[1] != alone)
    second.close()
