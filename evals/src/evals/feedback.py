"""Users' feedback, from the application's own file: counted by version, and as golden candidates.

A candidate is a proposal. It joins a golden set only when a person has confirmed it, with the
value that is right.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts.answer import FeedbackEvent
from evals.errors import DatasetError

REVISION = "live"  # of a golden that comes from feedback
VERSIONS = {  # by layer: the fields of the provenance that name its version
    "data": "index",
    "serving": "model_manifest",
    "application": "bundle",
}


def read(events: Path) -> list[FeedbackEvent]:
    """Every event kept beside the answers' `events`, oldest first; broken lines are skipped."""
    found = []
    files = sorted(events.parent.glob("feedback*.jsonl"), key=lambda path: path.stat().st_mtime)
    for line in (line for path in files for line in path.read_text("utf-8").splitlines()):
        try:
            found.append(FeedbackEvent.model_validate_json(line))
        except ValidationError:
            continue  # half a line, or one of a later release
    return found


ByVersion = Mapping[str, Mapping[str, Mapping[str, int]]]  # layer, version, vote: how many


def by_version(events: Iterable[FeedbackEvent]) -> ByVersion:
    """Votes by layer and version, in the order in which the versions were first seen."""
    counted: dict[str, dict[str, Counter[str]]] = {
        layer: defaultdict(Counter) for layer in VERSIONS
    }
    for event in events:
        for layer, field in VERSIONS.items():
            counted[layer][getattr(event.provenance, field)][event.vote or "comment"] += 1
    return counted


def candidates(events: Sequence[FeedbackEvent]) -> list[dict[str, Any]]:
    """Golden questions that the feedback proposes, one for each question that was sent along."""
    latest = {event.question: event for event in events if event.question}
    return [
        {
            "id": "f" + hashlib.sha256(question.encode()).hexdigest()[:8],
            "question": question,
            "vote": event.vote,
            "comment": event.comment,
            "status": event.status,
            "documents": [{"path": event.path, "span": event.span}] if event.span else [],
        }
        for question, event in latest.items()
        if event.span or event.comment or event.vote == "down"
    ]


def confirm(
    proposed: Path, golden: Path, id: str, answer: str | None, span: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Adds a candidate to a golden set as a person confirms it; no `answer` means unanswerable.

    Raises: DatasetError where there is no such candidate, or no place for its answer.
    """
    rows = [json.loads(line) for line in proposed.read_text("utf-8").splitlines() if line]
    row = next((row for row in rows if row["id"] == id), None)
    if row is None:
        raise DatasetError(f"{proposed} has no candidate {id}; see `evals goldens propose`.")
    documents = [{"path": span[0], "span": span[1]}] if span else row["documents"]
    if answer and not documents:
        raise DatasetError(
            f"{id} names no passage; give --path and --span, where its answer stands."
        )
    gold = {
        "answerable": answer is not None,
        "answer": answer,
        "accept": [],
        "documents": documents if answer else [],
    }
    made = {
        "id": id,
        "question": row["question"],
        "kind": "fact" if answer else "unanswerable",
        "tags": ["feedback"],
        "gold": {REVISION: gold},
    }
    with golden.open("a", encoding="utf-8") as file:
        file.write(json.dumps(made, ensure_ascii=False) + "\n")
    return made
