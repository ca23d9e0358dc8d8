"""Errors of the vector store: what it refuses, and a directory that it cannot use."""

from collections.abc import Iterator
from contextlib import contextmanager


class VectorStoreError(Exception):
    """Root of what this package raises."""


class DirectoryUnusable(VectorStoreError):
    """The directory is held by another process, or cannot be read."""


class Refused(VectorStoreError):
    """A request that cannot be met, with the HTTP status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def no_collection(name: str) -> Refused:
    """Refusal of a name that no collection and no alias has."""
    return Refused(404, f"Not found: Collection `{name}` doesn't exist!")


@contextmanager
def engine_errors() -> Iterator[None]:
    """Translate what qdrant-edge raises: bare exceptions, told apart by their text alone."""
    try:
        yield
    except VectorStoreError:
        raise
    except Exception as error:
        message = str(error)
        if message.startswith("No point with id") or "is not initialized" in message:
            raise Refused(404, f"Not found: {message}") from error
        if message.startswith("Service"):
            raise Refused(500, message) from error
        raise Refused(400, f"Wrong input: {message}") from error
