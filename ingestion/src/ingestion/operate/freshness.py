"""How fresh each source of an index is, and why it is not: from the index and past runs' reports.

It warns, and stops nothing: an answer from a stale source is still the best there is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Self, get_args

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from contracts.status import RunReport, SourceStatus, StaleReason
from ingestion.index.counts import counted
from ingestion.index.held import hold_text
from ingestion.index.records import every_record
from ingestion.index.store import connect
from ingestion.settings import Settings
from ingestion.sources.settings import SourceSettings, due_after
from ingestion.state.runs import CLOCK_TOLERANCE, REPORTS_KEPT, Runs, file_of

MISSED_RUNS = 3  # after which a schedule has stopped
CHANGES_KNOWN = 5  # changes of a source that tell its rhythm
RHYTHM_FACTOR = 3  # times its longest gap, a source is silent
SHORTEST_SILENCE = timedelta(days=7)  # below it, an undeclared silence is no news


@dataclass
class History:
    """What past runs of a source say."""

    last: RunReport | None = None  # that has ended, well or not
    good: RunReport | None = None
    changed_at: list[datetime] = field(default_factory=list)  # newest first, of the last few
    to_come: RunReport | None = None  # dated in the future, so by a wrong clock; not counted

    @classmethod
    def of(cls, reports: Iterable[RunReport], now: datetime) -> Self:
        """Read reports, newest first, as far as they are needed."""
        history = cls()
        for report in islice(reports, REPORTS_KEPT):
            if report.started_at > now + CLOCK_TOLERANCE:
                history.to_come = history.to_come or report
                continue
            history.last = history.last or report
            if report.status not in ("complete", "partial"):
                continue
            history.good = history.good or report
            if {"added", "modified", "deleted"} & set(report.outcomes.values()):
                history.changed_at.append(report.started_at)
            if len(history.changed_at) == CHANGES_KNOWN:
                break
        return history

    def rhythm(self) -> timedelta | None:
        """How long the source may be quiet by what it did before; None if too little is known."""
        if len(self.changed_at) < CHANGES_KNOWN:
            return None
        longest = max(newer - older for newer, older in pairwise(self.changed_at))
        return max(RHYTHM_FACTOR * longest, SHORTEST_SILENCE)


def statuses(index: str, settings: Settings, now: datetime) -> list[SourceStatus]:
    """A status per source, by name; raises Unavailable if the store does not answer."""
    client = connect(settings.qdrant_url, settings.qdrant_api_key, settings.timeout_seconds)
    runs = Runs(settings.state_dir)
    declared = {
        (source.tenant or settings.tenant, name): source.model_copy(
            update={"schedule": source.schedule or settings.interval_seconds}
        )
        for name, source in settings.sources.items()
        if index == settings.index
    }
    records = {
        (each.tenant, each.source): each for each in every_record(client) if each.index == index
    }
    known = records.keys() | runs.sources(index) | declared.keys()
    documents, chunks = counted(client, index, known)
    found = []
    for key in sorted(documents.keys() | runs.sources(index) | declared.keys()):
        record = records.get(key)
        status = SourceStatus(
            source=key[1],
            tenant=key[0],
            index=index,
            documents=documents[key],
            chunks=chunks[key],
            last_good_run=None,
            last_good_run_at=None,
            lag_seconds=None,
            quarantined=0,
            hold=record.hold if record else None,
            undeclared=bool(record and record.declared and documents[key]) and key not in declared,
        )
        history = History.of(runs.of(index, *key), now)
        found.append(with_freshness(status, history, declared.get(key), now))
    return found


def with_freshness(
    status: SourceStatus, history: History, declared: SourceSettings | None, now: datetime
) -> SourceStatus:
    """The status with what its history and its declaration say of it. Pure."""
    good, last = history.good, history.last
    lag = now - good.started_at if good else None
    limit = _limit(good.started_at if good else now, declared)
    reason, detail = _reason(status, history, declared, limit, now)
    late = limit is not None and (lag is None or lag > limit)
    too_silent = reason == "source silent" and declared and declared.silence_limit
    return status.model_copy(
        update={
            "owner": declared.owner if declared else None,
            "last_good_run": good.run_id if good else None,
            "last_good_run_at": good.started_at if good else None,
            "last_run": last.run_id if last else None,
            "last_changed_at": history.changed_at[0] if history.changed_at else None,
            "lag_seconds": lag.total_seconds() if lag is not None else None,
            "limit_seconds": limit.total_seconds() if limit is not None else None,
            "over_limit": bool(late or too_silent or (declared and history.to_come)),
            "quarantined": len(good.quarantined) if good else 0,
            "reason": reason,
            "detail": detail,
        }
    )


def _limit(last_good: datetime, declared: SourceSettings | None) -> timedelta | None:
    """What the lag may be; where nothing is declared of it, until the third next run."""
    if declared is None or declared.schedule is None:
        return None
    if declared.freshness_limit:
        return timedelta(seconds=declared.freshness_limit)
    return due_after(declared.schedule, last_good, MISSED_RUNS) - last_good


def _reason(
    status: SourceStatus,
    history: History,
    declared: SourceSettings | None,
    limit: timedelta | None,
    now: datetime,
) -> tuple[StaleReason | None, str]:
    """The first thing that is wrong, and what to do about it in a sentence."""
    last, good, to_come = history.last, history.good, history.to_come
    again = f"`ingestion run {status.source}`" if declared else "`ingestion sync`"
    if to_come:
        return "clock wrong", (
            f"Run {to_come.run_id} is dated {age(to_come.started_at - now)} in the future: compare "
            f"`date -u` with a clock that you trust, and set it. If it is right now, delete "
            f"runs/{file_of(to_come)} in INGESTION_STATE_DIR, then {again}."
        )
    if status.hold and not status.hold.approved_at:  # on this host or on another one
        return "run held", hold_text(status.hold)
    if last is None:
        return "never in sync", f"No run of it is known: {again} syncs it now."
    if last.hold and last.status == "held":
        return "run held", hold_text(last.hold)
    if last.status == "failed":
        return "run failed", f"{last.error} To go on: {again}."
    ended = last.started_at + timedelta(seconds=last.seconds)
    late = limit is not None and good is not None and now - good.started_at > limit
    missed = declared and declared.schedule and due_after(declared.schedule, ended, MISSED_RUNS)
    if late or (missed and now > missed):
        return "schedule stopped", (
            f"No run has ended for {age(now - ended)}: is `ingestion serve` running? {again} "
            "syncs it now."
        )
    silence = declared.silence_limit if declared else None
    allowed = timedelta(seconds=silence) if silence else history.rhythm()
    quiet = now - history.changed_at[0] if history.changed_at else None
    if quiet is not None and allowed is not None and quiet > allowed:
        whom = (declared and declared.owner) or "its owner"
        return "source silent", (
            f"Its runs succeed, but nothing has changed for {age(quiet)}, and {age(allowed)} are "
            f"usual: ask {whom} whether it is still the place where its documents are kept."
        )
    return None, ""


def age(span: timedelta) -> str:
    """A time span for a person."""
    for unit, seconds in (("days", 86400), ("h", 3600)):
        if span.total_seconds() >= 2 * seconds:
            return f"{span.total_seconds() / seconds:.0f} {unit}"
    return f"{span.total_seconds() / 60:.0f} min"


def metrics(found: Iterable[SourceStatus]) -> str:
    """The statuses in Prometheus' text format; a figure that is not known has no sample."""
    registry = CollectorRegistry()
    labels = ("tenant", "index", "source")
    gauges = {
        figure: Gauge(f"ingestion_source_{figure}", what, labels, registry=registry)
        for figure, what in {
            "documents": "Committed documents.",
            "chunks": "Chunks of committed documents.",
            "quarantined": "Documents that the last good run could not index.",
            "lag_seconds": "Since the start of the last good run.",
            "limit_seconds": "What the lag may be.",
            "over_limit": "1 where the source breaks a limit.",
            "undeclared": "1 where readers see a source that is declared no more.",
        }.items()
    }
    what = "1 for the reason that holds."
    stale = Gauge("ingestion_source_stale", what, (*labels, "reason"), registry=registry)
    for status in found:
        own = (status.tenant or "", status.index, status.source)
        for figure, gauge in gauges.items():
            if (value := getattr(status, figure)) is not None:
                gauge.labels(*own).set(value)
        for reason in get_args(StaleReason):
            stale.labels(*own, reason).set(reason == status.reason)
    return generate_latest(registry).decode()
