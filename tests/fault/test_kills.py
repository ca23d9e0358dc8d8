"""F1, F2, F3: killed at any moment, a sync loses nothing, and readers see whole documents only."""

import json
import random
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient
from tests.fault.conftest import Lab, dying
from tests.fault.places import KINDS

ROOT = Path(__file__).parents[2]
READER = ROOT / ".venvs" / "application" / "bin" / "python"
KILLS, LONG_KILLS = 20, 200
READS, LONG_READS = 5_000, 100_000
SEED = 20261125


@pytest.mark.parametrize(
    ("kills", "reads"),
    [(KILLS, READS), pytest.param(LONG_KILLS, LONG_READS, marks=pytest.mark.long)],
)
def test_killed_at_random_times_it_converges_and_readers_see_whole_documents(
    lab: Callable[..., Lab], tmp_path: Path, kills: int, reads: int, reliability: Any
) -> None:
    if not READER.exists():
        pytest.skip("the application's environment is not installed: run `make install`")
    world = lab(SEED, 500)
    chance = random.Random(SEED)
    world.finish()
    world.corpus.change()
    seconds = world.seconds()
    stop = tmp_path / "stop"
    command = [READER, ROOT / "tests/fault/reader.py", world.server.url, world.index, stop, reads]
    reader = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True)
    died, wrong = 0, []
    try:
        while died < kills:
            world.corpus.change()
            killed = 0
            while world.kill(world.start(), chance.uniform(0, seconds)):
                killed += 1
                if killed == 3:  # killed, started again and killed again
                    break
            died += killed
            world.finish()
            if world.dump() != world.golden(tmp_path / f"golden{world.corpus.edition}"):
                wrong.append(f"edition {world.corpus.edition}: the index is not a fresh sync's")
    finally:
        stop.touch()
        seen = json.loads(reader.communicate(timeout=600)[0])
    reliability("F1_kills", "syncs killed by SIGKILL at random times", died)
    reliability("F1_violations", "indexes that a next run did not converge", len(wrong), died)
    reliability("F3_reads", "reads beside these syncs", seen["reads"])
    lost = len(seen["violations"])
    reliability("F3_violations", "reads of a mixed, older or lost document", lost, seen["reads"])
    assert wrong == []
    assert seen["violations"] == []
    assert seen["reads"] >= reads


def killed_at(world: Lab, nth: int, after: bool) -> QdrantClient:
    return dying(world.store(), nth, after)


def test_killed_before_or_after_any_write_it_converges_in_one_run(
    lab: Callable[..., Lab], tmp_path: Path, reliability: Any
) -> None:
    world = lab(SEED + 1, 40)
    world.finish()
    points, wrong, nth = 0, [], 1
    while nth:
        for after in (False, True):
            world.corpus.change(0.2)

            process = world.start(partial(killed_at, world, nth, after))
            process.join()
            died = process.exitcode == -9
            points += died
            world.finish()
            if world.dump() != world.golden(tmp_path / f"golden{world.corpus.edition}"):
                wrong.append(f"write {nth}, {'after' if after else 'before'} it")
        nth = nth + 1 if died else 0
    reliability("F2_kill_points", "kill points before and after every write of a sync", points)
    reliability("F2_violations", "of them not converged by one run", len(wrong), points)
    assert wrong == []
    assert points >= 10


@pytest.mark.parametrize("kind", ["jsonl", "git", "http"])
def test_a_source_of_any_kind_converges_in_one_run_after_a_kill(
    lab_of: Callable[[str, int, int], Lab], tmp_path: Path, kind: str
) -> None:
    world = lab_of(kind, SEED + 2 + KINDS.index(kind), 30)
    world.finish()
    wrong = []
    for nth in (2, 5, 8):  # a lease in hand, chunks without a manifest, a version half swept
        world.change(0.2)
        process = world.start(partial(killed_at, world, nth, True))
        process.join()
        assert process.exitcode == -9
        world.finish()
        if world.dump() != world.golden(tmp_path / f"golden{nth}"):
            wrong.append(f"write {nth}")
    assert wrong == []


def test_a_change_of_namespace_killed_at_any_write_shows_no_document_to_both_or_in_part(
    lab: Callable[..., Lab], tmp_path: Path
) -> None:
    world = lab(SEED + 9, 25)
    world.finish()
    torn = []
    for nth, namespace in ((4, "staff"), (5, "public"), (6, "staff"), (7, "public")):
        world.namespace = namespace
        process = world.start(partial(killed_at, world, nth, True))
        process.join()
        assert process.exitcode == -9
        seen = world.dump().values()
        documents = [each for each in seen if each.get("kind") == "document"]
        for document in documents:
            own = ("document_id", "version", "namespace")
            chunks = [c for c in seen if "ordinal" in c and all(c[k] == document[k] for k in own)]
            if len(chunks) != document["chunks"]:
                torn.append((nth, document["path"], len(chunks), document["chunks"]))
        world.finish()
        assert world.dump() == world.golden(tmp_path / f"golden{nth}")
    assert torn == []
