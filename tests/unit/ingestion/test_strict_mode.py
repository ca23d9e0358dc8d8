"""A store in strict mode, as Qdrant Cloud's are, refuses a filter by a field without an index."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from qdrant_client import models

from ingestion.index.lease import Lease

PAGE = "# {0}\n\nThe {0} is kept in the cupboard next to the door.\n"
FILTERED = (
    "scroll",
    "count",
    "delete",
    "set_payload",
    "upsert",
    "batch_update_points",
    "query_points",
)


class Unindexed(Exception):
    """What strict mode answers with 400."""


def keys_of(value: Any) -> Iterator[str]:
    """Payload fields that a filter asks for, at any depth of the arguments of a call."""
    if isinstance(value, models.FieldCondition):
        yield value.key
    elif isinstance(value, list | tuple):
        for each in value:
            yield from keys_of(each)
    elif isinstance(value, models.PointStruct):
        return
    elif hasattr(value, "model_fields_set"):
        for name in value.model_fields_set:
            yield from keys_of(getattr(value, name))


@pytest.fixture
def strict(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The world, whose store refuses filters by fields that have no index."""
    store = world.store
    indexed: dict[str, set[str]] = defaultdict(set)
    create_index = store.create_payload_index

    def create_payload_index(name: str, field: str, *args: Any, **kwargs: Any) -> Any:
        indexed[name].add(field)
        return create_index(name, field, *args, **kwargs)

    def checked(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(name: str, *args: Any, **kwargs: Any) -> Any:
            aliases = {a.alias_name: a.collection_name for a in store.get_aliases().aliases}
            unknown = set(keys_of([*args, *kwargs.values()])) - indexed[aliases.get(name, name)]
            if unknown:
                raise Unindexed(f"{call.__name__} of {name} filters by {sorted(unknown)}")
            return call(name, *args, **kwargs)

        return wrapped

    monkeypatch.setattr(store, "create_payload_index", create_payload_index)
    for name in FILTERED:
        monkeypatch.setattr(store, name, checked(getattr(store, name)))
    return world


def test_a_whole_life_of_a_source_filters_by_indexed_fields_only(
    strict: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abcdef":
        strict.write(f"{name}.md", PAGE.format(name) * 9)
    assert strict.sync().count("added") == 6
    strict.write("a.md", PAGE.format("other"))
    (strict.folder / "b.md").unlink()
    (strict.folder / "c.md").rename(strict.folder / "g.md")
    assert strict.sync().status == "complete"
    monkeypatch.setattr(Lease, "silent_seconds", 0.05)
    strict.write("d.md", PAGE.format("killed"))
    with monkeypatch.context() as patched:  # a run that dies with its lease in hand
        patched.setattr(Lease, "__exit__", lambda self, *error: self._ended.set())
        patched.setattr("ingestion.index.writer.Index.remove", dies)
        with pytest.raises(Killed):
            strict.sync()
    assert strict.sync().status == "complete"
    assert strict.sync(namespace="staff").status == "complete"
    assert ingestion("pin", "good").exit_code == 0
    assert strict.sync(namespace="staff", chunk_tokens=100).status == "complete"
    for command in (
        "status",
        "rollback",
        "resume",
        "lineage docs/a.md",
        "audit docs",
        "unpin good",
        "remove docs --yes",
    ):
        done = ingestion(*command.split())
        assert not isinstance(done.exception, Unindexed), (command, done.exception)


class Killed(BaseException):
    """What SIGKILL looks like from inside."""


def dies(*_: object) -> int:
    raise Killed


@pytest.mark.parametrize(("version", "is_new"), [("1.15.4", 0), ("v1.9.0", 0), ("1.16.0", 1)])
def test_a_store_that_ignores_conditions_is_refused_before_anything_is_written(
    world: Any, monkeypatch: pytest.MonkeyPatch, version: str, is_new: int
) -> None:
    world.write("a.md", PAGE.format("a"))
    monkeypatch.setattr(world.store, "info", lambda: SimpleNamespace(version=version))

    report = world.sync()

    assert report.status == ("complete" if is_new else "failed")
    if not is_new:
        assert f"is Qdrant {version}" in str(report.error)
        assert "update it to 1.16 or later" in str(report.error)
        assert not world.store.get_aliases().aliases


def test_status_reads_no_manifest(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        world.write(f"{name}.md", PAGE.format(name))
    world.sync()
    scroll = world.store.scroll

    def small(name: str, *args: Any, **kwargs: Any) -> Any:
        assert name == "ingestion-sources"
        return scroll(name, *args, **kwargs)

    monkeypatch.setattr(world.store, "scroll", small)

    result = ingestion("status")

    assert result.exit_code == 0, result.output
    assert "docs in faultline: 3 documents, 3 chunks" in result.stdout
