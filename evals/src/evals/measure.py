"""The suites on the running stack: builds the clients, runs a suite, names its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evals import kept
from evals.clients.application import Application
from evals.clients.ingestion import Ingestion
from evals.clients.qdrant import committed_chunks
from evals.machine import origin
from evals.progress import Parallel
from evals.results import Result, result
from evals.settings import Settings
from evals.suite import answers, retrieval, versions
from evals.suite.metrics import MEASURES, Estimate


@dataclass(frozen=True)
class Measured:
    """Figures by results file, and what a person needs to understand them."""

    results: dict[str, list[Result]]
    details: dict[str, Any]


def benchmark(settings: Settings, folder: Path) -> Measured:
    """Retrieval on a folder in BEIR form, in an index of its own.

    Raises: EvalsError.
    """
    loaded = retrieval.load(folder)
    name = folder.resolve().name
    index = f"bench-{name}"
    ingestion = Ingestion(settings.ingestion_command, name, index)
    run = ingestion.sync(loaded.corpus, retrieval.SYNC_OPTIONS)
    with Application(settings, index) as application:
        arms = retrieval.evaluate(loaded, application, Parallel(settings.parallel))
    here = origin()
    figures = [
        result(f"{_prefix(name)}_{arm}_{id}", f"{name}: {arm}, {MEASURES[id]}", estimate, here)
        for arm, measures in arms.items()
        for id, estimate in measures.items()
    ]
    return Measured({"retrieval": figures}, run.model_dump(exclude={"outcomes"}))


def knowledge_base(settings: Settings, folder: Path) -> Measured:
    """Every version of a knowledge base synced in order into one index, and questioned.

    Raises: EvalsError.
    """
    base = versions.load(folder)
    name = folder.resolve().name
    index = f"bench-{name}"
    ingestion = Ingestion(settings.ingestion_command, name, index)
    with Application(settings, index) as application:
        reports = versions.evaluate(base, ingestion, application, Parallel(settings.parallel))
    files = sum(report.files for report in reports)
    figures = {
        "recall_at_5": min((r.recall for r in reports if r.recall), key=lambda found: found.value),
        "disagreements": _count(sum(len(r.disagreements) for r in reports), len(base.changes)),
        "unaccounted": _count(sum(len(r.unaccounted) for r in reports), files),
        "stale_citations": _count(len(reports[-1].stale), len(base.questions)),
    }
    details = {report.version: asdict(report) for report in reports}
    return Measured({"retrieval": _results(name, figures, _VERSIONS)}, details)


def golden_set(settings: Settings, path: Path) -> Measured:
    """A golden set asked of each revision of its corpus; chunks and replies are kept.

    Raises: EvalsError.
    """
    questions = answers.load(path)
    folder = path.resolve().parent
    index = f"eval-{folder.name}"
    ingestion = Ingestion(settings.ingestion_command, folder.name, index)
    each = Parallel(settings.parallel)
    replies: list[answers.Reply] = []
    with Application(settings, index) as application:
        for revision in answers.revisions(questions):
            ingestion.sync(folder / revision)
            chunks = committed_chunks(settings, index)
            texts = [(found.path, found.chunk.text) for found in chunks]
            asked = answers.ask_all(questions, revision, application, texts, each)
            kept.keep(settings.revision_dir(folder.name, revision), chunks, asked)
            replies += asked
    return marked(folder.name, replies)


def marked(name: str, replies: Sequence[answers.Reply]) -> Measured:
    """The figures of a golden set's replies, and the same by kind of question; asks nothing."""
    outcomes = [answers.mark(reply) for reply in replies]
    figures = answers.summary(outcomes)
    degraded = sum(reply.answer.status == "degraded" for reply in replies)
    figures["degraded"] = _count(degraded, len(replies))
    figures["latency_p50_ms"] = _count(answers.latency_p50_ms(replies), len(replies))
    recall: dict[str, Estimate] = {
        id: figures.pop(id) for id in ("recall_at_5", "bm25_recall_at_5") if id in figures
    }
    by_kind = {
        kind: answers.summary([outcome for outcome in outcomes if outcome.kind == kind])
        for kind in sorted({outcome.kind for outcome in outcomes})
    }
    return Measured(
        {
            "retrieval": _results(name, recall, _ANSWERS),
            "answers": _results(name, figures, _ANSWERS),
        },
        by_kind,
    )


def _results(name: str, figures: Mapping[str, Estimate], what: Mapping[str, str]) -> list[Result]:
    here = origin()
    return [
        result(f"{_prefix(name)}_{id}", f"{name}: {what[id]}", estimate, here)
        for id, estimate in figures.items()
    ]


def _prefix(name: str) -> str:
    return name.replace("-", "_")


def _count(value: float, n: int) -> Estimate:
    return Estimate(float(value), float(value), float(value), n)


_VERSIONS = {
    "recall_at_5": "gold document among the top 5, lowest of the versions",
    "disagreements": "paths whose outcome differs from the recorded changes",
    "unaccounted": "files that no run report accounts for",
    "stale_citations": "documents shown or cited that the last version does not have",
}
_ANSWERS = {
    "recall_at_5": "gold span among the top 5",
    "bm25_recall_at_5": "gold span among the top 5 of plain BM25 over the same chunks",
    "containment": "the answer holds the value, where the model was given its passage",
    "abstention_precision": "abstentions on questions that have no answer",
    "abstention_recall": "questions without an answer on which it abstained",
    "abstention_f1": "abstention F1",
    "citation_correct": "citations that name a gold document",
    "gold_cited": "answers that cite a gold document at all",
    "answered": "questions with an answer that it answered",
    "degraded": "answers that a layer failed to give; with any, the figures above are too low",
    "latency_p50_ms": "median time of an answer under the suite's own load, ms",
}
