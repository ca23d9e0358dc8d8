"""Where documents come from: one port, and an adapter per kind of source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Found:
    """One entry of a source: its path and identity, never its text.

    `problem` says why it cannot become a document, in words for a person.
    """

    path: str  # relative to the source, with forward slashes
    format: str
    sha256: str  # of the raw bytes, hex; empty where they cannot be read
    raw_bytes: int
    problem: str | None = None


class Source(Protocol):
    """A set of documents that can be listed in full and read one by one."""

    def scan(self) -> Iterator[Found]:
        """Every entry once, whatever it is; raises UsageError if a part cannot be listed."""

    def read(self, path: str) -> bytes:
        """Raw bytes of one entry as they are now; raises DocumentError if it cannot be read."""

    def changed_at(self, path: str) -> datetime:
        """When an entry came to be as it is, or went; the source's time where it has no own."""


def is_at(path: str, place: str) -> bool:
    """True if a path of a source is `place`, or lies below it."""
    return path == place or path.startswith(f"{place.rstrip('/')}/")
