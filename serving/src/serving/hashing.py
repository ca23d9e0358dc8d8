"""Hashes of a model's files: the same files give the same hash wherever they lie."""

import hashlib
from pathlib import Path

NOT_MODEL = {"source.json", "README.md", ".gitattributes", "data_config.json"}


def files_sha256(folder: Path, pattern: str = "**/*") -> str:
    """sha256 over the names and contents of the files of `folder` that match `pattern`."""
    total = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.name not in NOT_MODEL and not name.startswith("."):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"{name}\x1f{content}\n".encode())
    return total.hexdigest()
