"""`ports.AnswerLog`: one JSON line for each answer, appended to a file that evals read.

Not logging's RotatingFileHandler: it loses lines where several processes share a file.
"""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from contracts.answer import AnswerEvent, FeedbackEvent

log = logging.getLogger("application")

KEPT_FILES = 4  # older ones, beside the one that is written


class AnswerEvents:
    """Appends to `path`; one write a line, so that several processes may share the file.

    Above `largest_bytes` the file is set aside as `answers.<time>.jsonl`. A file that somebody
    else moved away is made again. An event that cannot be written is lost, and its answer is not.
    """

    def __init__(self, path: Path, largest_bytes: int = 64 << 20) -> None:
        self._path = path
        self._others = f"{path.stem}.*{path.suffix}"  # set aside
        self._largest_bytes = largest_bytes
        self._file = -1
        self._broken_line = False
        self.lost = 0
        self.problem: str | None = None  # why the last event was lost; None while all is well

    def append(self, event: AnswerEvent | FeedbackEvent) -> None:
        """Writes one event; never raises."""
        try:
            self._write(event.model_dump_json().encode() + b"\n")
            self.problem = None
        except OSError as error:
            if self.problem is None:
                log.error("%s cannot be written: %s", self._path, error.strerror)
            self.lost += 1
            self.problem = (
                f"Events of answers are lost ({error.strerror}); make room or mend the permissions "
                f"of the folder of {self._path.name}."
            )
            self.close()

    def find(self, request_id: str) -> AnswerEvent | None:
        """The event of an answer, from the files that are still kept; None where there is none."""
        mark = f'"request_id":"{request_id}"'.encode()
        for path in [self._path, *sorted(self._path.parent.glob(self._others), reverse=True)]:
            if not path.is_file():
                continue
            with path.open("rb") as lines:
                for line in lines:
                    if mark in line:
                        return AnswerEvent.model_validate_json(line)
        return None

    def close(self) -> None:
        """Closes the file; the next event opens it again."""
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _write(self, line: bytes) -> None:
        self._open()
        if self._broken_line:
            line = b"\n" + line  # so that the half line spoils no other
        written = os.write(self._file, line)
        self._broken_line = written < len(line)
        if self._broken_line:
            raise OSError(0, "No room for a whole line")

    def _open(self) -> None:
        """Opens the file where it is not the one that `path` names now, or is full."""
        if self._file >= 0:
            ours = os.fstat(self._file)
            try:
                named = self._path.stat()
            except FileNotFoundError:
                named = None
            same = named is not None and (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)
            if same and ours.st_size < self._largest_bytes:
                return
            self.close()
            if same:
                self._set_aside()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _set_aside(self) -> None:
        """Renames the full file, by the time, so that two processes cannot overwrite each other."""
        with suppress(FileNotFoundError):
            self._path.replace(self._path.with_suffix(f".{time.time_ns()}{self._path.suffix}"))
        aside = sorted(self._path.parent.glob(self._others))
        for old in aside[:-KEPT_FILES]:
            old.unlink(missing_ok=True)
