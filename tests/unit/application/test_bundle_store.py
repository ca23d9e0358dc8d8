"""The live bundle follows its files; what was live can answer again."""

import logging
import os
from pathlib import Path

import pytest
from tests.fakes.application import BUNDLE
from tests.unit.application.conftest import edit

from application import bundle_store
from application.adapters.readiness import ReadinessChecks
from application.bundle import read_files
from application.bundle_store import BundleStore
from application.errors import Misconfigured, NotFound
from application.settings import Settings


@pytest.fixture
def store(tmp_path: Path, live: Path) -> BundleStore:
    return BundleStore(tmp_path / "bundles", live)


def test_an_edit_in_place_answers_at_once(store: BundleStore, live: Path) -> None:
    assert store.live == BUNDLE
    edit(live, "top_k = 6", "top_k = 1")
    assert store.live.retrieval.top_k == 1


def test_an_edited_prompt_answers_at_once_also_at_the_same_size_and_moment(
    store: BundleStore, live: Path
) -> None:
    prompt = live.parent / "prompts" / "answer.v2.md"
    assert store.live == BUNDLE
    stat = prompt.stat()
    edit(prompt, "in a few words, copied", "in a lot words, copied")
    os.utime(prompt, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    store.live  # noqa: B018 - read in the same tick
    edit(prompt, "in a lot words, copied", "in a big words, copied")
    os.utime(prompt, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "in a big words" in store.live.prompts["answer"].messages[0].text


def test_files_that_did_not_change_are_not_read_again(
    store: BundleStore, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (live, live.parent / "prompts" / "answer.v2.md"):
        os.utime(path, (1, 1))
    reads: list[Path] = []
    monkeypatch.setattr(
        bundle_store, "read_files", lambda path: reads.append(path) or read_files(path)
    )
    assert store.live is store.live
    assert len(reads) == 1


@pytest.mark.parametrize("broken", ["toml", "prompt", "no toml", "no prompts"])
def test_a_broken_edit_leaves_the_last_whole_bundle_and_is_logged_once(
    store: BundleStore, live: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = store.live
    kept = read_files(live)
    prompt = live.parent / "prompts" / "answer.v2.md"
    if broken == "toml":
        edit(live, "top_k = 6", "top_k = ")
    elif broken == "prompt":
        edit(prompt, "{passages}", "{passages")
    else:
        (live if broken == "no toml" else prompt).unlink()
    with caplog.at_level(logging.ERROR, "application"):
        assert [store.live, store.live] == [before, before]
    assert store.problem
    assert [record.getMessage() for record in caplog.records] == [
        f"bundle {before.digest} still answers: {store.problem}"
    ]
    for name, content in kept.items():
        (live.parent / name).write_bytes(content)
    assert (store.live, store.problem) == (before, None)


def test_a_bundle_that_never_was_whole_stops_the_start(store: BundleStore, live: Path) -> None:
    edit(live, "top_k = 6", "top_k = 0")
    with pytest.raises(Misconfigured, match="top_k"):
        store.live  # noqa: B018 - reading it is the act


class Reachable(ReadinessChecks):
    """All dependencies answer."""

    async def _embedder(self) -> str:
        return "answers"

    _index_spec = _model = _embedder


async def test_a_broken_edit_degrades_readiness_and_tells_no_path(
    store: BundleStore, live: Path
) -> None:
    checks = Reachable(None, None, store, Settings())  # type: ignore[arg-type]  # not asked
    assert (await checks.check()).status == "ready"
    edit(live, "top_k = 6", "top_k = 0")
    readiness = await checks.check()
    assert readiness.status == "degraded"
    assert not readiness.checks["bundle"].ok
    assert BUNDLE.digest in readiness.checks["bundle"].detail
    assert "/" not in readiness.checks["bundle"].detail


def test_what_was_live_can_answer_again_later(store: BundleStore, live: Path) -> None:
    first = store.live
    edit(live, "top_k = 6", "top_k = 1")
    assert store.live != first
    later = BundleStore(live.parents[1] / "bundles", live)
    assert later.get(first.digest) == first


def test_a_state_folder_that_cannot_be_written_stops_no_edit(
    store: BundleStore, live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object, __: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(BundleStore, "keep", full)
    edit(live, "top_k = 6", "top_k = 1")
    assert store.get(store.live.digest).retrieval.top_k == 1


@pytest.mark.parametrize("file", ["bundle.toml", "prompts/answer.v2.md"])
def test_a_stored_bundle_that_was_altered_is_not_used(
    store: BundleStore, live: Path, file: str
) -> None:
    copy = store.keep(read_files(live))
    (live.parents[1] / "bundles" / copy / file).write_bytes(b"x")
    with pytest.raises(NotFound, match="altered"):
        store.get(BUNDLE.digest)


@pytest.mark.parametrize("digest", ["0123456789abcdef", "../secrets/keys", "", "*"])
def test_an_unknown_bundle_is_not_found_and_names_no_path(store: BundleStore, digest: str) -> None:
    assert store.live
    with pytest.raises(NotFound):
        store.get(digest)
