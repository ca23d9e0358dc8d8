"""A file of JSON lines `{"_id", "title", "text"}`, one document each: the form of BEIR."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ingestion.errors import DocumentError, UsageError
from ingestion.sources import Found
from ingestion.sources.folder import changed_at


class JsonLinesSource:
    """Rows of one file, held in memory; a document's path is its `_id`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows: dict[str, bytes] = {}

    def _lines(self) -> list[bytes]:
        try:
            raw = self._file.read_bytes()
            text = gzip.decompress(raw) if self._file.suffix == ".gz" else raw
        except (OSError, EOFError, zlib.error) as error:
            why = getattr(error, "strerror", None) or error
            raise UsageError(
                f"{self._file} cannot be read ({why}): make it readable, or export it again. "
                "Nothing was changed."
            ) from error
        return [line for line in text.split(b"\n") if line.strip()]

    def scan(self) -> Iterator[Found]:
        """Every row, read anew; one without its own `_id` goes by its line number."""
        rows: dict[str, bytes] = {}  # this scan's own: an earlier one has seen the same rows
        taken: set[str] = set()
        for number, line in enumerate(self._lines(), start=1):
            path, problem = _path_of(line)
            if path in taken:
                problem = f'"_id" {path} is taken by an earlier line'
            if problem:
                path = f"line {number}"
                while path in taken:  # a row has this text as its `_id`
                    path += " of the file"
            else:
                rows[path] = line
            taken.add(path)
            yield Found(path, "jsonl", hashlib.sha256(line).hexdigest(), len(line), problem)
        self._rows = rows

    def read(self, path: str) -> bytes:
        """The row with this `_id`, as the last whole scan read it; DocumentError if it has none."""
        try:
            return self._rows[path]
        except KeyError as error:
            raise DocumentError("the file has no row with this _id") from error

    def changed_at(self, path: str) -> datetime:
        """That of the file: rows have no time of their own."""
        return changed_at(self._file)


def _path_of(line: bytes) -> tuple[str, str | None]:
    """The `_id` of a row as text, and what is wrong with the row, if anything is."""
    try:
        path = str(json.loads(line)["_id"])
        path.encode()
    except UnicodeEncodeError:
        return "", '"_id" is not valid text: it holds half of a surrogate pair'
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", 'the line is not a JSON object with "_id"'
    return path, None if path else '"_id" is empty'
