"""F5: all good documents are indexed, and each bad one is in quarantine with a reason."""

import json
import random
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient
from tests.fakes import parsers
from tests.fault.poison import DEEP, EITHER, INDEXED, healthy, irregular, poison, prose
from tests.unit.ingestion.conftest import World

from ingestion.documents.parse_pool import Limits, ParsePool

LIMITS = Limits(seconds=300, cpu_seconds=30, memory_mb=750)  # the clock is of a busy machine

ODD_ROWS = {"nul": "\0", "surrogate": "\ud800", "bidi": "\u202e", "two\nlines": "\r\n", "../up": ""}


@pytest.fixture
def poisoned(tmp_path: Path) -> Iterator[World]:
    """A world whose documents are parsed in processes of their own."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "outside").mkdir()
    pool = ParsePool(LIMITS, parsers.parse)
    with warnings.catch_warnings():
        # qdrant-client in memory says that payload indexes have no effect there.
        warnings.filterwarnings("ignore", "Payload indexes have no effect")
        store = QdrantClient(":memory:")
        yield World(tmp_path / "docs", tmp_path / "state", store, parse=pool.parse)
        store.close()
    pool.close()


@pytest.fixture(scope="module")
def counts(reliability: Any) -> Iterator[Counter[str]]:
    """Documents of all seeds, and those with another outcome than theirs; published at the end."""
    counts: Counter[str] = Counter()
    yield counts
    every = counts["documents"]
    reliability("F5_documents", "documents of the poison corpus, good and bad", every)
    reliability("F5_violations", "of them lost, let in or without a reason", counts["wrong"], every)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 21))]
)
def test_every_good_document_is_indexed_and_every_bad_one_quarantined_with_a_reason(
    poisoned: World, seed: int, counts: Counter[str]
) -> None:
    cases = [*healthy(random.Random(seed)), *poison(random.Random(seed))]
    for case in cases:
        poisoned.write(case.path, case.raw)
    expected = {case.path: case.outcome for case in cases}
    expected |= irregular(poisoned.folder, poisoned.folder.parent / "outside")

    report = poisoned.sync()

    assert report.error is None
    outcomes = {
        path: INDEXED if outcome == "added" else outcome
        for path, outcome in report.outcomes.items()
    }
    reasons = {entry.path: entry.reason for entry in report.quarantined}
    assert outcomes.keys() == expected.keys()
    wrong = {
        path: reasons.get(path, outcome)
        for path, outcome in outcomes.items()
        if expected[path] not in (outcome, EITHER)
    }
    counts["documents"] += len(outcomes)
    counts["wrong"] += len(wrong) + [*reasons.values()].count("")
    assert wrong == {}
    assert all(reasons.values())
    assert set(poisoned.manifests()) == {path for path in outcomes if outcomes[path] == INDEXED}
    assert not any("root:" in text or "secret" in text for text in poisoned.visible_texts())


def test_a_process_that_reads_documents_cannot_take_a_gigabyte(poisoned: World) -> None:
    most = int(poisoned.parse(b"memory", "text", "a.txt").text)

    assert most < 1_000_000_000


def test_rows_that_are_no_documents_do_not_harm_the_others(poisoned: World) -> None:
    text = prose(random.Random(1))
    good = [{"_id": name, "text": f"{text} {odd}"} for name, odd in ODD_ROWS.items()]
    bad = [
        '{"_id": "deep", "text": ' + "[" * DEEP,
        '{"_id": "no text"}',
        '{"_id": "cut", "text',
        "\0",
    ]
    rows = "\n".join([*map(json.dumps, good), *bad])

    report = poisoned.sync(location=poisoned.write("../rows.jsonl", rows))

    assert report.error is None
    assert set(poisoned.manifests()) == set(ODD_ROWS)
    assert len(report.quarantined) == len(bad)


def test_a_bad_document_is_given_three_tries(poisoned: World) -> None:
    poisoned.write("good.md", prose(random.Random(1)))
    poisoned.write("bad.md", "segfault")

    attempts = [poisoned.sync().quarantined[0].attempts for _ in range(4)]

    assert attempts == [1, 2, 3, 3]
    assert set(poisoned.manifests()) == {"good.md"}
