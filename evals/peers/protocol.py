"""What every run.py does around its quickstart: it reads arguments, measures, prints JSON lines.

The first line is {"ingest_seconds"}. Then comes one line a question, {"id", "text",
"first_token_ms", "total_ms", "failure"}, and last {"peak_memory_mb"} of this process. It needs the
standard library only, since each peer has an environment of its own.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

Ask = Callable[[str], Iterable[str]]  # the pieces of an answer, as they are streamed


class Options(argparse.Namespace):
    """The same for every peer: documents, questions, and the endpoints that all of them share."""

    documents: Path
    questions: Path  # JSON lines {"id", "question"}
    llm_url: str  # with /v1
    llm_model: str
    llm_key: str
    embed_url: str  # with /v1
    embed_model: str


def run(ingest: Callable[[Options], Ask]) -> None:
    """Ingest the documents, then ask one question after the other."""
    options = _options()
    began = time.perf_counter()
    ask = ingest(options)
    _print({"ingest_seconds": time.perf_counter() - began})
    for line in options.questions.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        _print({"id": row["id"]} | _answer(ask, row["question"]))
    _print({"peak_memory_mb": _peak_memory_mb()})


def files(folder: Path) -> list[Path]:
    """Every document below a folder, in the order of their paths."""
    return sorted(found for found in folder.rglob("*") if found.is_file())


def _answer(ask: Ask, question: str) -> dict[str, object]:
    began, first_token_ms, pieces, failure = time.perf_counter(), None, [], None
    try:
        for piece in ask(question):
            if piece and first_token_ms is None:
                first_token_ms = _ms_since(began)
            pieces.append(piece or "")
    except Exception as error:  # noqa: BLE001 - whatever a library raises, its user has no answer
        failure = f"{type(error).__name__}: {error}"
    return {
        "text": "".join(pieces),
        "first_token_ms": first_token_ms,
        "total_ms": _ms_since(began),
        "failure": failure,
    }


def _options() -> Options:
    parser = argparse.ArgumentParser()
    for name in ("documents", "questions"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("llm-url", "llm-model", "embed-url", "embed-model"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--llm-key", default="none")
    return parser.parse_args(namespace=Options())


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _print(row: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
