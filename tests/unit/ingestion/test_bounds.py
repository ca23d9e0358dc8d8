"""What grows with the number of documents or of runs, and how far."""

import time
from typing import Any

import pytest

from contracts.status import RunReport
from ingestion.sources import Found
from ingestion.state.runs import Run, Runs
from ingestion.sync.plan import DOCUMENTS_PER_BATCH, Pending, batches


def pending(count: int, size: int) -> list[Pending]:
    return [Pending(Found(f"{n}.md", "markdown", "", size)) for n in range(count)]


def seconds(count: int) -> float:
    items, started = pending(count, 0), time.process_time()
    assert sum(len(batch) for batch in batches(items, 100_000)) == count
    return time.process_time() - started


def test_batches_of_many_empty_files_take_linear_time() -> None:
    assert seconds(64_000) < 2  # it was 13 s for 16,000 of them


def test_a_batch_is_limited_in_bytes_and_in_documents() -> None:
    assert {len(batch) for batch in batches(pending(1024, 0), 100)} == {DOCUMENTS_PER_BATCH}
    assert [len(batch) for batch in batches(pending(5, 60), 100)] == [2, 2, 1]


def test_a_kept_report_lists_what_changed_and_counts_the_rest(world: Any) -> None:
    for n in range(9):
        world.write(f"{n}.md", f"# {n}\n\nThe key {n}.")
    world.sync()
    world.write("1.md", "# 1\n\nThe other key.")

    full = world.sync()
    [kept, _] = Runs(world.state_dir).of("faultline", "default", "docs")

    assert len(full.outcomes) == full.paths == kept.paths == 9
    assert kept.outcomes == {"1.md": "modified"}
    assert kept.count("unchanged") == full.count("unchanged") == 8


def test_old_reports_are_removed_but_never_the_last_good_one(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.state.runs.REPORTS_KEPT", 5)
    runs = Runs(world.state_dir)
    reports = [report(error=None if n in (2, 4) else "away") for n in range(12)]
    for each in reports:
        runs.save(each)

    left = [each.run_id for each in runs.of("faultline", "default", "docs")]

    assert left == [each.run_id for each in (*reports[:6:-1], reports[4])]
    assert runs.last_good("faultline", "default", "docs") is not None


def report(error: str | None) -> RunReport:
    run = Run("docs", "default", "faultline")
    run.error = error
    return run.report()
