"""Releases: no bundle without its gate, and a way back that loses nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.application import BUNDLE
from tests.unit.application.conftest import edit

from application.bundle import load_bundle, read_files
from application.bundle_store import BundleStore
from application.errors import Misconfigured, NotFound, ReleaseRefused
from application.releases import Releases

BUILD = "0.1.0+test"


@pytest.fixture
def releases(tmp_path: Path, live: Path) -> Releases:
    return Releases(BundleStore(tmp_path / "bundles", live), tmp_path, BUILD)


def gate(live: Path, **changes: Any) -> None:
    """The gate's result on the live files, as evals write it."""
    digest = load_bundle(live).digest
    result = {
        "bundle": digest,
        "build": BUILD,
        "passed": True,
        "at": "2026-11-23T16:00:00Z",
        "summary": "38 of 40 right",
    }
    folder = live.parents[1] / "gates"
    folder.mkdir(exist_ok=True)
    (folder / f"{digest}.json").write_text(json.dumps(result | changes))


def released(releases: Releases, live: Path, top_k: int) -> str:
    """Releases the live files with another setting, through the gate."""
    text = live.read_text()
    at = text.index("top_k = ")
    live.write_text(text.replace(text[at : at + 9], f"top_k = {top_k}"))
    gate(live)
    releases.release()
    return load_bundle(live).digest


def stored(live: Path, content: bytes) -> bool:
    """Whether some copy holds a file of these bytes."""
    files = (live.parents[1] / "bundles").rglob("*")
    return any(path.read_bytes() == content for path in files if path.is_file())


def test_the_first_release_needs_no_gate_and_says_so(releases: Releases) -> None:
    first = releases.release()
    assert first
    assert (first.action, first.bundle, first.gate) == ("first", BUNDLE.digest, None)
    assert first.by
    assert releases.last == first


def test_a_bundle_that_passed_the_gate_is_released_with_its_result(
    releases: Releases, live: Path
) -> None:
    releases.release()
    edit(live, "top_k = 6", "top_k = 5")
    gate(live)
    second = releases.release("more passages")
    assert second
    assert second.gate
    assert (second.action, second.reason) == ("release", "more passages")
    assert (second.build, second.gate.summary) == (BUILD, "38 of 40 right")


def test_what_is_released_already_is_not_logged_again(releases: Releases) -> None:
    releases.release()
    assert releases.release() is None
    assert len(releases.all()) == 1


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (None, "No gate was run"),
        ({"passed": False, "summary": "20 of 40 right"}, "20 of 40 right"),
        ({"build": "0.1.0+other"}, r"0\.1\.0\+other"),
        ({"bundle": "0" * 16}, "No gate was run"),
    ],
    ids=["no gate", "failed", "another build", "another bundle"],
)
def test_a_bundle_without_its_passed_gate_is_released_only_by_force_with_a_reason(
    releases: Releases, live: Path, result: dict[str, Any] | None, said: str
) -> None:
    releases.release()
    edit(live, "top_k = 6", "top_k = 5")
    if result is not None:
        gate(live, **result)
    with pytest.raises(ReleaseRefused, match=said):
        releases.release()
    with pytest.raises(ReleaseRefused, match="--reason"):
        releases.release(force=True)
    assert len(releases.all()) == 1
    forced = releases.release("the index is down", force=True)
    assert forced
    assert (forced.action, forced.reason) == ("forced", "the index is down")


def test_a_broken_bundle_is_not_released_even_by_force(releases: Releases, live: Path) -> None:
    edit(live, "top_k = 6", "top_k = 0")
    with pytest.raises(Misconfigured, match="top_k"):
        releases.release("please", force=True)


def test_a_rollback_restores_an_edited_release_byte_for_byte(
    releases: Releases, live: Path
) -> None:
    releases.release()
    before = read_files(live)
    prompt = live.parent / "prompts" / "answer.v2.md"
    edit(prompt, "in a few words", "at length")
    edit(live, "top_k = 6", "top_k = 1  # for speed")
    edited = read_files(live)
    back = releases.rollback(reason="answers got worse")
    assert read_files(live) == before
    assert (back.action, back.bundle) == ("rollback", BUNDLE.digest)
    assert all(stored(live, content) for content in edited.values())
    assert [path.name for path in live.parent.rglob("*") if path.name.startswith(".")] == []


@pytest.mark.parametrize("broken", ["top_k = ", None])
def test_a_rollback_heals_files_that_are_broken_or_gone_and_keeps_them(
    releases: Releases, live: Path, broken: str | None
) -> None:
    releases.release()
    before = read_files(live)
    if broken:
        edit(live, "top_k = 6", broken)
    else:
        live.unlink()
    prompt = live.parent / "prompts" / "answer.v2.md"
    edit(prompt, "in a few words", "at length")
    edited = prompt.read_bytes()
    releases.rollback()
    assert read_files(live) == before
    assert stored(live, edited)


def test_a_rollback_keeps_also_a_prompt_that_the_live_bundle_did_not_name(
    releases: Releases, live: Path
) -> None:
    releases.release()
    old = live.parent / "prompts" / "answer.v2.md"
    (old.parent / "answer.v3.md").write_bytes(old.read_bytes())
    edit(live, 'answer = "v1"', 'answer = "v2"')
    old.write_text("a draft")
    releases.rollback()
    assert load_bundle(live) == BUNDLE
    assert stored(live, b"a draft")


def test_rollbacks_go_on_backwards_and_never_to_what_was_left(
    releases: Releases, live: Path
) -> None:
    one, two, _ = (released(releases, live, top_k) for top_k in (1, 2, 3))
    assert [releases.rollback().bundle, releases.rollback().bundle] == [two, one]
    with pytest.raises(ReleaseRefused, match="No other bundle"):
        releases.rollback()


def test_a_rollback_to_a_named_release_needs_that_release(releases: Releases, live: Path) -> None:
    one, _ = (released(releases, live, top_k) for top_k in (1, 2))
    assert releases.rollback(one).bundle == load_bundle(live).digest == one
    with pytest.raises(NotFound, match="never released"):
        releases.rollback("0" * 16)


def test_a_release_whose_stored_files_were_altered_is_not_put_back(
    releases: Releases, live: Path
) -> None:
    first = releases.release()
    assert first
    copy = live.parents[1] / "bundles" / first.files / "bundle.toml"
    edit(copy, "# How questions", "# Why questions")
    edit(live, "top_k = 6", "top_k = 1")
    with pytest.raises(NotFound, match="altered"):
        releases.rollback()
    assert load_bundle(live).retrieval.top_k == 1


@pytest.mark.parametrize("fails", ["write_bytes", "replace"])
def test_a_rollback_into_a_folder_that_cannot_be_written_changes_nothing_and_says_why(
    releases: Releases, live: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    releases.release()
    edit(live, "top_k = 6", "top_k = 1")
    edited = read_files(live)
    act = getattr(Path, fails)

    def refuse(path: Path, *rest: Any) -> Any:
        if path.suffix == ".new":
            raise PermissionError(13, "Permission denied")
        return act(path, *rest)

    monkeypatch.setattr(Path, fails, refuse)
    with pytest.raises(ReleaseRefused, match=r"Permission denied.*APPLICATION_BUNDLE"):
        releases.rollback()
    assert read_files(live) == edited
    assert list(live.parent.rglob("*.new")) == []
    assert len(releases.all()) == 1


def test_a_link_to_the_live_file_stays_a_link(releases: Releases, live: Path) -> None:
    releases.release()
    real = live.rename(live.with_name("real.toml"))
    live.symlink_to(real)
    edit(real, "top_k = 6", "top_k = 1")
    releases.rollback()
    assert live.is_symlink()
    assert load_bundle(live) == BUNDLE


@pytest.mark.parametrize("file", ["bundles/releases.jsonl", "gates/{digest}.json"])
def test_a_log_or_gate_that_was_altered_is_named(releases: Releases, live: Path, file: str) -> None:
    path = live.parents[1] / file.format(digest=BUNDLE.digest)
    path.parent.mkdir(exist_ok=True)
    path.write_text('{"bundle": 1}\n')
    with pytest.raises(Misconfigured, match=path.name):
        releases.release()
