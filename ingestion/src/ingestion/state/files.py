"""Files of the state folder: written whole or not at all, by any number of runs at once."""

import uuid
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ingestion.errors import StateUnusable

M = TypeVar("M", bound=BaseModel)

PARTIAL = ".partial"  # suffix of a file that is still being written


def write_whole(file: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old content or the new one, and never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def read_whole(model: type[M], file: Path) -> M:
    """What a file of the state folder holds. Raises: OSError, or StateUnusable if it is damaged."""
    raw = file.read_bytes()
    try:
        return model.model_validate_json(raw)
    except ValueError as error:
        raise StateUnusable(
            f"{file} is damaged, or a newer release wrote it: update this one, or move the file "
            "away, and run this again."
        ) from error
