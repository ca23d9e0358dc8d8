"""Retrieval on a folder in BEIR form: dense, sparse and hybrid search, with plain BM25 beside.

The folder holds `corpus.jsonl[.gz]`, `queries.jsonl` and `qrels/test.tsv` (Thakur et al. 2021).
"""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from contracts.answer import Passage
from evals.errors import DatasetError
from evals.suite.bm25 import BM25
from evals.suite.metrics import Estimate, ranking
from evals.suite.ports import Each, Mode, Searcher

LIMIT = 100  # passages a query
SYNC_OPTIONS = (
    "--chunker",
    "whole",
    "--truncate",
)  # one unit a document, cut at the model's length


@dataclass(frozen=True)
class Benchmark:
    """A judged collection: texts and queries by id, and grades by query and document."""

    corpus: Path
    texts: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def load(folder: Path) -> Benchmark:
    """Read a folder in BEIR form; queries without a judgement are left out.

    Raises: DatasetError naming what is missing.
    """
    packed, plain = folder / "corpus.jsonl.gz", folder / "corpus.jsonl"
    corpus = packed if packed.is_file() else plain
    queries, judged = folder / "queries.jsonl", folder / "qrels" / "test.tsv"
    for needed in (corpus, queries, judged):
        if not needed.is_file():
            raise DatasetError(
                f"{needed} is missing; a folder in BEIR form holds corpus.jsonl[.gz], "
                "queries.jsonl and qrels/test.tsv."
            )
    qrels: dict[str, dict[str, int]] = {}
    with judged.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            qrels.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
    return Benchmark(
        corpus=corpus,
        texts={row["_id"]: f"{row['title']} {row['text']}" for row in _rows(corpus)},
        queries={row["_id"]: row["text"] for row in _rows(queries) if row["_id"] in qrels},
        qrels=qrels,
    )


def evaluate(
    benchmark: Benchmark, searcher: Searcher, each: Each
) -> dict[str, dict[str, Estimate]]:
    """Measures by arm: each search mode of the stack, and `bm25` on the same texts."""
    arms = {mode: search_run(benchmark, searcher, each, mode) for mode in get_args(Mode)}
    arms["bm25"] = bm25_run(benchmark)
    return {arm: ranking(benchmark.qrels, run) for arm, run in arms.items()}


def search_run(
    benchmark: Benchmark, searcher: Searcher, each: Each, mode: Mode
) -> dict[str, list[str]]:
    """Document ids by query, through the stack's own search."""
    queries = list(benchmark.queries.items())
    ranked = each(
        lambda query: documents(searcher.search(query[1], LIMIT, mode)), queries, f"{mode} search"
    )
    return {query_id: found for (query_id, _), found in zip(queries, ranked, strict=True)}


def bm25_run(benchmark: Benchmark) -> dict[str, list[str]]:
    """Document ids by query, from plain BM25 over whole documents."""
    ids = list(benchmark.texts)
    index = BM25(list(benchmark.texts.values()))
    return {
        query_id: [ids[position] for position in index.search(text, LIMIT)]
        for query_id, text in benchmark.queries.items()
    }


def documents(passages: Iterable[Passage]) -> list[str]:
    """Paths of the passages' documents, each at the rank of its best passage."""
    return list(dict.fromkeys(passage.path for passage in passages))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    read = gzip.open if path.suffix == ".gz" else open
    with read(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
