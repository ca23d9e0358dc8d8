"""A folder in the form of SQuAD 2.0 becomes golden rows: a fixed sample, split by article. Pure.

The folder holds `docs/*.md` (one a article), `corpus.jsonl` (their paragraphs) and `queries.jsonl`.
The sample depends on ids alone, so everyone who has the folder asks the same questions. It needs
the standard library only: `tests/fakes/perfect_reader.py` reads the same rows without evals.
"""

import hashlib
import json
import re
from itertools import chain
from pathlib import Path
from typing import Any, Literal

Split = Literal["test", "calibration"]
TEST_ARTICLES = 12  # the rest is for calibration, so that no setting is fitted on a test question
SAMPLE = 400  # questions a split, half of them unanswerable

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'“(]?[A-Z0-9])")


def is_squad(folder: Path) -> bool:
    """Whether a folder looks like one in this form."""
    return (folder / "queries.jsonl").is_file() and (folder / "docs").is_dir()


def name_of(folder: Path) -> str:
    """The name of its source, its index and its figures: "squad2" for `squad2-dev`."""
    return folder.resolve().name.removesuffix("-dev")


def sample(folder: Path, split: Split = "test", size: int = SAMPLE) -> list[dict[str, Any]]:
    """The split's first `size` questions by the sha256 of their ids, as rows of a golden set.

    Answerable and unanswerable ones take turns, so any part from the start has half of each.
    """
    paragraphs = _rows(folder / "corpus.jsonl")
    titles = sorted({row["title"] for row in paragraphs}, key=_digest)
    test = set(titles[:TEST_ARTICLES])
    chosen = {row["_id"]: row for row in paragraphs if (row["title"] in test) == (split == "test")}
    queries = sorted(
        (row for row in _rows(folder / "queries.jsonl") if row["source_passage"] in chosen),
        key=lambda row: _digest(row["_id"]),
    )
    answerable = [row for row in queries if row["answerable"]]
    unanswerable = [row for row in queries if not row["answerable"]]
    taking_turns = chain.from_iterable(zip(answerable, unanswerable, strict=False))
    return [_golden(row, split, chosen) for row in taking_turns][:size]


def everything(folder: Path) -> list[dict[str, Any]]:
    """Every question of both splits, as rows of a golden set."""
    chosen = {row["_id"]: row for row in _rows(folder / "corpus.jsonl")}
    return [_golden(row, "all", chosen) for row in _rows(folder / "queries.jsonl")]


def _golden(
    row: dict[str, Any], revision: str, paragraphs: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    first, *others = row["answers"] or [None]
    path = Path(row["doc"]).name
    spans = [
        _sentence(paragraphs[id]["text"], row["answers"], row["text"])
        for id in row["gold_passages"]
    ]
    gold = {
        "answerable": row["answerable"],
        "answer": first,
        "accept": others,
        "documents": [{"path": path, "span": span} for span in spans],
    }
    kind = "answerable" if row["answerable"] else "unanswerable"
    return {"id": row["_id"], "question": row["text"], "kind": kind, "gold": {revision: gold}}


def _sentence(paragraph: str, answers: list[str], question: str) -> str:
    """The sentence that holds an answer and shares the most words with the question."""
    asked = set(re.findall(r"\w+", question.lower()))
    holding = [s for s in _SENTENCE.split(paragraph) if any(answer in s for answer in answers)]
    shared = {s: len(asked & set(re.findall(r"\w+", s.lower()))) for s in holding}
    return max(holding, key=lambda s: shared[s], default=paragraph)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
