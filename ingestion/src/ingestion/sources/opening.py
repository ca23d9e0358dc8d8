"""The source that a declaration or a path stands for."""

from collections.abc import Callable
from pathlib import Path

from ingestion.errors import UsageError
from ingestion.sources import Source
from ingestion.sources.folder import FolderSource
from ingestion.sources.git import GitSource
from ingestion.sources.hosts import HostGuard
from ingestion.sources.http import HttpSource
from ingestion.sources.jsonl import JsonLinesSource
from ingestion.sources.settings import SourceSettings


def opened(
    reads: SourceSettings, kept: Path, limit: int, note: Callable[[str], None] = lambda text: None
) -> Source:
    """The source that is declared; it may keep copies in the folder `kept`.

    No document may have more than `limit` bytes. `note` is told what a person may want to know.
    """
    if reads.kind == "git":
        return GitSource(reads.location, reads.ref, reads.folder, kept / "git", limit, note)
    if reads.kind == "http":
        guard = HostGuard(frozenset(reads.hosts), reads.private_addresses)
        return HttpSource((reads.location, *reads.urls), guard, kept / "pages", limit, note)
    return open_source(Path(reads.location), limit)


def open_source(location: Path, max_file_bytes: int) -> Source:
    """The source at `location`: a folder, or a `.jsonl` or `.jsonl.gz` file."""
    if not is_there(location):
        raise UsageError(f"There is nothing at {location}: check the path, or mount the folder.")
    if location.is_dir():
        return FolderSource(location, max_file_bytes)
    if location.is_file() and location.name.endswith((".jsonl", ".jsonl.gz")):
        return JsonLinesSource(location)
    raise UsageError(f"{location} is neither a folder nor a .jsonl file: name one of these.")


def is_there(location: Path) -> bool:
    """Whether something lies at a path; UsageError if this user may not look."""
    try:
        return location.exists()
    except OSError as error:
        raise UsageError(
            f"{location} cannot be reached ({error.strerror}): let this user read it. Nothing was "
            "changed, since its files would have looked deleted."
        ) from error
