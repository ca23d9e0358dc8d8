"""What is said of a source that is not as fresh as it should be, and what of one that is."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.status import Hold, RunReport, SourceStatus
from ingestion.operate.freshness import History, metrics, with_freshness
from ingestion.sources.settings import SourceSettings
from ingestion.state.runs import Runs

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

BARE = SourceStatus(
    source="docs",
    tenant="default",
    index="faultline",
    documents=1,
    chunks=1,
    last_good_run=None,
    last_good_run_at=None,
    lag_seconds=None,
    quarantined=0,
)


def run(ago: timedelta, status: str = "complete", outcome: str = "unchanged") -> RunReport:
    error = {"failed": "The embedder does not answer."}.get(status)
    started = NOW - ago
    run_id = f"{started:%Y%m%dT%H%M%S}"
    return RunReport.model_construct(
        run_id=run_id,
        source="docs",
        tenant="default",
        index="faultline",
        status=status,
        started_at=started,
        seconds=1.0,
        outcomes={"a.md": outcome},
        quarantined=[],
        error=error,
        hold=Hold(run_id=run_id, since=started, digest="d", reasons=["half of it is gone"])
        if status == "held"
        else None,
    )


def status_of(runs: Sequence[RunReport], **declared: Any) -> SourceStatus:
    source = SourceSettings.model_validate({"location": "docs", "schedule": "15m", **declared})
    return with_freshness(BARE, History.of(runs, NOW), source, NOW)


def test_a_source_in_sync_on_schedule_has_no_reason() -> None:
    status = status_of([run(10 * MINUTE, outcome="added")], owner="ann")

    assert (status.reason, status.over_limit, status.detail) == (None, False, "")
    assert (status.lag_seconds, status.limit_seconds, status.owner) == (600, 2700, "ann")
    assert status.last_changed_at == NOW - 10 * MINUTE


def test_a_schedule_that_stopped_is_over_its_limit_after_three_missed_runs() -> None:
    assert status_of([run(44 * MINUTE)]).reason is None

    status = status_of([run(46 * MINUTE)])

    assert (status.reason, status.over_limit) == ("schedule stopped", True)
    assert "No run has ended for 46 min: is `ingestion serve` running?" in status.detail


def test_a_cron_schedule_is_late_by_its_own_days() -> None:
    assert status_of([run(47 * HOUR)], schedule="0 13 * * *").reason is None
    assert status_of([run(72 * HOUR)], schedule="0 13 * * *").reason == "schedule stopped"


def test_a_failed_run_is_a_warning_until_the_limit_is_broken() -> None:
    runs = [run(MINUTE, "failed"), run(16 * MINUTE)]

    warned, late = status_of(runs), status_of(runs, freshness_limit="15m")

    assert (warned.reason, warned.over_limit) == ("run failed", False)
    assert (late.reason, late.over_limit) == ("run failed", True)
    assert late.detail == "The embedder does not answer. To go on: `ingestion run docs`."
    assert late.last_run != late.last_good_run


def test_a_held_run_says_how_to_approve_it_and_is_not_a_good_one() -> None:
    status = status_of([run(MINUTE, "held"), run(16 * MINUTE)])

    assert (status.reason, status.lag_seconds) == ("run held", 960)
    assert "half of it is gone" in status.detail
    assert "`ingestion approve 20260701T115900`" in status.detail


def test_a_run_dated_in_the_future_tells_of_a_clock_and_does_not_count() -> None:
    status = status_of([run(-HOUR), run(10 * MINUTE)])

    assert (status.reason, status.over_limit) == ("clock wrong", True)
    assert (status.lag_seconds, status.last_run) == (600, "20260701T115000")
    assert "is dated 60 min in the future" in status.detail
    assert "delete runs/faultline/default/docs/20260701T130000.json in INGESTION" in status.detail
    assert status_of([run(-4 * MINUTE)]).reason is None


def test_a_source_that_is_silent_for_longer_than_declared_breaks_a_limit() -> None:
    runs = [run(MINUTE), run(25 * HOUR, outcome="modified")]
    assert status_of(runs, silence_limit="26h").reason is None

    status = status_of(runs, silence_limit="1d", owner="ann")

    assert (status.reason, status.over_limit) == ("source silent", True)
    assert "nothing has changed for 25 h, and 24 h are usual: ask ann" in status.detail


def test_a_source_that_is_silent_for_longer_than_its_rhythm_is_a_warning() -> None:
    def runs(quiet: timedelta) -> list[RunReport]:
        return [run(MINUTE), *(run(quiet + n * 3 * DAY, outcome="modified") for n in range(5))]

    assert status_of(runs(8 * DAY)).reason is None
    status = status_of(runs(10 * DAY))
    assert (status.reason, status.over_limit) == ("source silent", False)
    assert status_of(runs(10 * DAY)[:5]).reason is None  # too few changes to know a rhythm


def test_a_declared_source_that_never_ran_is_over_its_limit_and_another_has_none() -> None:
    assert (status_of([]).reason, status_of([]).over_limit) == ("never in sync", True)

    status = with_freshness(BARE, History.of([run(9 * DAY)], NOW), None, NOW)

    assert (status.reason, status.over_limit, status.limit_seconds) == (None, False, None)


def test_metrics_carry_every_figure_that_is_known_and_the_reason() -> None:
    text = metrics([status_of([run(46 * MINUTE)])])

    own = 'index="faultline",source="docs",tenant="default"'
    assert f"ingestion_source_lag_seconds{{{own}}} 2760.0" in text
    assert f"ingestion_source_over_limit{{{own}}} 1.0" in text
    stale = 'ingestion_source_stale{index="faultline",reason="schedule stopped",source="docs"'
    assert f'{stale},tenant="default"}} 1.0' in text
    assert "lag_seconds{" not in metrics([BARE])


def test_status_puts_the_overdue_first_and_check_makes_it_an_exit_code(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", "# A\n\nText.")
    declared = {"alpha": str(world.folder), "zeta": str(world.folder / "gone")}
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps(declared))
    ingestion("sync", world.folder, "--name", "alpha")
    assert ingestion("run", "zeta").exit_code == 2

    result = ingestion("status")

    first, second = result.stdout.splitlines()
    assert result.exit_code == 0
    assert first.startswith("zeta in faultline: 0 documents")
    assert "OVER ITS LIMIT, run failed: There is nothing at" in first
    assert "; " not in second
    assert ingestion("status", "--check").exit_code == 5
    assert 'over_limit{index="faultline",source="zeta"' in ingestion("status", "--metrics").stdout
    [report] = Runs(world.state_dir).of("faultline", "default", "zeta")
    assert report.status == "failed"
    ingestion("run", "alpha")
    monkeypatch.setenv("INGESTION_SOURCES", json.dumps({"alpha": str(world.folder)}))
    assert "OVER" not in ingestion("status", "--check").stdout
