import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.answer import Passage
from evals.errors import DatasetError
from evals.suite import retrieval

CORPUS = [
    {"_id": "d1", "title": "Leave", "text": "days of leave a year"},
    {"_id": "d2", "title": "Badges", "text": "report a lost badge"},
]
QUERIES = [{"_id": "q1", "text": "lost badge"}, {"_id": "q2", "text": "not judged"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "corpus.jsonl.gz", "wt", encoding="utf-8") as corpus:
        corpus.writelines(json.dumps(row) + "\n" for row in CORPUS)
    (tmp_path / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in QUERIES))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td2\t1\n")
    return tmp_path


class Searches:
    """Finds the same passages for every question, and remembers the modes asked for."""

    def __init__(self, passages: list[Passage]) -> None:
        self.passages = passages
        self.modes: set[str] = set()

    def search(self, question: str, limit: int, mode: str = "hybrid") -> list[Passage]:
        self.modes.add(mode)
        return self.passages[:limit]


def test_a_folder_is_read_packed_and_only_judged_queries_are_kept(folder: Path) -> None:
    benchmark = retrieval.load(folder)
    assert benchmark.texts["d1"] == "Leave days of leave a year"
    assert benchmark.queries == {"q1": "lost badge"}
    assert benchmark.qrels == {"q1": {"d2": 1}}


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").unlink()
    with pytest.raises(DatasetError, match=r"test\.tsv is missing"):
        retrieval.load(folder)


def test_every_mode_is_searched_and_bm25_stands_beside(
    folder: Path, passage: Callable[..., Passage], in_order: Any
) -> None:
    searcher = Searches([passage("d1"), passage("d2")])
    arms = retrieval.evaluate(retrieval.load(folder), searcher, in_order)
    assert searcher.modes == {"dense", "sparse", "hybrid"}
    assert arms.keys() == {"dense", "sparse", "hybrid", "bm25"}
    assert arms["bm25"]["ndcg10"].value == 1.0
    assert arms["hybrid"]["ndcg10"].value == pytest.approx(0.6309, abs=1e-4)  # 1 / log2(3)


def test_a_document_stands_at_the_rank_of_its_best_chunk(passage: Callable[..., Passage]) -> None:
    passages = [passage("d2", chunk="2a"), passage("d1", chunk="1a"), passage("d2", chunk="2b")]
    assert retrieval.documents(passages) == ["d2", "d1"]
