"""Files of the state folder: written whole or not at all, by any number of runs at once."""

import uuid
from pathlib import Path

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
