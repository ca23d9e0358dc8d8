"""Hashes of a model's files: the same files give the same hash wherever they lie."""

import hashlib
from functools import lru_cache
from pathlib import Path

NOT_MODEL = {"source.json", "README.md", ".gitattributes", "data_config.json"}


def files_sha256(folder: Path, pattern: str = "**/*") -> str:
    """sha256 over the names and contents of the files of `folder` that match `pattern`."""
    total = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.name not in NOT_MODEL and not name.startswith("."):
            state = path.stat()
            content = _content_sha256(path, state.st_size, state.st_mtime_ns)
            total.update(f"{name}\x1f{content}\n".encode())
    return total.hexdigest()


@lru_cache(maxsize=256)
def _content_sha256(path: Path, size: int, modified_ns: int) -> str:
    """Gigabytes are read again only when the file has changed, by its size and time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
