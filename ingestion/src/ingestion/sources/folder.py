"""A folder of files. Links that leave it, pipes and hidden entries are named, never followed."""

import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ingestion.errors import DocumentError, UsageError
from ingestion.parsers import format_of
from ingestion.sources import Found


class FolderSource:
    """Every file below a root, in the order of their paths."""

    def __init__(self, root: Path, max_file_bytes: int) -> None:
        self._root = root.resolve()
        self._max_file_bytes = max_file_bytes

    def scan(self) -> Iterator[Found]:
        """Every entry; a folder that cannot be listed stops it, or its files would seem deleted."""
        return self._scan(str(self._root), "")

    def _scan(self, folder: str, prefix: str) -> Iterator[Found]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise UsageError(
                f"The folder {folder} cannot be listed ({error.strerror}): make it readable. "
                "Nothing was changed, since its files would have looked deleted."
            ) from error
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from self._scan(entry.path, f"{path}/")
            else:
                yield self._found(entry, path)

    def _found(self, entry: os.DirEntry[str], path: str) -> Found:
        printable = path.encode(errors="backslashreplace").decode()
        try:
            if printable != path:
                raise DocumentError("the file name is not UTF-8: rename it")
            # A plain file lies in the folder that was listed; what a link leads to is looked up.
            if not entry.is_file(follow_symlinks=False) or entry.name.startswith("."):
                self._regular_file(Path(entry.path))
            with open(entry.path, "rb") as raw:
                size = os.fstat(raw.fileno()).st_size
                digest = hashlib.file_digest(raw, "sha256").hexdigest()
        except DocumentError as error:
            return Found(printable, "", "", 0, problem=str(error))
        except OSError as error:
            return Found(printable, "", "", 0, problem=f"it cannot be read: {error.strerror}")

        format, problem = "", None
        try:
            format = format_of(path)
            if size > self._max_file_bytes:
                raise DocumentError(
                    f"{size:,} bytes are over the limit of {self._max_file_bytes:,}"
                )
        except DocumentError as error:
            problem = str(error)
        return Found(path, format, digest, size, problem)

    def _regular_file(self, file: Path) -> Path:
        """The file that a path stands for, inside the root; opening a pipe would wait for ever."""
        if file.name.startswith("."):
            raise DocumentError("hidden files and folders are not indexed")
        try:
            target = file.resolve()
        except RuntimeError as error:  # an OSError from Python 3.13 on
            raise DocumentError("the link leads to itself") from error
        if not target.is_relative_to(self._root):
            raise DocumentError("the link leads out of the source")
        mode = target.stat().st_mode
        if stat.S_ISDIR(mode):
            raise DocumentError("links to folders are not followed")
        if not stat.S_ISREG(mode):
            raise DocumentError("it is not a regular file but a pipe, socket or device")
        return target

    def read(self, path: str) -> bytes:
        """Raw bytes of a file as it is now."""
        try:
            return self._regular_file(self._root / path).read_bytes()
        except OSError as error:
            raise DocumentError(f"it cannot be read: {error.strerror}") from error

    def changed_at(self, path: str) -> datetime:
        """By the file system's clock, of the file, or its folder if it is gone."""
        return changed_at(self._root / path)


def changed_at(place: Path) -> datetime:
    """Of a file or, where it is gone, of the folder that held it.

    A copy that keeps its date of modification has a new change time all the same.
    """
    while not os.path.exists(place):
        place = place.parent
    info = place.stat()
    return datetime.fromtimestamp(max(info.st_mtime, info.st_ctime), UTC)
