"""What the sources list, and what they refuse to follow."""

import errno
import gzip
import os
from pathlib import Path

import pytest

from ingestion.errors import DocumentError, UsageError
from ingestion.sources import Found
from ingestion.sources.folder import FolderSource
from ingestion.sources.jsonl import JsonLinesSource
from ingestion.sources.opening import open_source


def found(source: FolderSource | JsonLinesSource) -> dict[str, Found]:
    entries = list(source.scan())
    assert len({entry.path for entry in entries}) == len(entries)
    return {entry.path: entry for entry in entries}


def test_files_are_listed_in_order_with_hash_size_and_format(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two\nlines.txt").write_text("two")
    (tmp_path / "a.md").write_text("one")

    first, second = FolderSource(tmp_path, 100).scan()

    assert (first.path, first.format, first.raw_bytes) == ("a.md", "markdown", 3)
    assert first.sha256 == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    assert (second.path, second.problem) == ("b/two\nlines.txt", None)


def test_a_file_over_the_limit_is_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "big.md").write_text("x" * 11)

    assert (
        found(FolderSource(tmp_path, 10))["big.md"].problem == "11 bytes are over the limit of 10"
    )


def test_a_link_inside_the_folder_is_a_document_and_one_out_of_it_is_not(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.md").write_text("secret")
    (root / "a.md").write_text("one")
    (root / "b.md").symlink_to(root / "a.md")
    (root / "c.md").symlink_to("../outside.md")
    (root / "d.md").symlink_to("nowhere.md")
    (root / "e.md").symlink_to("e.md")

    entries = found(FolderSource(root, 100))

    assert entries["b.md"].problem is None
    assert "leads out of the source" in str(entries["c.md"].problem)
    assert "No such file" in str(entries["d.md"].problem)
    assert "leads to itself" in str(entries["e.md"].problem)


def test_reading_does_not_escape_the_root_either(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.md").write_text("secret")

    with pytest.raises(DocumentError, match="leads out of the source"):
        FolderSource(root, 100).read("../outside.md")


def test_a_file_that_vanished_is_a_problem_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"):
        FolderSource(tmp_path, 100).read("gone.md")


def test_a_folder_that_cannot_be_listed_stops_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def denied(folder: Path) -> object:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", denied)

    with pytest.raises(UsageError, match=r"locked cannot be listed \(Permission denied\)"):
        list(FolderSource(tmp_path, 100).scan())


def test_a_name_that_is_not_utf8_is_reported_readably(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.md", os.O_CREAT))

    [entry] = FolderSource(tmp_path, 100).scan()

    assert entry.path == "caf\\udce9.md"
    assert entry.problem == "the file name is not UTF-8: rename it"


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_rows_are_documents_and_bad_lines_are_named(tmp_path: Path, name: str) -> None:
    lines = b'{"_id": "1", "text": "a"}\n\nno json\n{"text": "b"}\n{"_id": "1", "text": "c"}\n[1]'
    lines += b'\n{"_id": "2", "text": ' + b"[" * 100_000
    raw = gzip.compress(lines) if name.endswith(".gz") else lines
    (tmp_path / name).write_bytes(raw)
    source = open_source(tmp_path / name, 100)
    assert isinstance(source, JsonLinesSource)

    entries = found(source)

    assert [path for path, entry in entries.items() if not entry.problem] == ["1"]
    assert source.read("1") == b'{"_id": "1", "text": "a"}'
    assert set(entries) == {"1", "line 2", "line 3", "line 4", "line 5", "line 6"}


ARCHIVE = gzip.compress(b'{"_id": "1"}' * 100)


@pytest.mark.parametrize(
    "raw",
    [ARCHIVE[:-20], b"no archive", ARCHIVE[:12] + b"\xff\xff\xff" + ARCHIVE[15:]],
    ids=["truncated", "none", "damaged"],
)
def test_an_archive_that_is_not_whole_is_no_source(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "rows.jsonl.gz").write_bytes(raw)

    with pytest.raises(UsageError, match=r"cannot be read \(.*\): make it readable, or export it"):
        list(open_source(tmp_path / "rows.jsonl.gz", 100).scan())


def test_a_place_that_this_user_may_not_look_at_is_no_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # tests may run as root

    monkeypatch.setattr(Path, "stat", denied)

    with pytest.raises(UsageError, match=r"docs cannot be reached \(Permission denied\): let this"):
        open_source(tmp_path / "docs", 100)


def test_what_is_neither_folder_nor_rows_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "file.md").write_text("x")

    with pytest.raises(UsageError, match=r"neither a folder nor a \.jsonl file"):
        open_source(tmp_path / "file.md", 100)
    with pytest.raises(UsageError, match="There is nothing at"):
        open_source(tmp_path / "gone", 100)
