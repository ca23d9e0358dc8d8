"""What readers see after a rollback, and how they go forward again."""

import json
from typing import Any

import pytest

from ingestion.errors import UsageError
from ingestion.index import pins
from ingestion.operate.rollback import rollback

PAGE = "# {title}\n\nThe {title} is kept in the cupboard next to the door.\n"


def rebuilt(world: Any) -> tuple[str, str]:
    """An index that switched from large to small chunks: both collections."""
    world.write("keys.md", PAGE.format(title="key") * 60)
    old = world.sync().collection
    new = world.sync(chunk_tokens=50).collection
    assert readers_see(world) == new
    return old, new


def readers_see(world: Any) -> str:
    return aliases(world)["faultline"]


def aliases(world: Any) -> dict[str, str]:
    return {a.alias_name: a.collection_name for a in world.store.get_aliases().aliases}


def test_readers_see_the_old_content_and_then_the_new_again(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key") * 60)
    old = world.sync().collection
    chunks, manifests = world.chunks(), world.manifests()
    new = world.sync(chunk_tokens=50).collection
    newer = world.chunks()

    done = rollback(world.store, "faultline")

    assert (world.chunks(), world.manifests()) == (chunks, manifests)
    assert (done.shown, done.written) == (old, new)
    assert (done.documents, done.chunks) == (1, len(chunks))
    assert done.chunker
    assert ["size=200" in done.chunker[0], "size=50" in done.chunker[1]] == [True, True]
    assert done.embedder is None
    assert pins.resume(world.store, "faultline") == new
    assert world.chunks() == newer
    assert rollback(world.store, "faultline").shown == old  # as often as one likes


def test_a_sync_does_not_undo_a_rollback(world: Any) -> None:
    old, new = rebuilt(world)
    rollback(world.store, "faultline")
    before = world.chunks()
    world.write("new.md", PAGE.format(title="lamp"))

    report = world.sync(chunk_tokens=50)

    assert report.collection == new
    assert world.chunks() == before
    assert world.notes[-1] == (
        f"readers of faultline see the earlier {old} instead, until `ingestion resume`"
    )
    pins.resume(world.store, "faultline")
    assert set(world.manifests()) == {"keys.md", "new.md"}


def test_syncs_with_the_earlier_settings_end_a_rollback_where_it_is(world: Any) -> None:
    old, new = rebuilt(world)
    rollback(world.store, "faultline")
    world.write("new.md", PAGE.format(title="lamp"))

    world.sync()

    assert readers_see(world) == old
    assert set(world.manifests()) == {"keys.md", "new.md"}
    assert not any("instead" in note for note in world.notes)
    assert pins.shown(world.store, "faultline") is None
    assert rollback(world.store, "faultline").shown == new


def test_a_third_collection_built_meanwhile_rolls_back_to_what_readers_saw(world: Any) -> None:
    old, _ = rebuilt(world)
    rollback(world.store, "faultline")

    third = world.sync(chunk_tokens=80).collection

    assert readers_see(world) == old
    assert pins.resume(world.store, "faultline") == readers_see(world) == third
    assert rollback(world.store, "faultline").shown == old


def test_an_index_switches_back_only_once_every_source_was_synced_into_it_last(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    for size in (200, 50):
        for source in ("one", "two"):
            old_or_new = world.sync(source=source, chunk_tokens=size).collection
    world.write("keys.md", PAGE.format(title="badge"))

    old = world.sync(source="one").collection

    assert readers_see(world) == old_or_new != old
    assert "sync two too" in world.notes[-1]
    world.sync(source="two")
    assert readers_see(world) == old
    assert not any("key" in text for text in world.visible_texts())


def test_a_rollback_to_nothing_or_from_a_pin_is_refused(world: Any) -> None:
    with pytest.raises(UsageError, match="There is no index faultline"):
        rollback(world.store, "faultline")
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    with pytest.raises(UsageError, match=r"none to roll back to. `ingestion pins` lists copies"):
        rollback(world.store, "faultline")
    pins.pin(world.store, "faultline", "good")
    world.sync(chunk_tokens=100)
    pins.restore(world.store, "faultline", "good")
    with pytest.raises(UsageError, match="see pin good now: `ingestion resume` first"):
        rollback(world.store, "faultline")


def test_the_command_says_what_readers_see_how_fast_and_how_to_go_on(
    world: Any, ingestion: Any
) -> None:
    old, new = rebuilt(world)

    text = ingestion("rollback").stdout
    again = ingestion("rollback")

    assert f"Readers of faultline see {old} again, since 0." in text
    assert f"into {new}, which no reader sees. Forward again: `ingestion resume`" in text
    assert again.exit_code == 2
    assert f"see the earlier {old} now" in " ".join(again.stderr.split())
    assert f"see the earlier {old} until" in ingestion("status").stdout
    ingestion("resume")
    assert json.loads(ingestion("rollback", "--json").stdout)["written"] == new


def test_another_embedder_before_the_switch_is_named_since_it_must_be_served(
    world: Any, ingestion: Any
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    world.embedder.model = "another"
    world.sync()

    text = ingestion("rollback").stdout

    assert "Its embedder: hash " in text
    assert "Serve that one again" in text
