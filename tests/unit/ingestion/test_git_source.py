"""What a git repository at a ref brings in, and what it cannot make us do."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import DocumentError, UsageError
from ingestion.sources import Found
from ingestion.sources.git import GitSource

Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "repository").mkdir()
    return tmp_path / "repository"


@pytest.fixture
def git(repository: Path) -> Git:
    """Runs git in the source's repository."""
    person = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")

    def run(*words: str) -> str:
        command = ["git", "-C", str(repository), *person, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


def commit(repository: Path, git: Git, **files: str) -> str:
    for name, text in files.items():
        file = repository / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", "Edit")
    return git("rev-parse", "HEAD")


def source(repository: Path, **options: Any) -> GitSource:
    given = {"ref": "main", "folder": "", "max_file_bytes": 1000} | options
    url = given.pop("url", f"file://{repository}")
    return GitSource(url, clone=repository.parent / "clone", **given)


def found(git_source: GitSource) -> dict[str, Found]:
    return {entry.path: entry for entry in git_source.scan()}


def test_files_of_the_ref_are_listed_with_hash_size_and_format(repository: Path, git: Git) -> None:
    head = commit(repository, git, a_md="one", docs__b_txt="two")
    git("branch", "draft")
    commit(repository, git, later_md="three")
    notes: list[str] = []

    entries = found(source(repository, ref="draft", note=notes.append))

    assert set(entries) == {"a.md", "docs/b.txt"}
    assert (entries["a.md"].format, entries["a.md"].raw_bytes) == ("markdown", 3)
    assert entries["a.md"].sha256.startswith("7692c3ad3540bb80")
    assert notes == [f"file://{repository} at draft is commit {head}"]


def test_an_edit_a_delete_and_a_rewritten_history_are_seen_by_the_next_scan(
    repository: Path, git: Git
) -> None:
    commit(repository, git, a_md="one", b_md="two")
    before = found(source(repository))
    (repository / "b.md").unlink()
    (repository / "a.md").write_text("edited")
    git("add", "--all")
    git("commit", "--quiet", "--amend", "--message", "Another history")

    after = found(source(repository))

    assert set(after) == {"a.md"}
    assert after["a.md"].sha256 != before["a.md"].sha256


def test_a_read_stays_at_the_commit_that_was_scanned(repository: Path, git: Git) -> None:
    commit(repository, git, a_md="one")
    scanned = source(repository)
    found(scanned)
    commit(repository, git, a_md="two")
    found(source(repository))  # another process fetches meanwhile

    assert scanned.read("a.md") == b"one"
    with pytest.raises(DocumentError, match="not in the repository"):
        scanned.read("../../etc/passwd")


def test_only_the_folder_that_was_asked_for_is_listed(repository: Path, git: Git) -> None:
    commit(repository, git, docs__a_md="one", code_txt="x")

    assert set(found(source(repository, folder="docs/"))) == {"a.md"}


def test_links_submodules_hidden_and_large_files_are_named_and_not_read(
    repository: Path, git: Git
) -> None:
    (repository / ".github").mkdir()
    (repository / ".github" / "a.md").write_text("x")
    (repository / ".github" / "b.md").write_text("x")
    (repository / "link.md").symlink_to("/etc/passwd")
    (repository / "tool.exe").write_text("x")
    os.close(os.open(os.fsencode(repository) + b"/caf\xe9.md", os.O_CREAT))
    head = commit(repository, git, big_md="x" * 1001, good_md="one")
    git("update-index", "--add", "--cacheinfo", f"160000,{head},module")
    git("commit", "--quiet", "--message", "A submodule")

    problems = {path: entry.problem for path, entry in found(source(repository)).items()}

    assert problems.pop("good.md") is None
    assert {path: str(problem).split(":")[0] for path, problem in problems.items()} == {
        ".github": "hidden files and folders are not indexed",
        "big.md": "1,001 bytes are over the limit of 1,000",
        "caf\\udce9.md": "the file name is not UTF-8",
        "link.md": "links in a git repository are not followed",
        "module": "submodules are not fetched",
        "tool.exe": "format .exe is not supported; supported",
    }
    with pytest.raises(DocumentError):
        source(repository).read("link.md")


def test_hooks_never_run_and_attributes_hide_nothing(repository: Path, git: Git) -> None:
    (repository / ".gitattributes").write_text("a.md export-ignore filter=evil\n")
    commit(repository, git, a_md="one")
    found(source(repository))
    hook = repository.parent / "clone" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository.parent}/ran\n")
    hook.chmod(0o755)
    commit(repository, git, a_md="two")

    assert found(source(repository))["a.md"].problem is None
    assert not (repository.parent / "ran").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ref": "gone"}, "couldn't find remote ref gone"),
        ({"folder": "gone"}, "gone"),
        ({"url": "ext::sh -c 'touch evil'"}, "transport 'ext' not allowed"),
        ({"url": "http://127.0.0.1:1/a.git"}, "transport 'http' not allowed"),
        ({"url": "--upload-pack=touch evil"}, "cannot be read"),
        ({"url": "file:///nowhere/at/all"}, "does not appear to be a git repository"),
    ],
)
def test_what_cannot_be_fetched_changes_nothing_and_says_why(
    repository: Path, git: Git, options: dict[str, str], says: str
) -> None:
    commit(repository, git, a_md="one")

    with pytest.raises(UsageError) as told:
        found(source(repository, **options))

    assert says in str(told.value)
    assert "Nothing was changed" in str(told.value)


def test_a_machine_without_git_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UsageError, match="command git is not there: install it"):
        found(source(repository))


def test_a_declared_repository_is_synced_audited_and_read_by_its_name(
    world: Any, ingestion: Any, repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(repository, git, docs__a_md="# Leave")
    wiki = {"location": f"file://{repository}", "ref": "main", "folder": "docs"}
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"wiki": wiki}))

    result = ingestion("run", "wiki", "--json")

    assert json.loads(result.stdout)["outcomes"] == {"a.md": "added"}
    assert f"at main is commit {head}" in " ".join(result.stderr.split())
    assert ingestion("audit", "wiki").exit_code == 0
    assert "# Leave" in ingestion("raw", "wiki/a.md").stdout
