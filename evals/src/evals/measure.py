"""The suites on the running stack: builds the clients, runs a suite, names its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contracts.status import RunReport
from evals import kept
from evals.clients.application import Application
from evals.clients.ingestion import Ingestion
from evals.clients.qdrant import committed_chunks
from evals.errors import Unavailable
from evals.machine import origin
from evals.progress import Parallel
from evals.results import Result, result
from evals.settings import Settings
from evals.suite import answers, conversations, coverage, losses, retrieval, versions
from evals.suite.golden import GoldenSet
from evals.suite.metrics import MEASURES, Estimate

OURS = "faultline"  # this stack's name among the runs of a drawing
READER = "perfect-reader"  # the name of tests/fakes/perfect_reader.py, as its model list says


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


def golden_set(settings: Settings, asked: GoldenSet, reader: bool = False) -> Measured:
    """A golden set asked of each revision of its corpus; chunks and replies are kept.

    With `reader`, the stack answers with the perfect reader, and its one figure is all there is.

    Raises: EvalsError; also where the stack answers with the perfect reader and nobody said so.
    """
    each = Parallel(settings.parallel)
    replies: list[answers.Reply] = []
    with Application(settings, asked.index) as application:
        for revision in asked.corpora:
            index_corpus(settings, asked, revision)
            if not replies:
                first = application.ask(asked.questions[0].question)
                _check_reader(first.provenance.model, reader)
            chunks = committed_chunks(settings, asked.index)
            texts = [(found.path, found.chunk.text) for found in chunks]
            heard = answers.ask_all(asked.questions, revision, application, texts, each)
            kept.keep(settings.revision_dir(asked.name, revision), chunks, heard)
            replies += heard
    run = READER if reader else OURS
    coverage.keep(settings.runs_dir(asked.name) / f"{run}.jsonl", coverage.marks(replies))
    return marked(asked.name, replies, one_client=settings.parallel == 1, reader=reader)


def conversations_of(settings: Settings, path: Path) -> Measured:
    """Conversations held with the stack, on the revision that they are written for.

    Raises: EvalsError.
    """
    known = conversations.load(path)
    folder = path.resolve().parent
    name, index = folder.name, f"eval-{folder.name}"
    Ingestion(settings.ingestion_command, name, index).sync(folder / conversations.REVISION)
    with Application(settings, index) as application:
        held = conversations.hold_all(known, application, Parallel(settings.parallel))
    here = origin()
    figures = [
        result(id, conversations.WHAT[id], estimate, here)
        for id, estimate in conversations.summary(held).items()
    ]
    details = {"rewritten_by": conversations.rewriters(held), "lost": conversations.lost(held)}
    return Measured({"clients": figures}, details)


def index_corpus(settings: Settings, asked: GoldenSet, revision: str) -> RunReport:
    """Bring the set's own index up to date with one revision of its documents.

    Raises: EvalsError.
    """
    ingestion = Ingestion(settings.ingestion_command, asked.name, asked.index)
    return ingestion.sync(asked.corpora[revision])


def marked(
    name: str, replies: Sequence[answers.Reply], one_client: bool = False, reader: bool = False
) -> Measured:
    """The figures of a golden set's replies, and where values were lost; asks nothing.

    The times of one client alone are figures of their own (G13).
    """
    outcomes = [answers.mark(reply) for reply in replies]
    figures = answers.summary(outcomes)
    details = {
        "by_kind": {
            kind: answers.summary([outcome for outcome in outcomes if outcome.kind == kind])
            for kind in sorted({outcome.kind for outcome in outcomes})
        },
        "steps": losses.steps(replies),
        "statements": losses.support_shares(replies),
    }
    if reader:
        read = {"": figures["containment"]} if "containment" in figures else {}
        return Measured({"answers": _results(f"reader_{name}", read, _READER)}, details)
    degraded = sum(reply.answer.status == "degraded" for reply in replies)
    figures["degraded"] = _count(degraded, len(replies))
    figures["latency_p50_ms"] = _count(answers.latency_p50_ms(replies), len(replies))
    if length := losses.answer_words_p50(replies):
        figures["answer_words_p50"] = _count(length, sum(o.answered for o in outcomes))
    recall: dict[str, Estimate] = {
        id: figures.pop(id) for id in ("recall_at_5", "bm25_recall_at_5") if id in figures
    }
    rows = _results(name, figures, _ANSWERS)
    if one_client and name == "sample" and (times := answers.answered_p50_ms(replies)):
        waited = dict(zip(_WAITED, (_count(ms, len(replies)) for ms in times), strict=True))
        rows += [result(id, f"{name}: {_WAITED[id]}", waited[id], origin()) for id in waited]
    return Measured({"retrieval": _results(name, recall, _ANSWERS), "answers": rows}, details)


def _check_reader(model: str, expected: bool) -> None:
    """Nobody may take the perfect reader's figures for a model's, or the other way round."""
    is_reader = READER in model
    if expected and not is_reader:
        raise Unavailable(
            f"--reader was given, but the stack answers with {model}: start "
            "tests/fakes/perfect_reader.py, and the stack with LLM_URL= its address."
        )
    if is_reader and not expected:
        raise Unavailable(
            "The stack answers with the perfect reader, whose figures are not a model's: add "
            "--reader, or start the stack with a model."
        )


def _results(name: str, figures: Mapping[str, Estimate], what: Mapping[str, str]) -> list[Result]:
    here = origin()
    return [
        result(f"{_prefix(name)}_{id}".rstrip("_"), f"{name}: {what[id]}", estimate, here)
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
    "answer_words_p50": "median words of an answer",
    "answered": "questions with an answer that it answered",
    "degraded": "answers that a layer failed to give; with any, the figures above are too low",
    "latency_p50_ms": "median time of an answer under the suite's own load, ms",
}
_READER = {"": "a perfect reader's answer holds the value, where its passage was retrieved"}
_WAITED = {
    "first_token_p50_ms": "median time until the first token, one client, ms",
    "answer_p50_ms": "median time until the whole answer, one client, ms",
}
