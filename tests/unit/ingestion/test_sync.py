"""What a run does to the index, and how it accounts for it."""

import os
import uuid
from typing import Any

import pytest
from qdrant_client import models

from contracts.endpoints import EmbedderManifest
from ingestion.errors import InputRefused, Unavailable, UsageError
from ingestion.index.lease import Lease
from ingestion.parse import FORMATS

PAGE = "# {title}\n\nThe {title} is kept in the cupboard next to the door.\n"


def test_new_documents_are_added_with_a_manifest_each(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.write("sub/badges.txt", "Badges are printed on Mondays.")

    report = world.sync()

    assert report.status == "complete"
    assert report.outcomes == {"keys.md": "added", "sub/badges.txt": "added"}
    assert world.manifests()["keys.md"]["document_id"] == "docs/keys.md"
    assert world.manifests()["keys.md"]["chunks"] == 1
    assert "Badges are printed on Mondays." in world.visible_texts()


def test_a_second_run_embeds_nothing_and_writes_nothing(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    chunks, manifests = world.chunks(), world.manifests()
    world.embedder.texts.clear()

    report = world.sync()

    assert report.outcomes == {"keys.md": "unchanged"}
    assert world.embedder.texts == []
    assert (world.chunks(), world.manifests()) == (chunks, manifests)


def test_a_forced_run_embeds_every_document_anew_and_changes_no_chunk(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.write("badges.md", PAGE.format(title="badge"))
    world.sync()
    chunks = world.chunks()
    world.embedder.texts.clear()

    report = world.sync(force=True)

    assert report.outcomes == {"keys.md": "modified", "badges.md": "modified"}
    assert len(world.embedder.texts) == 2
    assert world.chunks() == chunks
    assert world.sync().count("unchanged") == 2


def test_an_edit_replaces_the_document_and_sweeps_the_old_version(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key") * 60)
    world.sync()
    world.write("keys.md", PAGE.format(title="spare key"))

    report = world.sync()

    assert report.outcomes == {"keys.md": "modified"}
    assert report.chunks_swept > 1
    [chunk] = world.chunks().values()
    assert "spare key" in chunk["text"]


def test_a_deleted_document_leaves_nothing_behind(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.write("badges.md", PAGE.format(title="badge"))
    world.sync()
    (world.folder / "keys.md").unlink()

    report = world.sync()

    assert report.outcomes == {"keys.md": "deleted", "badges.md": "unchanged"}
    assert {chunk["document_id"] for chunk in world.chunks().values()} == {"docs/badges.md"}


def test_content_found_under_another_path_is_reported_as_a_move(world: Any) -> None:
    world.write("old.md", PAGE.format(title="key"))
    world.sync()
    (world.folder / "old.md").rename(world.folder / "new.md")

    report = world.sync()

    assert report.outcomes == {"old.md": "deleted", "new.md": "added"}
    assert [(move.old_path, move.new_path) for move in report.moves] == [("old.md", "new.md")]


def test_two_documents_of_equal_content_stay_two_documents(world: Any) -> None:
    world.write("a.md", PAGE.format(title="key"))
    world.write("b.md", PAGE.format(title="key"))
    world.sync()
    assert len(world.chunks()) == 2
    (world.folder / "a.md").unlink()

    world.sync()

    assert set(world.manifests()) == {"b.md"}
    assert len(world.chunks()) == 1


def test_documents_that_swap_their_contents_both_change(world: Any) -> None:
    world.write("a.md", PAGE.format(title="key"))
    world.write("b.md", PAGE.format(title="badge"))
    world.sync()
    world.write("a.md", PAGE.format(title="badge"))
    world.write("b.md", PAGE.format(title="key"))

    report = world.sync()

    assert report.outcomes == {"a.md": "modified", "b.md": "modified"}
    texts = {c["document_id"]: c["text"] for c in world.chunks().values()}
    assert "badge" in texts["docs/a.md"]
    assert len(texts) == len(world.chunks()) == 2


def test_every_entry_of_a_folder_has_an_outcome_and_a_reason(world: Any) -> None:
    world.write("good.md", PAGE.format(title="key"))
    world.write("sheet.odg", b"PK")
    world.write(".hidden/secret.md", "# secret")
    world.write("empty.md", "")
    os.mkfifo(world.folder / "pipe.md")
    (world.folder / "passwd.txt").symlink_to("/etc/passwd")
    (world.folder / "loop").symlink_to(world.folder)

    report = world.sync()

    assert report.status == "partial"
    assert report.count("added") == 1
    reasons = {entry.path: entry.reason for entry in report.quarantined}
    assert set(reasons) == {".hidden", "empty.md", "loop", "passwd.txt", "pipe.md", "sheet.odg"}
    assert "format .odg is not supported; supported: .md" in reasons["sheet.odg"]
    assert "no text" in reasons["empty.md"]
    assert "out of the source" in reasons["passwd.txt"]
    assert "not a regular file" in reasons["pipe.md"]


def test_a_document_that_turns_bad_keeps_its_last_good_version_and_says_so(world: Any) -> None:
    world.write("keys.docx", b"no zip at all")
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    world.write("keys.md", " \n")

    report = world.sync()

    assert report.outcomes["keys.md"] == "quarantined"
    [reason] = [entry.reason for entry in report.quarantined if entry.path == "keys.md"]
    assert reason == "it has no text; its last good version stays in the index"
    assert any("cupboard" in text for text in world.visible_texts())


def test_a_bad_document_is_tried_three_times_and_again_when_it_changes(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    monkeypatch.setattr("ingestion.sync.batch.validate", tries.append)
    world.parse = refusing(tries)
    world.write("bad.md", "one")

    attempts = [world.sync().quarantined[0].attempts for _ in range(5)]
    world.write("bad.md", "two")
    again = world.sync().quarantined[0].attempts

    assert attempts == [1, 2, 3, 3, 3]
    assert again == 1
    assert len(tries) == 4


def test_what_was_quarantined_for_its_format_is_read_once_the_format_is_supported(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("rates.csv", "City,Rate\nBern,80\n")
    with monkeypatch.context() as patched:
        patched.delitem(FORMATS, ".csv")
        attempts = [world.sync().quarantined[0].attempts for _ in range(4)]

    report = world.sync()

    assert attempts == [1, 2, 3, 3]
    assert report.outcomes == {"rates.csv": "added"}


def refusing(tries: list[Any]) -> Any:
    from ingestion.errors import DocumentError

    def parse(raw: bytes, format: str, path: str) -> None:
        tries.append(path)
        raise DocumentError("it is bad")

    return parse


def test_a_source_that_lost_every_document_is_held(world: Any) -> None:
    file = world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    file.unlink()

    report = world.sync()

    assert report.status == "held"
    assert report.hold.reasons == ["0 of 1 documents of docs are left in the source"]
    assert set(world.manifests()) == {"keys.md"}
    assert world.sync(allow_empty=True).outcomes == {"keys.md": "deleted"}
    assert world.chunks() == {}


def test_a_missing_folder_changes_nothing(world: Any) -> None:
    with pytest.raises(UsageError, match="There is nothing at"):
        world.sync(location=world.folder / "gone")


def test_a_batch_is_tried_again_when_the_embedder_comes_back_and_a_person_is_told(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from ingestion.sync.retry import retried

    world.write("keys.md", PAGE.format(title="key"))
    world.embedder.embed = failing_once(world.embedder.embed, Unavailable("not yet"))

    def retried_at_once(run_batch: Any) -> Any:
        return retried(run_batch, sleep=lambda seconds: None)

    assert world.sync(retried_at_once).status == "complete"
    assert caplog.messages == ["not yet Trying again in 2 s."]


def test_a_run_that_fails_says_why_and_the_next_one_finishes_it(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.embedder.embed = failing_once(world.embedder.embed, Unavailable("the embedder is away"))

    failed = world.sync()

    assert failed.status == "failed"
    assert failed.error == "the embedder is away"
    assert world.sync().outcomes == {"keys.md": "added"}


def failing_once(function: Any, error: Exception) -> Any:
    failures = [error]

    def wrapped(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return function(*args)

    return wrapped


def test_only_the_document_that_the_embedder_cannot_take_is_quarantined(world: Any) -> None:
    world.write("good.md", PAGE.format(title="key"))
    world.write("bad.md", PAGE.format(title="curse"))
    embed = world.embedder.embed

    def refuse_the_curse(dense: list[str], sparse: list[str]) -> Any:
        if any("curse" in text for text in dense):
            raise InputRefused("413: input 0 has 999 tokens")
        return embed(dense, sparse)

    world.embedder.embed = refuse_the_curse

    report = world.sync()

    assert report.outcomes == {"good.md": "added", "bad.md": "quarantined"}
    assert "999 tokens" in report.quarantined[0].reason


@pytest.mark.parametrize("call", ["upsert", "retrieve", "delete"])
@pytest.mark.parametrize("nth", range(8))
def test_a_run_killed_at_any_call_is_converged_by_the_next(
    world: Any, monkeypatch: pytest.MonkeyPatch, call: str, nth: int
) -> None:
    for name in "abcd":
        world.write(f"{name}.md", PAGE.format(title=name) * 40)
    world.sync()
    world.write("a.md", PAGE.format(title="new a") * 50)
    world.write("e.md", PAGE.format(title="e"))
    (world.folder / "b.md").unlink()
    (world.folder / "c.md").rename(world.folder / "f.md")
    monkeypatch.setattr(Lease, "silent_seconds", 0.05)  # who died here is the process that goes on
    with monkeypatch.context() as patched:
        patched.setattr(world.store, call, dying(getattr(world.store, call), nth))
        try:
            world.sync()
        except Killed:
            assert mixed_documents(world) == []

    world.sync()
    world.sync(index="fresh")

    assert mixed_documents(world) == []
    assert world.chunks() == world.chunks("fresh")


@pytest.mark.parametrize("call", ["upsert", "batch_update_points", "delete"])
@pytest.mark.parametrize("nth", range(6))
def test_a_change_of_namespace_killed_at_any_call_shows_each_document_whole_to_one_namespace(
    world: Any, monkeypatch: pytest.MonkeyPatch, call: str, nth: int
) -> None:
    for name in "abc":
        world.write(f"{name}.md", PAGE.format(title=name) * 40)
    world.sync(namespace="staff")
    monkeypatch.setattr(Lease, "silent_seconds", 0.05)
    with monkeypatch.context() as patched:
        patched.setattr(world.store, call, dying(getattr(world.store, call), nth))
        patched.setattr("ingestion.index.store.POINTS_PER_REQUEST", 2)
        patched.setattr("ingestion.index.writer.POINTS_PER_REQUEST", 2)
        try:
            world.sync(namespace="public")
        except Killed:
            assert mixed_documents(world) == []

    world.sync(namespace="public")
    world.sync(namespace="public", index="fresh")

    assert {m["namespace"] for m in world.manifests().values()} == {"public"}
    assert mixed_documents(world) == []
    assert world.chunks() == world.chunks("fresh")


class Killed(BaseException):
    """What SIGKILL looks like from inside."""


def dying(function: Any, nth: int) -> Any:
    """`function`, that does its work but dies after the nth call, like a process."""
    calls = []

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if len(calls) > nth:
            raise Killed
        calls.append(function(*args, **kwargs))
        if len(calls) > nth:
            raise Killed
        return calls[-1]

    return wrapped


def mixed_documents(world: Any) -> list[str]:
    """Documents whose visible chunks are fewer or more than their manifest says."""
    chunks = world.chunks().values()
    return [
        m["path"]
        for m in world.manifests().values()
        if m["chunks"]
        != sum(
            all(c[field] == m[field] for field in ("document_id", "version", "namespace"))
            for c in chunks
        )
    ]


def collection(world: Any, alias: str) -> str:
    aliases = world.store.get_aliases().aliases
    return next(a.collection_name for a in aliases if a.alias_name == alias)


def test_lost_chunks_are_found_and_indexed_anew(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key") * 60)
    world.sync()
    before = world.chunks()
    world.store.delete("faultline", points_selector=[next(iter(before))])

    report = world.sync()

    assert report.outcomes == {"keys.md": "modified"}
    assert world.chunks() == before


def test_a_store_that_forgets_what_it_accepted_commits_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    retrieve = world.store.retrieve

    def forgetful(collection: str, *args: Any, **kwargs: Any) -> Any:
        return [] if collection.startswith("faultline") else retrieve(collection, *args, **kwargs)

    monkeypatch.setattr(world.store, "retrieve", forgetful)

    report = world.sync()

    assert report.status == "failed"
    assert "did not keep 1 of 1 chunks" in str(report.error)
    assert world.manifests() == {}


def test_chunks_that_another_writer_left_meanwhile_are_swept_before_the_end(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    with monkeypatch.context() as patched:
        patched.setattr("ingestion.index.writer.Index._sweep", lambda self, manifests, keep: 0)
        world.sync()
        world.write("keys.md", PAGE.format(title="badge"))
        report = world.sync()

    assert report.status == "complete"
    assert "swept 1 chunks" in world.notes[0]
    [chunk] = world.chunks().values()
    assert "badge" in chunk["text"]


def test_the_end_of_a_run_is_refused_when_orphans_come_back(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    monkeypatch.setattr("ingestion.index.writer.Index._delete_chunks", lambda self, chunks: 0)
    world.sync()
    world.write("keys.md", PAGE.format(title="badge"))

    report = world.sync()

    assert "1 orphans" in str(report.error)


def test_another_embedder_of_the_same_name_is_refused(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    chunks = world.chunks()
    world.embedder.seed = "another"

    report = world.sync()

    assert report.status == "failed"
    assert "its vectors differ" in str(report.error)
    assert world.chunks() == chunks


@pytest.mark.parametrize("change", [{"seed": "another"}, {"model": "other"}])
def test_an_embedder_that_is_changed_during_a_sync_writes_no_vector(
    world: Any, change: dict[str, str]
) -> None:
    world.write("a.md", PAGE.format(title="key"))
    world.sync()
    for name in "bcd":
        world.write(f"{name}.md", PAGE.format(title=name))
    embed = world.embedder.embed

    def changed_meanwhile(dense: list[str], sparse: list[str]) -> Any:
        for field, value in change.items():
            setattr(world.embedder, field, value)
        return embed(dense, sparse)

    world.embedder.embed = changed_meanwhile

    report = world.sync()

    assert report.status == "failed"
    assert "The embedder was changed during the sync" in str(report.error)
    assert set(world.manifests()) == {"a.md"}
    assert len(world.chunks()) == 1


def test_one_orphan_does_not_make_up_for_one_missing_chunk(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key") * 60)
    world.sync()
    before = world.chunks()
    [lost, *_] = before
    [point] = world.store.retrieve("faultline", [lost], with_vectors=True)
    stray = {**point.payload, "document_id": "docs/gone.md"}
    world.store.upsert(
        "faultline",
        [models.PointStruct(id=str(uuid.uuid4()), vector=point.vector, payload=stray)],
    )
    world.store.delete("faultline", points_selector=[lost])

    report = world.sync()

    assert report.outcomes == {"keys.md": "modified"}
    assert world.chunks() == before


def test_a_new_chunker_builds_beside_and_switches_when_every_source_is_there(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync(source="one")
    world.sync(source="two")
    old = collection(world, "faultline")

    world.sync(source="one", chunk_tokens=100)

    assert collection(world, "faultline") == old
    assert "sync two too" in world.notes[-1]
    world.sync(source="two", chunk_tokens=100)
    assert collection(world, "faultline") != old
    assert len(world.chunks()) == 2
    assert world.store.collection_exists(old)


def test_a_source_does_not_touch_the_documents_of_another(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync(source="one")
    world.sync(source="two", tenant="other")
    (world.folder / "keys.md").unlink()

    world.sync(source="one", allow_empty=True)

    assert {chunk["source"] for chunk in world.chunks().values()} == {"two"}


def test_a_change_of_namespace_rewrites_the_documents(world: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()

    report = world.sync(namespace="canary")

    assert report.outcomes == {"keys.md": "modified"}
    assert {chunk["namespace"] for chunk in world.chunks().values()} == {"canary"}


def test_equal_sources_give_equal_ids_and_payloads(world: Any) -> None:
    for name in "abcdef":
        world.write(f"{name}.md", PAGE.format(title=name) * 20)
    world.sync(index="first")
    world.sync(index="second")

    assert world.chunks("first") == world.chunks("second")


def test_chunks_with_their_headings_fit_the_embedder(world: Any) -> None:
    heading = "a very long heading that says the same thing over and over " * 5
    world.write("long.md", f"# {heading}\n\n## {heading}\n\n" + "word " * 2000)
    world.sync()

    tokenizer = world.embedder.tokenizer()
    manifest: EmbedderManifest = world.embedder.manifest()
    lengths = [len(tokenizer.encode(text).ids) for text in world.embedder.texts]
    assert max(lengths) <= manifest.fingerprint.max_tokens
