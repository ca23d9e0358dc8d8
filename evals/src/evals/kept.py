"""What evals keep of one revision, under STATE_DIR/evals: its chunks and the replies it got.

The events of those replies are found again, by request id, in the application's own file.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contracts.answer import AnswerEvent
from evals.clients.qdrant import IndexedChunk
from evals.errors import DatasetError
from evals.suite.answers import Reply


@dataclass(frozen=True)
class Kept:
    """One revision: its committed chunks, the replies it got, and their events."""

    chunks: list[IndexedChunk]
    replies: list[Reply]
    events: list[AnswerEvent]


def keep(folder: Path, chunks: Iterable[IndexedChunk], replies: Iterable[Reply]) -> None:
    """Write a revision's chunks and replies as JSON lines, in place of what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("chunks", chunks), ("replies", replies)):
        lines = "".join(f"{row.model_dump_json()}\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def read(folder: Path, events: Path) -> Kept:
    """A revision as it was when it was asked.

    Raises: DatasetError when it never was, or the application has written no event of it.
    """
    chunks = [IndexedChunk.model_validate_json(line) for line in _lines(folder / "chunks.jsonl")]
    replies = [Reply.model_validate_json(line) for line in _lines(folder / "replies.jsonl")]
    asked = {reply.answer.request_id for reply in replies}
    written = [AnswerEvent.model_validate_json(line) for line in _lines(events)]
    found = [event for event in written if event.provenance.request_id in asked]
    if not found:
        raise DatasetError(
            f"{events} has no event of these {len(asked)} answers: set EVALS_STATE_DIR to the "
            "application's state folder, then run `evals answers` again."
        )
    return Kept(chunks, replies, found)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise DatasetError(f"There is no {path} yet: run `evals answers GOLDEN` first.")
    return path.read_text(encoding="utf-8").splitlines()
