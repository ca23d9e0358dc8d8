"""Ratios of ingestion: two arms by turns in one run, the median of the rounds, with their spread.

.venvs/ingestion/bin/python tests/bench/bench.py --write                    # all: `make bench`
.venvs/ingestion/bin/python tests/bench/bench.py --only G5 --documents 50   # a trial of the bench

G5 and G12 embed by hashes, so that nothing hides the cost of bookkeeping; the others use the real
embedder (`make install`). G1, G3 and G4 share their full syncs, since each takes minutes.
"""

import argparse
import hashlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import documents
from world import ROOT, NotMeasured, World, origin, prefect_server, world, write

from contracts.endpoints import PRIORITY_HEADER
from ingestion.sync.order import BATCHES_AT_ONCE

RESULTS = ROOT / "docs" / "results" / "bench.json"
SAMPLE = ROOT / "evals" / "datasets" / "sample" / "r2"  # real pages
NEIGHBOURS = 10  # of a chunk, of which two embedders should find the same


@dataclass(frozen=True)
class Size:
    """How much is measured, and of what."""

    documents: int
    rounds: int
    data: Path | None


Rounds = dict[str, list[float]]  # id -> a value per round


def full_syncs(world: World, size: Size) -> Rounds:
    """A full sync by three arms: the plain function, its embedding alone, the flow; and 1% more.

    The raw arm embeds the same texts in the same batches, as many at once; imports are outside.
    """
    source = world.folder / "source"
    found: Rounds = {"G1": [], "G3": [], "G4": []}
    with prefect_server(world):
        from ingestion.flow import run_flow

        run_flow(world.request(_small(world), "warm-flow"), lambda done, total: None)
        for turn in range(size.rounds):
            files = documents.fill(source, size.documents, size.data)
            world.embedder.calls.clear()
            plain, _ = world.sync(source, f"plain-{turn}")
            batches = [*world.embedder.calls]

            started = time.perf_counter()
            with ThreadPoolExecutor(BATCHES_AT_ONCE) as pool:
                list(pool.map(lambda batch: world.embedder.inner.embed(*batch), batches))
            found["G1"].append(plain / (time.perf_counter() - started))

            started = time.perf_counter()
            report, _ = run_flow(world.request(source, f"flow-{turn}"), lambda done, total: None)
            found["G3"].append((time.perf_counter() - started) / plain)
            assert report.status != "failed", report.error

            changed = documents.edit(files, 0.01)
            part, report = world.sync(source, f"plain-{turn}")
            assert report.count("modified") == changed
            found["G4"].append(part / plain)
            world.drop(f"plain-{turn}")
            world.drop(f"flow-{turn}")
    return found


def _small(world: World) -> Path:
    """Ten documents: what a first sync pays once, such as imports, is paid with them."""
    folder = world.folder / "small"
    documents.fill(folder, 10, None)
    return folder


def g2(world: World, size: Size) -> Rounds:
    """The served default against plain sentence-transformers in float32, on the same chunks."""
    return {"G2": _embedding_arms(world, size)[0]}


def g2_real(world: World, size: Size) -> Rounds:
    """The same on real pages, with neighbours: of made-up words they would say little."""
    speedups, overlaps = _embedding_arms(world, replace(size, data=size.data or SAMPLE))
    return {"G2_real": speedups, "G2_overlap": overlaps}


def _embedding_arms(world: World, size: Size) -> tuple[list[float], list[float]]:
    """Speedup of each round, and the share of neighbours that both arms find."""
    import numpy as np

    documents.fill(world.folder / "source", size.documents, size.data)
    world.sync(world.folder / "source", "g2")
    texts = [text for dense, _ in world.embedder.calls for text in dense]
    speedups, overlaps = [], []
    for _ in range(size.rounds):
        started = time.perf_counter()
        vectors = [v.dense for v in world.embedder.inner.embed(texts, [""] * len(texts))]
        served = time.perf_counter() - started
        plain_seconds, plain = _plain_embedding(world.folder, texts)
        speedups.append(plain_seconds / served)
        sampled = range(0, len(texts), max(1, len(texts) // 500))
        ours, theirs = (_nearest(np.asarray(each), sampled) for each in (vectors, plain))
        same = [len(a & b) / NEIGHBOURS for a, b in zip(ours, theirs, strict=True)]
        overlaps.append(statistics.mean(same))
    return speedups, overlaps


def _plain_embedding(folder: Path, texts: list[str]) -> tuple[float, Any]:
    """Seconds and vectors of sentence-transformers, in the environment of the embedder."""
    import json

    import numpy as np

    (folder / "texts.json").write_text(json.dumps(texts))
    script = ROOT / "tests" / "bench" / "plain_embedding.py"
    models = os.environ.get("SERVING_MODELS_DIR", str(ROOT / ".state" / "models"))
    command = [ROOT / ".venvs/embed/bin/python", script, f"{models}/all-MiniLM-L6-v2", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout), np.load(folder / "plain.npy")


def _nearest(vectors: Any, sampled: range) -> list[set[int]]:
    """For each sampled row, the rows that are nearest to it by cosine."""
    import numpy as np

    scores = vectors[sampled] @ vectors.T
    return [set(row) for row in np.argsort(-scores, axis=1)[:, 1 : NEIGHBOURS + 1].tolist()]


def g5(world: World, size: Size) -> Rounds:
    """A sync with nothing to do against hashing the same tree, and what it embeds and writes."""
    source = world.folder / "source"
    documents.fill(source, size.documents, size.data)
    world.sync(source, "g5")
    found: Rounds = {"G5": [], "G5_embeddings": [], "G5_writes": []}
    for _ in range(size.rounds):
        world.embedder.calls.clear()
        world.store.calls.clear()
        idle, _ = world.sync(source, "g5")
        started = time.perf_counter()
        for folder, _, files in os.walk(source):
            for file in files:
                with open(f"{folder}/{file}", "rb") as raw:
                    hashlib.file_digest(raw, "sha256").hexdigest()
        found["G5"].append(idle / (time.perf_counter() - started))
        found["G5_embeddings"].append(len(world.embedder.calls))
        found["G5_writes"].append(len(world.store.calls))
    return found


def g12(world: World, size: Size) -> Rounds:
    """Cost per document of a full sync of ten times the documents."""
    ratios = []
    for turn in range(size.rounds):
        per_document = []
        for name, count in (("tenth", size.documents // 10), ("all", size.documents)):
            source = world.folder / name
            files = documents.fill(source, count, size.data)
            seconds, _ = world.sync(source, f"g12-{name}-{turn}")
            per_document.append(seconds / len(files))
            world.drop(f"g12-{name}-{turn}")
        ratios.append(per_document[1] / per_document[0])
    return {"G12": ratios}


QUESTION_TEXTS = 17  # a question and the sentences that it is compared with
QUESTIONS = 20  # per arm and round


def beside_bulk(world: World, size: Size) -> Rounds:
    """Embedding a question while an ingestion embeds, against the same questions alone."""
    documents.fill(world.folder / "source", size.documents, size.data)
    world.sync(world.folder / "source", "beside")
    chunks = [text for dense, _ in world.embedder.calls for text in dense]
    sentences = [text[:120] for text in chunks]
    ratios = []
    with _embedding(world, sentences) as ask:
        for _ in range(size.rounds):
            alone = [ask() for _ in range(QUESTIONS)]
            with _ingesting(world, chunks):
                beside = [ask() for _ in range(QUESTIONS)]
            ratios.append(statistics.median(beside) / statistics.median(alone))
    return {"embed_beside_bulk": ratios}


@contextmanager
def _embedding(world: World, sentences: list[str]) -> Iterator[Callable[[], float]]:
    """A function that embeds one question as the application does, and returns its seconds."""
    import httpx

    headers = {PRIORITY_HEADER: "interactive"}
    with httpx.Client(base_url=world.settings.embed_url, headers=headers, timeout=600) as client:

        def ask() -> float:
            started = time.perf_counter()
            body = {"input": random.sample(sentences, QUESTION_TEXTS)}
            client.post("/v1/embeddings", json=body).raise_for_status()
            return time.perf_counter() - started

        yield ask


@contextmanager
def _ingesting(world: World, chunks: list[str]) -> Iterator[None]:
    """Embed as an ingestion does, with as many requests at once, while the block runs."""
    ended = threading.Event()

    def embed(first: int) -> None:
        while not ended.is_set():
            part = [chunks[(first + n) % len(chunks)] for n in range(64)]
            world.embedder.inner.embed(part, part)
            first += 64

    with ThreadPoolExecutor(BATCHES_AT_ONCE) as pool:
        running = [pool.submit(embed, 64 * number) for number in range(BATCHES_AT_ONCE)]
        time.sleep(1)  # the queue fills
        try:
            yield
        finally:
            ended.set()
        for each in running:
            each.result()


@dataclass(frozen=True)
class Figure:
    """A measurement with its size; whether it needs the real embedder."""

    measure: Callable[[World, Size], Rounds]
    documents: int
    rounds: int
    real_embedder: bool = False


FIGURES = {
    "G1,G3,G4": Figure(full_syncs, 2000, 3, real_embedder=True),
    "G2": Figure(g2, 500, 5, real_embedder=True),
    "G2_real,G2_overlap": Figure(g2_real, 63, 5, real_embedder=True),
    "G5": Figure(g5, 5000, 5),
    "G12": Figure(g12, 10000, 3),
    "embed_beside_bulk": Figure(beside_bulk, 100, 5, real_embedder=True),
}
ROWS: dict[str, tuple[str, str, float]] = {  # id -> what, direction, goal
    "G1": ("ingest / embedding the same chunks", "<=", 1.10),
    "G2": ("chunks per second: the default / sentence-transformers in float32", ">=", 1.8),
    "G2_real": ("the same, on the sample's real pages", ">=", 1.8),
    "G2_overlap": ("its top 10 neighbours that are the same by both, share", ">=", 0.985),
    "G3": ("flow under Prefect / the plain function, full sync", "<=", 1.02),
    "G4": ("sync after a change of 1% / full sync", "<=", 0.02),
    "G5": ("sync with no change / hashing the same tree", "<=", 3),
    "G5_embeddings": ("sync with no change: calls that embed", "<=", 0),
    "G5_writes": ("sync with no change: calls that write points or aliases", "<=", 0),
    "G12": ("cost per document at 10x the documents", "<=", 1.05),
    "embed_beside_bulk": ("a question's embedding beside an ingestion / alone", "<=", 2),
}


def measured(name: str, size: Size) -> Iterator[dict[str, Any]]:
    """The rows of one figure."""
    figure = FIGURES[name]
    with (
        tempfile.TemporaryDirectory() as folder,
        world(Path(folder), figure.real_embedder) as started,
        closing(started.store.inner),
    ):
        started.sync(_small(started), "warm")  # it imports parsers and loads a tokenizer
        started.drop("warm")
        before = origin()  # with the load that others made
        for id, values in figure.measure(started, size).items():
            what, direction, goal = ROWS[id]
            yield {
                "id": id,
                "what": what,
                "value": round(statistics.median(values), 4),
                "goal": goal,
                "direction": direction,
                "n": size.documents,
                "spread": [round(min(values), 4), round(max(values), 4)],
                **before,
            }


def main() -> None:
    """Measure, print a row for each figure, and write them where asked to."""
    arguments = argparse.ArgumentParser(description="Ratios of ingestion, with their spread.")
    arguments.add_argument("--only", default="", help=f"some of {','.join(ROWS)}")
    arguments.add_argument("--data", type=Path, help="a real set's folder, for generated pages")
    arguments.add_argument("--documents", type=int, help="for a trial; nothing is written then")
    arguments.add_argument("--rounds", type=int, help="for a trial; nothing is written then")
    arguments.add_argument("--write", action="store_true", help=f"into {RESULTS.name}")
    given = arguments.parse_args()
    asked = {name for name in given.only.split(",") if name} or {*ROWS}
    if unknown := asked - {*ROWS}:
        arguments.error(f"no figure is called {min(unknown)}: there are {', '.join(ROWS)}")
    wanted = [names for names in FIGURES if asked & {*names.split(",")}]
    if given.write and (given.documents or given.rounds or given.data):
        arguments.error("--write goes with the sizes that are set: leave out the other options")

    print(f"{'id':<18}{'median':>9}  {'spread':<22}{'goal':<10}what", flush=True)
    for name in wanted:
        figure = FIGURES[name]
        size = Size(given.documents or figure.documents, given.rounds or figure.rounds, given.data)
        try:
            rows = [*measured(name, size)]
        except NotMeasured as reason:
            print(f"{name:<18}not measured: {reason}", flush=True)
            continue
        for row in rows:
            spread = f"[{row['spread'][0]}, {row['spread'][1]}]"
            goal = f"{row['direction']} {row['goal']}"
            print(
                f"{row['id']:<18}{row['value']:>9}  {spread:<22}{goal:<10}{row['what']}", flush=True
            )
        if given.write:
            write(RESULTS, rows)


if __name__ == "__main__":
    main()
