"""The peers' bench without the peers: their libraries have environments of their own."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import httpx
import pytest

from contracts.answer import Answer
from evals.errors import EvalsError
from evals.settings import Settings
from evals.suite.answers import Gold, Question
from evals.suite.coverage import Mark
from evals.suite.ports import Heard

PEERS = Path(__file__).parents[3] / "evals" / "peers"
RUN = """
from pathlib import Path
import sys

sys.path.insert(0, {peers!r})
from protocol import files, run


def ingest(options):
    names = [path.name for path in files(options.documents)]

    def ask(question):
        if question == "fail":
            raise ValueError("too long")
        yield from (question, " of ", *names)

    return ask


run(ingest)
"""


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PEERS))


@pytest.fixture
def score() -> ModuleType:
    return importlib.import_module("score")


@pytest.fixture
def bench() -> ModuleType:
    return importlib.import_module("bench")


GOLD = Gold(answerable=True, answer="25 days", accept=["twenty-five days"])
NONE = Gold(answerable=False)


def said(text: str, failure: str | None = None) -> dict[str, Any]:
    return {"id": "q", "text": text, "first_token_ms": 5.0, "total_ms": 9.0, "failure": failure}


@pytest.mark.parametrize(
    ("text", "gold", "answered", "abstained", "correct"),
    [
        ("You have 25 days.", GOLD, True, False, True),
        ("Twenty-five days.", GOLD, True, False, True),
        ("You have 5 days.", GOLD, True, False, False),
        ("I don't know.", GOLD, False, True, False),
        ("I don’t know.", NONE, False, True, False),
        ("The context does not mention it, but it is 25 days.", GOLD, True, False, True),
        ("The provided documents do not contain that information.", NONE, False, True, False),
        ("It costs 9 euros.", NONE, True, False, False),
        ("", NONE, False, True, False),
        ("Empty Response", NONE, False, True, False),
        ("Nobody knows whom I met.", NONE, True, False, False),
    ],
)
def test_free_text_is_judged_by_the_value_first_then_by_the_refusal_phrases(
    score: ModuleType, text: str, gold: Gold, answered: bool, abstained: bool, correct: bool
) -> None:
    mark = score.judged(said(text), gold)
    assert (mark.answered, mark.abstained, mark.correct) == (answered, abstained, correct)


def test_a_failure_is_neither_an_answer_nor_an_abstention(score: ModuleType) -> None:
    mark = score.judged(said("", "BadRequestError: too long"), NONE)
    assert (mark.answered, mark.abstained, mark.correct) == (False, False, False)


def mark(id: str, correct: bool, answerable: bool = True, abstained: bool = False) -> Mark:
    return Mark(
        id=id,
        answerable=answerable,
        answered=not abstained,
        abstained=abstained,
        correct=correct,
        evidence=None,
        text="",
        first_token_ms=10.0,
        total_ms=20.0,
    )


def test_figures_and_margins_are_those_counted_by_hand(score: ModuleType) -> None:
    none = mark("q3", False, answerable=False, abstained=True)
    made_up = mark("q3", False, answerable=False)
    ours = score.Arm("faultline", [mark("q1", True), mark("q2", True), none], 3.0, None)
    good = score.Arm("haystack", [mark("q1", True), mark("q2", False), none], 1.0, 150.0)
    bad = score.Arm("langchain", [mark("q1", False), mark("q2", False), made_up], 1.0, 90.0, 1)
    found = {name: estimate.value for name, estimate in score.figures(ours).items()}
    assert found == {
        "containment": 1,
        "abstention_f1": 1,
        "first_token_ms": 10,
        "ingest_seconds": 3,
        "failures": 0,
    }
    assert score.figures(bad)["failures"].value == 1
    margins = score.margins([bad, good, ours])
    assert {name: estimate.value for name, estimate in margins.items()} == {
        "containment_margin": 0.5,
        "abstention_margin": 0,
    }


def test_a_peer_prints_its_replies_as_json_lines_and_an_error_is_one_of_them(
    tmp_path: Path,
) -> None:
    script, questions, documents = (tmp_path / name for name in ("run.py", "q.jsonl", "docs"))
    script.write_text(RUN.format(peers=str(PEERS)))
    documents.mkdir()
    (documents / "a.md").write_text("text")
    rows = [{"id": "q1", "question": "one"}, {"id": "q2", "question": "fail"}]
    questions.write_text("\n".join(json.dumps(row) for row in rows))
    urls = ["--llm-url", "u", "--llm-model", "m", "--embed-url", "u", "--embed-model", "e"]
    command = [sys.executable, script, "--documents", documents, "--questions", questions, *urls]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    ingested, first, second, ended = (json.loads(line) for line in printed.splitlines())
    assert ingested["ingest_seconds"] >= 0
    assert (first["id"], first["text"], first["failure"]) == ("q1", "one of a.md", None)
    assert first["first_token_ms"] <= first["total_ms"]
    assert (second["text"], second["failure"]) == ("", "ValueError: too long")
    assert ended["peak_memory_mb"] > 1


@pytest.fixture
def strict_embedder() -> Iterator[str]:
    """Refuses inputs of more than four words, as the real one refuses long ones."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
            long = next((i for i, text in enumerate(texts) if len(text.split()) > 4), None)
            body: dict[str, Any] = {"data": texts, "key": self.headers["Authorization"]}
            if long is not None:
                body = {"index": long, "tokens": len(texts[long].split()), "limit": 4}
            self.send_response(200 if long is None else 413)
            content = json.dumps(body).encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_inputs_are_cut_only_where_the_embedder_refuses_them(strict_embedder: str) -> None:
    cutting = importlib.import_module("cutting")
    long = " ".join(f"word{n}" for n in range(40))
    with cutting.running(strict_embedder, "secret") as url:
        reply = httpx.post(f"{url}/embeddings", json={"input": ["short one", long, long]}).json()
        one = httpx.post(f"{url}/embeddings", json={"input": "a string"}).json()
    short, *cut = reply["data"]
    assert (short, reply["key"]) == ("short one", "Bearer secret")
    assert all(long.startswith(text) and 2 <= len(text.split()) <= 4 for text in cut)
    assert one["data"] == ["a string"]


@pytest.fixture
def questions() -> list[Question]:
    return [Question(id="q1", question="How long?", kind="k", gold={"r2": GOLD})]


def test_our_arm_ingests_from_nothing_and_asks_as_one_client(
    bench: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[..., Answer],
    questions: list[Question],
) -> None:
    indexes: list[str] = []

    class Stack:
        def __init__(self, settings: Settings, index: str) -> None:
            indexes.append(index)

        def __enter__(self) -> "Stack":
            return self

        def __exit__(self, *_: object) -> None: ...

        def listen(self, question: str) -> Heard:
            return Heard(answer(text="25 days [1]."), "25 days [1].", 7.0, 9.0)

    monkeypatch.setattr(bench, "Application", Stack)
    monkeypatch.setattr(bench.Ingestion, "sync", lambda self, *given: indexes.append(self.index))
    arm = bench.ours(Settings(), "sample", Path("r2"), "r2", questions, "no-such-command")
    assert indexes[0] == indexes[1]
    assert indexes[0].startswith("peers-sample-")
    assert [(m.id, m.correct, m.first_token_ms) for m in arm.marks] == [("r2/q1", True, 7.0)]
    assert (arm.peak_memory_mb, arm.failures) == (None, 0)


def test_a_peers_lines_become_an_arm(bench: ModuleType, questions: list[Question]) -> None:
    replies = [said("25 days") | {"id": "q1"}]
    rows = [{"ingest_seconds": 2.5}, *replies, {"peak_memory_mb": 120.0}]
    arm = bench._arm("haystack", rows, "r2", questions)
    assert (arm.ingest_seconds, arm.peak_memory_mb, arm.marks[0].id) == (2.5, 120.0, "r2/q1")
    ids = {row.id for row in bench.published("sample", [arm])}
    assert ids >= {"haystack_containment", "haystack_first_token_ms", "haystack_peak_memory_mb"}
    assert "containment_margin" not in ids


def test_a_peer_that_cannot_be_installed_is_named(
    bench: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "evals" / "peers"
    (folder / "langchain").mkdir(parents=True)
    (folder / "langchain" / "requirements.txt").write_text("nothing==1\n")
    monkeypatch.setattr(bench, "HERE", folder)
    monkeypatch.setattr(bench.venv, "create", lambda *given, **options: None)
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(bench.subprocess, "run", lambda *given, **options: failed)
    with pytest.raises(EvalsError, match="pip could not install"):
        bench.installed("langchain")


@pytest.mark.parametrize("peer", ["langchain", "llamaindex", "haystack"])
def test_a_peer_is_small_and_its_versions_are_pinned_by_hash(peer: str) -> None:
    source = (PEERS / peer / "run.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 100
    compile(source, peer, "exec")
    requirements = (PEERS / peer / "requirements.txt").read_text(encoding="utf-8")
    pinned = [line for line in requirements.splitlines() if not line.startswith(" ")]
    assert all("==" in line for line in pinned)
    assert requirements.count("--hash=sha256:") >= len(pinned)
    assert "://" not in requirements
