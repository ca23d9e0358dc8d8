"""The peers and Faultline, one after the other, on the same documents, questions and endpoints.

Run by `make bench-peers`, with the stack running; `--only langchain` runs one arm without writing.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from evals import results
from evals.clients.application import Application
from evals.clients.ingestion import Ingestion
from evals.console import sentences
from evals.errors import EvalsError, Unavailable
from evals.machine import origin
from evals.measure import READER
from evals.settings import Settings
from evals.suite import answers, coverage, golden
from evals.suite.answers import Question
from evals.suite.golden import GoldenSet

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cutting  # noqa: E402 - the path is set above
from score import OURS, Arm, figures, judged, margins  # noqa: E402

# Ours comes first: the peak of all child processes so far is then that of its ingestion.
ARMS = (OURS, "langchain", "llamaindex", "haystack")
WHAT = {
    "containment": "replies that hold the value, of all questions that have one",
    "abstention_f1": "abstention F1",
    "first_token_ms": "median time until the first token, one client, ms",
    "ingest_seconds": "seconds to ingest the documents from nothing",
    "peak_memory_mb": "peak memory, embedder and chat model apart, MB",
    "failures": "questions that ended in an error",
    "containment_margin": "containment of faultline less the best peer's",
    "abstention_margin": "abstention F1 of faultline less the best peer's",
}
QUIET = {"HAYSTACK_TELEMETRY_ENABLED": "False", "LANGSMITH_TRACING": "false"}


def main() -> None:
    """Run the arms, print their figures, and write them where all of them ran."""
    options = _options()
    with sentences():
        settings = Settings()
        asked = golden.load(options.golden, limit=options.limit)
        arms = run(settings, asked, options.only or ARMS, options.status)
        rows = published(asked.name, arms)
        for row in rows:
            print(f"{row.id:<28} {row.value:>10.3f}  {row.spread or ''}")
        if options.only or options.limit or READER in settings.llm_model:
            print("Not written: only a run of every arm and question by a real model is published.")
        else:
            file = "peers" if asked.name == "sample" else f"peers_{asked.name}"
            results.merge(settings.results_dir / f"{file}.json", rows)


def run(settings: Settings, asked: GoldenSet, names: Sequence[str], status: str) -> list[Arm]:
    """Every arm's run on the last revision; the replies are kept for `evals curve`."""
    revision = list(asked.corpora)[-1]
    questions = [question for question in asked.questions if revision in question.gold]
    documents = asked.corpora[revision]
    arms = []
    for name in names:
        if name == OURS:
            arm = ours(settings, asked.name, documents, revision, questions, status)
        else:
            arm = peer(settings, name, documents, revision, questions)
        coverage.keep(settings.runs_dir(asked.name) / f"{name}.jsonl", arm.marks)
        arms.append(arm)
    return arms


def published(dataset: str, arms: Sequence[Arm]) -> list[results.Result]:
    """The figures of every arm, and the margins where there are peers to compare with."""
    here = origin()
    rows = [
        results.result(f"{arm.name}_{id}", f"{dataset}, {arm.name}: {WHAT[id]}", estimate, here)
        for arm in arms
        for id, estimate in figures(arm).items()
    ]
    if len(arms) > 1 and any(arm.name == OURS for arm in arms):
        rows += [
            results.result(id, f"{dataset}: {WHAT[id]}", estimate, here)
            for id, estimate in margins(arms).items()
        ]
    return rows


def peer(
    settings: Settings, name: str, documents: Path, revision: str, questions: Sequence[Question]
) -> Arm:
    """One peer's run.py in its environment.

    Raises: EvalsError where it ends badly.
    """
    python = installed(name)
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
    embed_key = settings.embed_api_key.get_secret_value() if settings.embed_api_key else None
    with (
        TemporaryDirectory() as folder,
        cutting.running(settings.embed_url, embed_key) as embed_url,
    ):
        asked = Path(folder) / "questions.jsonl"
        lines = [json.dumps({"id": q.id, "question": q.question}) for q in questions]
        asked.write_text("\n".join(lines), encoding="utf-8")
        arguments = {
            "documents": documents,
            "questions": asked,
            "llm-url": f"{settings.llm_url.rstrip('/').removesuffix('/v1')}/v1",
            "llm-model": settings.llm_model,
            "llm-key": key,
            "embed-url": embed_url,
            "embed-model": _embedder(settings.embed_url, embed_key),
        }
        words = [word for id, value in arguments.items() for word in (f"--{id}", str(value))]
        command = [str(python), str(HERE / name / "run.py"), *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, env=os.environ | QUIET, check=False)
    if done.returncode:
        raise EvalsError(f"{name} ended with {done.returncode}; see above.")
    return _arm(name, [json.loads(line) for line in done.stdout.splitlines()], revision, questions)


def ours(
    settings: Settings,
    dataset: str,
    documents: Path,
    revision: str,
    questions: Sequence[Question],
    status: str,
) -> Arm:
    """Faultline's run, in a new index, so that ingestion starts from nothing."""
    index = f"peers-{dataset}-{int(time.time())}"
    began = time.perf_counter()
    Ingestion(settings.ingestion_command, dataset, index).sync(documents, ("--plain",))
    ingest_seconds = time.perf_counter() - began
    with Application(settings, index) as application:
        replies = []
        for question in questions:
            heard = application.listen(question.question)
            reply = answers.Reply(
                revision=revision,
                question=question,
                retrieved=[],
                bm25=[],
                answer=heard.answer,
                first_token_ms=heard.first_token_ms,
                total_ms=heard.total_ms,
            )
            replies.append(reply)
    failures = sum(reply.answer.status == "degraded" for reply in replies)
    marks = coverage.marks(replies)
    return Arm(OURS, marks, ingest_seconds, _memory_of_stack(status), failures)


def installed(name: str) -> Path:
    """The Python of a peer's environment, installed from its hashed requirements where it is not.

    Raises: EvalsError where the installation fails.
    """
    folder = HERE.parents[1] / ".venvs" / f"peer-{name}"
    requirements = HERE / name / "requirements.txt"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = requirements.read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes"]
        if subprocess.run([*pip, "-r", str(requirements)], check=False).returncode:
            raise EvalsError(f"pip could not install {requirements}; see above, then run it again.")
        stamp.write_text(wanted, encoding="utf-8")
    return python


def _arm(
    name: str, rows: list[dict[str, Any]], revision: str, questions: Sequence[Question]
) -> Arm:
    ingested, *replies, ended = rows
    golds = {question.id: question.gold[revision] for question in questions}
    marks = [judged(row, golds[row["id"]]) for row in replies]
    for mark_, row in zip(marks, replies, strict=True):
        if row["failure"]:
            sys.stderr.write(f"{name} failed on {mark_.id}: {row['failure']}\n")
    failures = sum(bool(row["failure"]) for row in replies)
    marks = [m.model_copy(update={"id": f"{revision}/{m.id}"}) for m in marks]
    return Arm(name, marks, ingested["ingest_seconds"], ended["peak_memory_mb"], failures)


def _embedder(url: str, key: str | None) -> str:
    """The name by which the embedder must be called."""
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        reply = httpx.get(f"{url}/v1/models", headers=headers).raise_for_status()
    except httpx.HTTPError as error:
        raise Unavailable(f"The embedder does not answer at {url}: set EVALS_EMBED_URL.") from error
    return str(reply.json()["data"][0]["id"])


def _memory_of_stack(status: str) -> float | None:
    """Peak memory in MB of the ingestion that just ran, the vector store and the application.

    The sum of each one's own peak, so rather too much; None where it cannot be read.
    """
    try:
        said = subprocess.run(status.split(), capture_output=True, text=True, check=False).stdout
        pids = [
            p["pid"] for p in json.loads(said) if p["process"] in ("vectorstore", "application")
        ]
        peaks = [_peak_kb(pid) for pid in pids]
    except (OSError, ValueError, KeyError):
        return None
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (sum(peaks) + children) / 1024


def _peak_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path("evals/datasets/sample/golden.jsonl")
    parser.add_argument("golden", type=Path, nargs="?", default=default)
    parser.add_argument("--only", action="append", choices=ARMS)
    parser.add_argument("--limit", type=int, help="the first so many questions, by their hashes")
    status = ".venvs/demo/bin/demo status --json"
    parser.add_argument("--status", default=status, help="the command that tells processes' ids")
    return parser.parse_args()


if __name__ == "__main__":
    main()
