"""What `ingestion why` says of a chunk, whether readers see it or not."""

import json
from typing import Any

import pytest

from contracts.index import manifest_alias, manifest_point_id
from ingestion.errors import UsageError
from ingestion.index import pins
from ingestion.operate.lineage import lineages

PAGE = "# {title}\n\nThe {title} is kept in the cupboard next to the door.\n"


def synced(world: Any) -> str:
    """The id of the one chunk of a world of one page."""
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    [chunk_id] = world.chunks()
    return str(chunk_id)


@pytest.mark.parametrize("form", ["{id}", "docs/keys.md#0", "docs/keys.md"])
def test_a_chunk_is_found_by_each_form_of_its_name(world: Any, form: str) -> None:
    chunk_id = synced(world)

    [found] = lineages(world.store, "faultline", form.format(id=chunk_id))

    assert found.chunk_id == chunk_id
    assert found.chunk.text.startswith("# key")
    assert found.document
    assert found.document.path == "keys.md"
    assert found.chunker == "tokens:size=200,overlap=24"
    assert found.parser.startswith("markdown, parsers ")
    assert found.built_with.embedder.model == "hash"
    assert (found.seen, found.visibility) == (True, "readers of faultline see it")


def test_a_document_gives_all_its_chunks_in_order(world: Any) -> None:
    world.write("keys#2.md", PAGE.format(title="key") * 60)
    world.sync()

    found = lineages(world.store, "faultline", "docs/keys#2.md")

    assert [each.chunk.ordinal for each in found] == list(range(len(world.chunks())))
    assert len(found) > 2
    assert lineages(world.store, "faultline", "docs/keys#2.md#2") == found[2:3]


def test_a_chunk_that_is_nowhere_is_refused_with_the_forms_that_ids_have(world: Any) -> None:
    synced(world)

    for wanted in ("docs/keys.md#7", "keys.md", "0b7c1f0e-5c0e-5d51-9a3e-6f2b8f1f7c11"):
        with pytest.raises(UsageError, match=r"has a chunk .*chunk_id.*citations.*DOCUMENT#ORDI"):
            lineages(world.store, "faultline", wanted)
    with pytest.raises(UsageError, match="There is no index other: `ingestion sync"):
        lineages(world.store, "other", "docs/keys.md")


def test_chunks_without_a_manifest_or_of_another_version_are_not_seen(world: Any) -> None:
    synced(world)
    manifests, point = manifest_alias("faultline"), manifest_point_id("default", "docs/keys.md")
    world.store.set_payload(manifests, {"version": "f" * 64}, points=[point])
    [replaced] = lineages(world.store, "faultline", "docs/keys.md")
    world.store.delete(manifests, [point])
    [uncommitted] = lineages(world.store, "faultline", "docs/keys.md")

    assert (replaced.seen, uncommitted.seen) == (False, False)
    assert "version ffffffffffff of its document replaced it" in replaced.visibility
    assert "not committed" in uncommitted.visibility


def test_a_chunk_of_a_collection_that_readers_do_not_see_says_which_they_see(world: Any) -> None:
    synced(world)
    pins.pin(world.store, "faultline", "good")
    pins.restore(world.store, "faultline", "good")
    world.write("new.md", PAGE.format(title="lamp"))
    written = world.sync().collection

    [hidden] = lineages(world.store, "faultline", "docs/new.md")
    [shown] = lineages(world.store, "faultline", "docs/keys.md")

    assert (hidden.collection, hidden.seen) == (written, False)
    assert "see faultline-" in hidden.visibility
    assert "(pin good, until `ingestion resume`)" in hidden.visibility
    assert (shown.collection, shown.seen) == (f"{written}-pin-good", True)


def test_the_command_says_all_of_it_and_where_the_raw_document_lies(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk_id = synced(world)
    unknown = ingestion("why", chunk_id)
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"docs": str(world.folder)}))

    text = ingestion("why", "docs/keys.md#0").stdout
    [found] = json.loads(ingestion("why", chunk_id, "--json").stdout)

    assert "not looked up: No source docs is declared" in unknown.stdout
    assert f"keys.md in {world.folder}: unchanged since" in text
    for said in (chunk_id, "#0 of 1", "characters 0 to", "headings", "hash, fingerprint", "run "):
        assert said in text
    assert found["chunk"]["headings"] == ["key"]
    assert "probe_vectors" not in found["built_with"]["embedder"]
    world.write("keys.md", "# Another\n\nText.")
    assert "another version now" in ingestion("why", chunk_id).stdout
    (world.folder / "keys.md").unlink()
    assert "gone from there" in ingestion("why", chunk_id).stdout
    missing = ingestion("why", "docs/none.md")
    assert missing.exit_code == 2
    assert "citations" in missing.stderr
