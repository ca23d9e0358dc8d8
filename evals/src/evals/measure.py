"""The suites on the running stack: builds the clients, runs a suite, names its figures."""

from collections import defaultdict
from collections.abc import Sequence
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
from evals.suite.metrics import Estimate


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
    run = Ingestion(settings.ingestion_command, name, index).sync(
        loaded.corpus, retrieval.SYNC_OPTIONS
    )
    with Application(settings, index) as application:
        arms = retrieval.evaluate(loaded, application, Parallel(settings.parallel))
    figures = [
        (f"{arm}_{measure}", f"{name}: {arm}, {_MEASURE_NAMES[measure]}", estimate)
        for arm, measures in arms.items()
        for measure, estimate in measures.items()
    ]
    details = {"documents": len(loaded.texts), "sync": run.model_dump(exclude={"outcomes"})}
    return Measured({"retrieval": _results(name, figures)}, details)


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
    recalls = [report.recall for report in reports if report.recall]
    figures = [
        (
            "recall_at_5",
            f"{name}: gold document among the top 5, lowest of {len(reports)} versions",
            min(recalls, key=lambda estimate: estimate.value),
        ),
        (
            "disagreements",
            f"{name}: paths whose outcome differs from the recorded changes",
            _count(sum(len(report.disagreements) for report in reports), len(base.changes)),
        ),
        (
            "unaccounted",
            f"{name}: files that no run report accounts for",
            _count(sum(len(report.unaccounted) for report in reports), files),
        ),
        (
            "stale_citations",
            f"{name}: documents shown or cited that the last version does not have",
            _count(len(reports[-1].stale), len(base.questions)),
        ),
    ]
    details = {report.version: asdict(report) for report in reports}
    return Measured({"retrieval": _results(name, figures)}, details)


def golden_set(settings: Settings, path: Path) -> Measured:
    """A golden set asked of each revision of its corpus; chunks and replies are kept.

    Raises: EvalsError.
    """
    questions = answers.load(path)
    folder = path.resolve().parent
    index = f"eval-{folder.name}"
    ingestion = Ingestion(settings.ingestion_command, folder.name, index)
    replies: list[answers.Reply] = []
    with Application(settings, index) as application:
        for revision in answers.revisions(questions):
            ingestion.sync(folder / revision)
            chunks = committed_chunks(settings, index)
            texts = [(found.path, found.chunk.text) for found in chunks]
            each = Parallel(settings.parallel)
            asked = answers.ask_all(questions, revision, application, texts, each)
            kept.keep(settings.revision_dir(folder.name, revision), chunks, asked)
            replies += asked
    return marked(folder.name, replies)


def marked(name: str, replies: Sequence[answers.Reply]) -> Measured:
    """The figures of a golden set's replies; asks nothing."""
    outcomes = [answers.mark(reply) for reply in replies]
    figures = [
        (metric, f"{name}: {_ANSWER_METRICS[metric]}", estimate)
        for metric, estimate in answers.summary(outcomes).items()
    ]
    latency = answers.latency_p50_ms(replies)
    figures.append(("latency_p50_ms", f"{name}: median answer, ms", _count(latency, len(replies))))
    recall = [figure for figure in figures if "recall_at_5" in figure[0]]
    rest = [figure for figure in figures if figure not in recall]
    by_kind: dict[str, list[answers.Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.kind].append(outcome)
    details = {
        kind: {metric: asdict(value) for metric, value in answers.summary(of_kind).items()}
        for kind, of_kind in sorted(by_kind.items())
    }
    results = {"retrieval": _results(name, recall), "answers": _results(name, rest)}
    return Measured(results, details)


def _results(name: str, figures: Sequence[tuple[str, str, Estimate]]) -> list[Result]:
    prefix, here = name.replace("-", "_"), origin()
    return [result(f"{prefix}_{id}", what, value, here) for id, what, value in figures]


def _count(value: float, n: int) -> Estimate:
    return Estimate(float(value), float(value), float(value), n)


_MEASURE_NAMES = {
    "ndcg10": "nDCG@10",
    "recall_at_5": "recall@5",
    "recall_at_10": "recall@10",
    "recall_at_100": "recall@100",
}
_ANSWER_METRICS = {
    "recall_at_5": "gold span among the top 5",
    "bm25_recall_at_5": "the same by plain BM25 over the same chunks",
    "containment": "the answer holds the value, where the model was given its passage",
    "abstention_precision": "abstained rightly, of those abstained",
    "abstention_recall": "abstained, of those without an answer",
    "abstention_f1": "abstention F1",
    "citation_correct": "citations of a gold document, of those answered rightly or not",
    "answered": "answered, of those that have an answer",
}
