"""A file of JSON lines `{"_id", "title", "text"}`, one document each: the form of BEIR."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ingestion.errors import UsageError
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
        """Every row; one without an own `_id` goes by its line number."""
        for number, line in enumerate(self._lines(), start=1):
            sha256 = hashlib.sha256(line).hexdigest()
            try:
                path = str(json.loads(line)["_id"])
            except (ValueError, TypeError, KeyError, RecursionError):
                problem = 'the line is not a JSON object with "_id"'
                yield Found(f"line {number}", "jsonl", sha256, len(line), problem=problem)
                continue
            if path in self._rows:
                problem = f'"_id" {path} is taken by an earlier line'
                yield Found(f"line {number}", "jsonl", sha256, len(line), problem=problem)
                continue
            self._rows[path] = line
            yield Found(path, "jsonl", sha256, len(line))

    def read(self, path: str) -> bytes:
        """The row with this `_id`; `scan` comes first."""
        return self._rows[path]

    def changed_at(self, path: str) -> datetime:
        """That of the file: rows have no time of their own."""
        return changed_at(self._file)
