"""The build: which code this is, known by one digest, as the bundle is by another."""

import hashlib
import inspect
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import contracts

SOURCES = (Path(__file__).parent, Path(inspect.getfile(contracts)).parent)
CODE = {".py", ".html", ".css", ".js", ".json", ".svg"}  # all that the bundle is not


def build_of_sources(packages: Iterable[Path] = SOURCES) -> str:
    """Version and a digest of the code, ours and the contracts': the same wherever it lies."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(path for path in package.rglob("*") if path.suffix in CODE):
            name = path.relative_to(package.parent).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{version('faultline-application')}+{digest.hexdigest()[:12]}"
