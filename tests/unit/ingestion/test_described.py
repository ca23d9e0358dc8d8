"""A document's URL, tags, date and readers: from its front matter, or from its source."""

from typing import Any

import pytest

from ingestion.documents.described import described
from ingestion.errors import DocumentError
from ingestion.parse import Parsed
from ingestion.sources.settings import SourceSettings

PAGE = "---\n{}\n---\n# Keys\n\nThe key of the room is at the desk, and it goes back there.\n"


def reads(folder: Any, **said: Any) -> SourceSettings:
    return SourceSettings.model_validate({"location": str(folder), **said})


def test_url_tags_and_date_of_a_document_are_stored_with_it(world: Any) -> None:
    front = "tags: [Rooms, keys]\nurl: https://wiki.example.com/keys\ndate: 2026-05-01"
    world.write("a.md", PAGE.format(front))
    world.write("b/c d.md", PAGE.format("title: Other"))
    said = reads(world.folder, tags=["Handbook"], url="https://docs.example.com/{path}")
    assert world.sync(reads=said).status == "complete"
    found = world.manifests()
    assert found["a.md"]["url"] == "https://wiki.example.com/keys"
    assert found["a.md"]["tags"] == ["handbook", "keys", "rooms"]
    assert found["a.md"]["modified_at"].startswith("2026-05-01")
    assert found["b/c d.md"]["url"] == "https://docs.example.com/b/c%20d.md"
    assert {tuple(chunk["tags"]) for chunk in world.chunks().values()} == {
        ("handbook", "keys", "rooms"),
        ("handbook",),
    }


def test_another_tag_of_the_source_reaches_every_document(world: Any) -> None:
    world.write("a.md", PAGE.format("title: A"))
    world.sync()
    assert world.sync(reads=reads(world.folder, tags=["new"])).count("modified") == 1
    assert world.manifests()["a.md"]["tags"] == ["new"]
    assert world.sync(reads=reads(world.folder, tags=["new"])).count("unchanged") == 1


def test_readers_of_a_document_follow_its_folder_and_its_front_matter(world: Any) -> None:
    for path in ("open.md", "legal/a.md", "legal/deep/b.md", "legal2/c.md"):
        world.write(path, PAGE.format(f"title: {path}"))
    world.write("d.md", PAGE.format("access: board"))
    said = reads(
        world.folder, groups={"legal": "lawyers", "legal/deep/": "judges"}, group_key="Access"
    )
    world.sync(reads=said)
    found = {path: manifest["namespace"] for path, manifest in world.manifests().items()}
    assert found == {
        "open.md": "default",
        "legal/a.md": "lawyers",
        "legal/deep/b.md": "judges",
        "legal2/c.md": "default",
        "d.md": "board",
    }
    again = world.sync(reads=said)
    assert (again.count("unchanged"), again.chunks_embedded) == (5, 0)


def test_a_change_of_groups_leaves_no_chunk_in_the_group_before(world: Any) -> None:
    world.write("a.md", PAGE.format("title: A"))
    world.sync(reads=reads(world.folder, groups={"a.md": "staff"}))
    assert world.sync(reads=reads(world.folder, groups={"a.md": "board"})).count("modified") == 1
    assert {chunk["namespace"] for chunk in world.chunks().values()} == {"board"}
    assert world.sync().count("modified") == 1
    assert {chunk["namespace"] for chunk in world.chunks().values()} == {"default"}


def test_a_change_of_groups_that_dies_before_its_commit_shows_the_old_group_whole(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", PAGE.format("title: A"))
    world.sync(reads=reads(world.folder, groups={"a.md": "staff"}))
    before = world.chunks()

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("ingestion.index.writer.Index._commit", dies)
        with pytest.raises(KeyboardInterrupt):
            world.sync(reads=reads(world.folder, groups={"a.md": "board"}))
    assert world.manifests()["a.md"]["namespace"] == "staff"
    assert before.items() <= world.chunks().items()
    world.sync(reads=reads(world.folder, groups={"a.md": "board"}))
    assert {chunk["namespace"] for chunk in world.chunks().values()} == {"board"}


@pytest.mark.parametrize("access", ["[a, b]", "'staff only'", "7", "''"])
def test_a_document_with_an_unclear_group_is_quarantined_and_not_shown(
    world: Any, access: str
) -> None:
    world.write("a.md", PAGE.format(f"access: {access}"))
    report = world.sync(reads=reads(world.folder, group_key="access"))
    assert (report.count("quarantined"), world.chunks()) == (1, {})
    assert "a namespace has letters" in report.quarantined[0].reason


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://", "ftp://a/b", "http://[x", 7])
def test_a_url_that_is_no_web_address_is_not_taken(url: object) -> None:
    said = SourceSettings.model_validate("docs")
    assert described("a.md", Parsed("A", "A", metadata={"url": url}), said, "default").url is None


def test_an_unclear_group_is_an_error_of_the_document() -> None:
    said = SourceSettings.model_validate({"location": "docs", "group_key": "access"})
    with pytest.raises(DocumentError):
        described("a.md", Parsed("A", "A", metadata={"access": "a/b"}), said, "default")
