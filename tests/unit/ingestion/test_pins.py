"""What a pin holds, and what readers see of a restored index."""

from typing import Any

import pytest

from contracts.index import manifest_alias
from ingestion.errors import NotProved, UsageError
from ingestion.index import pins

PAGE = "# {title}\n\nThe {title} is kept in the cupboard next to the door.\n"


def pinned(world: Any, name: str = "good") -> Any:
    world.write("keys.md", PAGE.format(title="key") * 60)
    world.write("stop.txt", "— 1 —")  # a chunk without sparse weights
    world.sync()
    return pins.pin(world.store, "faultline", name)


def points(world: Any, collection: str) -> dict[Any, Any]:
    found, _ = world.store.scroll(collection, limit=10_000, with_vectors=True)
    return {point.id: (point.payload, point.vector) for point in found}


def aliases(world: Any) -> dict[str, str]:
    return {a.alias_name: a.collection_name for a in world.store.get_aliases().aliases}


def test_a_pin_has_every_point_of_the_index_with_payload_and_vectors(world: Any) -> None:
    pin = pinned(world)

    assert points(world, pin.index) == points(world, "faultline")
    copied = points(world, manifest_alias(pin.index))
    assert copied.pop(pins.PIN_POINT_ID)[0]["kind"] == "pin"
    assert copied == points(world, "faultline-manifest")
    assert (pin.index, pin.of, pin.documents) == ("faultline-pin-good", "faultline", 2)
    assert pin.chunks == len(world.chunks())
    sparse = world.store.get_collection(pin.index).config.params.sparse_vectors
    assert sparse == world.store.get_collection("faultline").config.params.sparse_vectors


def test_a_pin_stays_as_it_is_when_the_index_goes_on(world: Any) -> None:
    pin = pinned(world)
    before = points(world, pin.index)
    world.write("keys.md", PAGE.format(title="badge"))

    world.sync()

    assert points(world, pin.index) == before
    assert pins.pins(world.store, "faultline") == [pin]


def test_a_name_that_is_taken_or_unusable_is_refused(world: Any) -> None:
    pinned(world)

    with pytest.raises(UsageError, match="faultline has a pin good: name it otherwise"):
        pins.pin(world.store, "faultline", "good")
    for name in ("a/b", "", "x-manifest"):
        with pytest.raises(UsageError, match="cannot name a pin"):
            pins.pin(world.store, "faultline", name)
    with pytest.raises(UsageError, match="There is no index other"):
        pins.pin(world.store, "other", "good")


def test_a_copy_that_lost_a_point_is_not_pinned_and_leaves_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key") * 60)
    world.sync()
    before = world.store.get_collections()
    upsert = world.store.upsert
    with monkeypatch.context() as patched:
        forgetful = lambda collection, points, wait: upsert(collection, points[1:])  # noqa: E731
        patched.setattr(world.store, "upsert", forgetful)
        with pytest.raises(NotProved, match="Nothing was pinned; pin again"):
            pins.pin(world.store, "faultline", "good")

    assert world.store.get_collections() == before
    assert pins.pin(world.store, "faultline", "good").chunks == len(world.chunks())


def test_a_pin_is_removed_with_its_collections(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    before = world.store.get_collections()
    pins.pin(world.store, "faultline", "good")

    pins.unpin(world.store, "faultline", "good")

    assert world.store.get_collections() == before
    assert pins.pins(world.store, "faultline") == []
    with pytest.raises(UsageError, match="no pin good: `ingestion pins` lists them"):
        pins.unpin(world.store, "faultline", "good")


def test_readers_of_a_restored_index_see_the_pin_while_syncs_go_on_unseen(world: Any) -> None:
    pin = pinned(world)
    before = world.chunks()
    world.write("keys.md", PAGE.format(title="badge"))
    world.sync()

    written = pins.restore(world.store, "faultline", "good")
    world.write("new.md", PAGE.format(title="lamp"))
    report = world.sync()

    assert report.status == "complete"
    assert report.collection == written
    assert world.chunks() == before
    assert world.notes[-1] == (
        "readers of faultline see pin good instead, until `ingestion resume`"
    )
    assert pins.shown(world.store, "faultline") == "good"
    assert points(world, pin.index).keys() == before.keys()
    assert pins.resume(world.store, "faultline") == written
    assert set(world.manifests()) == {"keys.md", "new.md", "stop.txt"}
    assert not any("written" in alias for alias in aliases(world))
    world.sync()
    assert not any("see pin" in note for note in world.notes)


def test_a_collection_built_while_restored_is_what_resume_shows(world: Any) -> None:
    pinned(world)
    pins.restore(world.store, "faultline", "good")

    report = world.sync(chunk_tokens=100)

    assert aliases(world)["faultline"].endswith("-pin-good")
    assert pins.resume(world.store, "faultline") == report.collection
    assert aliases(world)["faultline"] == report.collection
    assert aliases(world)["faultline-manifest"] == manifest_alias(report.collection)


def test_restoring_to_another_pin_keeps_what_syncs_write(world: Any) -> None:
    pinned(world)
    pins.pin(world.store, "faultline", "better")
    written = pins.restore(world.store, "faultline", "good")

    assert pins.restore(world.store, "faultline", "better") == written
    assert pins.shown(world.store, "faultline") == "better"
    assert pins.resume(world.store, "faultline") == written


def test_what_makes_no_sense_for_a_restored_index_is_refused(world: Any) -> None:
    pinned(world)
    with pytest.raises(UsageError, match="not restored"):
        pins.resume(world.store, "faultline")
    with pytest.raises(UsageError, match="has no pin bad"):
        pins.restore(world.store, "faultline", "bad")
    pins.restore(world.store, "faultline", "good")

    for refused in (pins.unpin, pins.pin):
        with pytest.raises(UsageError, match=r"`ingestion resume` first|has a pin good"):
            refused(world.store, "faultline", "good")
    with pytest.raises(UsageError, match="see pin good now"):
        pins.pin(world.store, "faultline", "more")


def test_nothing_is_synced_into_a_pin(world: Any) -> None:
    pin = pinned(world)

    with pytest.raises(UsageError, match="no name for an index that is written to"):
        world.sync(index=pin.index)
