"""Back and forth through revisions: after each, the index is a fresh ingest's (I1, I2, I5).

Ids and payloads are equal, run ids and times aside, and vectors to a cosine of .999: a text that
is embedded among others differs in its last bits.
"""

import math
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from tests.bench.world import ROOT, world
from tests.fakes.hash_embedder import HashEmbedder
from tests.fakes.vectorstore_server import KEY, Server
from tests.fault.conftest import dump

from contracts.index import DENSE, SPARSE
from contracts.status import RunReport
from ingestion.documents.parse_pool import Limits, ParsePool
from ingestion.index.embed import HttpEmbedder
from ingestion.index.held import HeldRun
from ingestion.index.records import SourceRecords
from ingestion.index.store import connect, scroll
from ingestion.settings import Settings
from ingestion.sync.request import request_for
from ingestion.sync.retry import retried
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services

SAMPLE = ROOT / "evals" / "datasets" / "sample"
GOV_KB = ROOT.parent / "shared" / "data" / "gov-kb"
SERVING = ROOT / ".venvs" / "embed" / "bin" / "serving"
MODEL = "all-MiniLM-L6-v2"
CLOSE = 0.999
INDEX = "revised"


@dataclass
class Revisions:
    """A source as it was at several times; one index goes through them, others are fresh."""

    folder: Path  # with a folder for each revision
    services: Services
    settings: Settings
    points: int = 0  # compared so far
    differing: list[str] = field(default_factory=list)  # of them
    cosines: list[float] = field(default_factory=list)  # of their vectors
    holds: list[str] = field(default_factory=list)

    def go_through(self, *revisions: str) -> None:
        """Ingest one after the other into one index, and compare after each."""
        for revision in sorted(set(revisions)):
            self._ingest(revision, f"fresh-{revision}")
        for step, revision in enumerate(revisions, 1):
            self._ingest(revision, INDEX)
            self._compare(f"fresh-{revision}", f"step {step}, {revision}")

    def _ingest(self, revision: str, index: str) -> None:
        """Sync; a run that is held is approved, as `ingestion approve` does it, and noted."""
        report = self._sync(revision, index)
        if report.status == "held" and report.hold:
            self.holds.append(f"{revision} into {index}: {'; '.join(report.hold.reasons)}")
            records = SourceRecords(self.services.store, index, report.tenant, report.source)
            HeldRun(records).approve("a reviewer", datetime.now(UTC))
            report = self._sync(revision, index)
        assert report.status in ("complete", "partial"), report

    def _sync(self, revision: str, index: str) -> RunReport:
        folder = self.folder / revision
        request = request_for(folder, self.settings, source="docs", index=index)
        return run_sync(request, self.settings, self.services, retried)[0]

    def _compare(self, fresh: str, step: str) -> None:
        store = self.services.store
        found, wanted = dump(store, INDEX), dump(store, fresh)
        self.points += len(wanted)
        self.differing += [f"{step}: {told}" for told in differences(found, wanted)]
        ours, theirs = vectors(store, INDEX), vectors(store, fresh)
        for id in ours.keys() & theirs.keys():
            self.cosines += map(cosine, ours[id], theirs[id])


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """A line for each point: its id, its document and the fields that are not as wanted."""
    for id in sorted(found.keys() | wanted.keys()):
        ours, theirs = found.get(id, {}), wanted.get(id, {})
        either = ours | theirs
        if fields := [name for name in either if ours.get(name) != theirs.get(name)]:
            yield f"{id} of {either.get('document_id')} in {', '.join(fields)}"


def vectors(store: Any, index: str) -> dict[str, tuple[dict[int, float], dict[int, float]]]:
    """The dense and the sparse vector of every chunk, each as weights by dimension."""
    found = {}
    for point in scroll(store, index, fields=False, vectors=True):
        sparse = point.vector.get(SPARSE)  # a text of stop words alone has none
        weights = zip(sparse.indices, sparse.values, strict=True) if sparse else ()
        found[str(point.id)] = dict(enumerate(point.vector[DENSE])), dict(weights)
    return found


def cosine(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Of two vectors; of two without any weight it is 1."""
    if not one and not other:
        return 1.0
    product = sum(one[i] * other[i] for i in one.keys() & other.keys())
    return product / (math.hypot(*one.values()) * math.hypot(*other.values()) or 1.0)


@pytest.fixture
def real_services(tmp_path: Path) -> Iterator[Services]:
    """The store, `serving embed` with its model, and parsers in processes of their own."""
    if not SERVING.exists():
        pytest.skip("the embedder's environment is not installed: run `make install`")
    if subprocess.run([SERVING, "fetch", MODEL], cwd=ROOT).returncode:
        pytest.skip(f"{MODEL} is not here and cannot be fetched: the lines above say why")
    limits = Limits(seconds=300, cpu_seconds=30, memory_mb=750)  # on a busy machine
    with (
        world(tmp_path, real_embedder=True) as here,
        httpx.HTTPTransport() as transport,
        closing(ParsePool(limits)) as pool,
    ):
        yield Services(HttpEmbedder(here.settings, transport), here.store, pool.parse)


def test_back_and_forth_the_index_equals_a_fresh_one_of_each_revision(
    server: Server, tmp_path: Path
) -> None:
    store = connect(server.url, SecretStr(KEY), 30)
    services = Services(HashEmbedder(), store)
    sample = Revisions(SAMPLE, services, Settings(state_dir=tmp_path))

    sample.go_through("r1", "r2", "r1")

    assert sample.points > 900
    assert (sample.differing, sample.holds) == ([], [])
    assert min(sample.cosines) >= CLOSE


@pytest.mark.long
@pytest.mark.skipif(not GOV_KB.is_dir(), reason="the data set gov-kb is not beside this checkout")
def test_so_it_does_in_a_real_knowledge_base_with_a_real_embedder(
    real_services: Services, tmp_path: Path, reliability: Any
) -> None:
    steps = ("v1", "v2", "v3", "v1", "v3")
    gov_kb = Revisions(GOV_KB, real_services, Settings(state_dir=tmp_path / "runs"))

    gov_kb.go_through(*steps)

    told = f"gov-kb {' -> '.join(steps)}, real embedder: "
    reliability("revisions_steps", f"{told}steps compared with a fresh ingest", len(steps))
    points, differing = gov_kb.points, len(gov_kb.differing)
    reliability("revisions_points", "points of these steps, chunks and manifests", points)
    reliability("revisions_differing", "of them with another id or payload", differing, points)
    lowest, compared = min(gov_kb.cosines), len(gov_kb.cosines)
    reliability("revisions_lowest_cosine", "lowest cosine of their vectors", lowest, compared)
    held = "; ".join(["of these steps held by a guard, and approved", *gov_kb.holds])
    reliability("revisions_holds", held, len(gov_kb.holds), len(steps))
    assert gov_kb.differing == []
    assert lowest >= CLOSE
