"""`ports.AnswerLog`: one JSON line for each answer, appended to a file that evals read."""

import os
from pathlib import Path

from contracts.answer import AnswerEvent


class AnswerEvents:
    """Appends to `path`; one write a line, so that several processes may share the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, event: AnswerEvent) -> None:
        """Writes one event."""
        os.write(self._file, event.model_dump_json().encode() + b"\n")

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)
