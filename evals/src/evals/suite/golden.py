"""A golden set and the documents it is asked of, in either form. Reads files only."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from evals.errors import DatasetError
from evals.suite import answers, squad
from evals.suite.answers import Question


@dataclass(frozen=True)
class GoldenSet:
    """Questions, and for each revision they know the folder of documents to ask them of."""

    name: str  # of the source, and of the figures
    index: str  # an index of its own, beside the demo's
    questions: list[Question]
    corpora: dict[str, Path]  # by revision, in the order in which they are synced


def load(path: Path, split: squad.Split = "test", limit: int | None = None) -> GoldenSet:
    """Read `golden.jsonl`, which lies beside its revisions, or a folder in SQuAD 2.0's form.

    `limit` keeps the first questions by the sha256 of their ids; `split` is for SQuAD only.

    Raises: DatasetError naming what is not in the form.
    """
    if squad.is_squad(path):
        rows = squad.sample(path, split, squad.SAMPLE if limit is None else limit)
        questions = [Question.model_validate(row) for row in rows]
        name = squad.name_of(path)
        return GoldenSet(name, name, questions, {split: path / "docs"})
    questions = answers.load(path)
    if limit is not None:
        digests = {q.id: hashlib.sha256(q.id.encode()).hexdigest() for q in questions}
        questions = sorted(questions, key=lambda q: digests[q.id])[:limit]
    if not questions:
        raise DatasetError(f"{path} has no question: name a golden set with at least one.")
    folder = path.resolve().parent
    corpora = {revision: folder / revision for revision in answers.revisions(questions)}
    return GoldenSet(folder.name, f"eval-{folder.name}", questions, corpora)
