"""F4: two runs at once, one of which may stand still for a while, write what one would."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fault.conftest import Lab
from tests.fault.places import KINDS

from ingestion.index.lease import Lease

RACES, LONG_RACES = 20, 100
SEED = 20261126


@pytest.mark.parametrize("races", [RACES, pytest.param(LONG_RACES, marks=pytest.mark.long)])
def test_two_runs_at_once_leave_what_one_would(
    lab: Callable[..., Lab],
    tmp_path: Path,
    races: int,
    reliability: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Lease, "silent_seconds", 0.4)
    world = lab(SEED, 60)
    chance = random.Random(SEED)
    world.finish()
    world.corpus.change(0.5)
    seconds = world.seconds()
    wrong, overtaken = [], 0
    for race in range(races):
        world.corpus.change(0.5)
        first = world.start()
        stands_still = race % 2 == 0
        if stands_still:
            first.join(chance.uniform(0, seconds))
            if first.is_alive():
                os.kill(first.pid or 0, signal.SIGSTOP)
                overtaken += 1
                world.corpus.change(0.5)
        # as on another machine: a file of the first one's state may be locked while it stands still
        second = world.start(state=tmp_path / "other" if stands_still else None)
        second.join()
        if stands_still and first.is_alive():
            os.kill(first.pid or 0, signal.SIGCONT)
        first.join()
        if second.exitcode != 0:
            wrong.append(f"race {race}: the second run ended with {second.exitcode}")
        if missing(world.dump(), world.golden(tmp_path / f"golden{race}")):
            wrong.append(f"race {race}: the index is not what one run leaves")
        world.finish()
        if world.dump() != world.golden(tmp_path / f"again{race}"):
            wrong.append(f"race {race}: the next run did not converge")
    reliability(
        "F4_races", "races of two runs, every second one with a run that stood still", races
    )
    reliability("F4_violations", "races that lost or mixed something", len(wrong), races)
    assert wrong == []
    assert overtaken


@pytest.mark.parametrize("kind", ["jsonl", "git", "http"])
def test_two_runs_at_once_of_a_source_of_any_kind_leave_what_one_would(
    lab_of: Callable[[str, int, int], Lab], tmp_path: Path, kind: str
) -> None:
    world = lab_of(kind, SEED + 1 + KINDS.index(kind), 30)
    world.finish()
    world.change(0.5)

    runs = [world.start(), world.start()]
    for run in runs:
        run.join()

    assert [run.exitcode for run in runs] == [0, 0]
    assert world.dump() == world.golden(tmp_path / "golden")


def test_the_first_sync_of_a_source_completes_while_another_ones_creates_the_index(
    lab: Callable[..., Lab],
) -> None:
    world = lab(SEED, 5)
    store = world.store()
    exists = store.collection_exists

    def exists_not_yet(name: str) -> bool:
        found = exists(name)
        if not found:
            world.sync(source="another")
        return bool(found)

    store.collection_exists = exists_not_yet  # type: ignore[method-assign]
    assert world.sync(store).status == "complete"


def missing(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What readers would see otherwise: chunks that nobody names are left for the next run."""
    documents = [id for id, payload in found.items() if payload.get("kind") == "document"]
    extra = [id for id in documents if id not in wanted]
    return extra + [id for id, payload in wanted.items() if found.get(id) != payload]
