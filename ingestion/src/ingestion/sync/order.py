"""The order of work of one sync, as a plain function; `flow.py` runs the same under Prefect."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace

from contracts.index import DocumentManifest
from ingestion.documents.duplicates import Duplicates
from ingestion.documents.languages import Languages
from ingestion.errors import NotProved, UsageError
from ingestion.index.records import SourceRecords
from ingestion.index.writer import Audit, Index
from ingestion.parse import NOT_SUPPORTED
from ingestion.sources import Found, Source
from ingestion.state.runs import Run
from ingestion.sync.batch import BatchResult
from ingestion.sync.guards import Guard
from ingestion.sync.plan import Pending, Plan, batches, make_plan
from ingestion.sync.quarantine import MAX_ATTEMPTS, Quarantine
from ingestion.sync.selection import alike, is_selected

RunBatch = Callable[[Sequence[Pending]], BatchResult]
OnProgress = Callable[[int, int], None]  # documents done, documents to do

NOTES_TOLD = 20  # of the documents' own; all are in their manifests
KEPT = "; its last good version stays in the index"
BATCHES_AT_ONCE = 2  # one is parsed and written while the other waits for its vectors


@dataclass(frozen=True)
class Job:
    """What one sync works with."""

    source: Source
    namespace: str | None  # None: each document has its own, and `contract` tells of a change
    contract: str  # digest of what is asked of a document
    index: Index
    quarantine: Quarantine
    records: SourceRecords
    batch_bytes: int
    guard: Guard
    duplicates: Duplicates
    languages: Languages
    force: bool = False  # index every document anew, whatever its hash
    only: str = ""  # a path of the source: the rest stays as it is


def sync(job: Job, run: Run, run_batch: RunBatch, on_progress: OnProgress) -> None:
    """Bring the index to the state of the source, and account in `run` for every path (I9)."""
    run.collection = job.index.collection
    job.index.open()
    seen = _look(job)
    if seen.is_settled:  # there is nothing to write, so nobody has to be kept away
        _carry_out(job, seen, run, run_batch, on_progress)
        return
    _require_whole_index(job)
    with job.index.lease():
        if not job.index.holds(seen.known):  # another run has written since
            seen = _look(job)
        job.guard.check(seen.plan, seen.known, run)
        _carry_out(job, seen, run, run_batch, on_progress)


@dataclass(frozen=True)
class Seen:
    """The source and the index as they are, and what is to do."""

    known: dict[str, DocumentManifest]
    audit: Audit
    plan: Plan
    names: list[str]  # sentences on names that are alike

    @property
    def is_settled(self) -> bool:
        """Whether the index already is what the source says."""
        return not (
            self.plan.pending or self.plan.deleted or self.audit.orphans or self.audit.damaged
        )


def _look(job: Job) -> Seen:
    with ThreadPoolExecutor(1) as pool:  # the store answers while the source is read
        manifests = pool.submit(job.index.manifests)
        found = [*_found(job)]
        known = manifests.result()
    audit = job.index.audit(list(known.values()))
    unchecked = [m.document_id for m in known.values() if job.force or m.kept != job.contract]
    anew = {*audit.damaged, *unchecked}
    names = alike(item.path for item in found)
    if not job.only:
        return Seen(known, audit, make_plan(found, known, job.namespace, anew), names)
    plan = _part_of_plan(job, found, known, audit, anew)
    return Seen(known, audit, plan, names)


def _part_of_plan(
    job: Job,
    found: Sequence[Found],
    known: Mapping[str, DocumentManifest],
    audit: Audit,
    anew: Collection[str],
) -> Plan:
    """The plan for `job.only`, and for documents that lost chunks; the rest counts as unchanged.

    Raises: UsageError if neither the source nor the index has the path.
    """
    damaged = set(audit.damaged)
    part = {
        path: manifest
        for path, manifest in known.items()
        if is_selected(path, job.only) or manifest.document_id in damaged
    }
    here = [item for item in found if is_selected(item.path, job.only) or item.path in part]
    if not any(is_selected(path, job.only) for path in (*part, *(item.path for item in here))):
        raise UsageError(
            f"Neither the source nor the index has {job.only}: name a path as `ingestion sync "
            "--dry-run` lists it, relative to the source. Nothing was changed."
        )
    plan = make_plan(here, part, job.namespace, anew)
    return replace(plan, unchanged=plan.unchanged + [path for path in known if path not in part])


def _require_whole_index(job: Job) -> None:
    """Raise UsageError if a part of the source would be written beside what readers see."""
    if job.only and job.index.live_collection() != job.index.collection:
        raise UsageError(
            f"Readers of {job.index.name} see a collection that was built otherwise: sync the "
            "whole source, without --only. Nothing was changed."
        )


def preview(job: Job, run: Run) -> Seen:
    """What a sync would do now; it writes nothing. `run` gets the notes and the hold, if any."""
    if job.index.exists():
        seen = _look(job)
    else:
        found = [*_found(job)]
        names = alike(item.path for item in found)
        seen = Seen({}, Audit({}, []), make_plan(found, {}, job.namespace), names)
    run.notes.extend(seen.names)
    if reasons := job.guard.reasons(seen.plan, seen.known, run):
        run.notes.extend(f"a guard would hold the run: {reason}" for reason in reasons)
    return seen


def _carry_out(
    job: Job, seen: Seen, run: Run, run_batch: RunBatch, on_progress: OnProgress
) -> None:
    known, plan = seen.known, seen.plan
    run.notes.extend(seen.names)
    if job.only:
        run.notes.append(f"only {job.only} was looked at: the rest counts as unchanged")
    before = [
        p.replaces for p in plan.pending if p.replaces and p.replaces.version == p.found.sha256
    ]
    if unchecked := sum(manifest.kept != job.contract for manifest in before):
        run.notes.append(f"{unchecked} documents are checked anew: their contract has changed")
    _mend(job.index, seen.audit, run)
    run.moves.extend(plan.moves)
    run.account(plan.unchanged, "unchanged")
    moved = {move.old_path for move in plan.moves}
    _remove(job.index, [gone for gone in plan.deleted if gone.path not in moved], run)
    refused = _index(plan, job.batch_bytes, run_batch, run, on_progress)
    _remove(job.index, [gone for gone in plan.deleted if gone.path in moved], run)

    problems = [(found, found.problem or "") for found in plan.problems] + refused
    problems = [
        (found, f"{reason.removesuffix(KEPT)}{KEPT if found.path in known else ''}")
        for found, reason in problems
    ]
    outside = {path for path in job.quarantine.entries() if not is_selected(path, job.only)}
    run.quarantined.extend(job.quarantine.record(problems, keep=outside))
    run.account((found.path for found, _ in problems), "quarantined")
    job.duplicates.count(_prove(job.index, seen, run), run)
    run.notes.extend(job.languages.unknown())
    if not job.only:
        job.records.change(collection=run.collection)
        _switch_when_whole(job, run)
    if not known:
        job.guard.first_look(run)
    if instead := job.index.shown_instead():
        run.notes.append(f"readers of {run.index} see {instead} instead, until `ingestion resume`")


def _found(job: Job) -> Iterator[Found]:
    """The source as it is; what failed often enough at one content is not tried again (I6).

    A document that was never read, since its format was unknown then, has not failed.
    """
    entries = job.quarantine.entries()
    for found in job.source.scan():
        entry = entries.get(found.path)
        failed = entry and entry.sha256 == found.sha256 and NOT_SUPPORTED not in entry.reason
        if entry and failed and entry.attempts >= MAX_ATTEMPTS:
            yield replace(found, problem=found.problem or entry.reason)
        else:
            yield found


def _mend(index: Index, audit: Audit, run: Run) -> None:
    """Sweep what a killed run left behind; the plan has the documents that lost chunks."""
    if audit.orphans:
        run.notes.append(f"swept {len(audit.orphans)} chunks that an interrupted run had left")
    if audit.damaged:
        run.notes.append(f"{len(audit.damaged)} documents had lost chunks and are indexed anew")
    run.chunks_swept += index.sweep_orphans(audit.orphans)


def _remove(index: Index, gone: list[DocumentManifest], run: Run) -> None:
    run.chunks_swept += index.remove(gone)
    run.account((manifest.path for manifest in gone), "deleted")


def _index(
    plan: Plan, batch_bytes: int, run_batch: RunBatch, run: Run, on_progress: OnProgress
) -> list[tuple[Found, str]]:
    """Run the batches, a few at once; the documents that were refused, with the reason."""
    refused, notes = [], list[str]()
    done = 0
    on_progress(done, len(plan.pending))
    with ThreadPoolExecutor(BATCHES_AT_ONCE) as pool:
        futures: list[Future[BatchResult]] = [
            pool.submit(copy_context().run, run_batch, batch)  # Prefect's context goes along
            for batch in batches(plan.pending, batch_bytes)
        ]
        try:
            for future in futures:
                result = future.result()
                for pending in result.committed:
                    run.account([pending.found.path], pending.outcome)
                refused.extend(result.refused)
                notes.extend(result.notes)
                run.chunks_embedded += result.chunks_embedded
                run.chunks_swept += result.chunks_swept
                done += len(result.committed) + len(result.refused)
                on_progress(done, len(plan.pending))
        finally:
            pool.shutdown(cancel_futures=True)
    run.notes.extend(notes[:NOTES_TOLD])
    if len(notes) > NOTES_TOLD:
        run.notes.append(f"{len(notes) - NOTES_TOLD} more such notes are in the manifests")
    return refused


def _prove(index: Index, seen: Seen, run: Run) -> dict[str, DocumentManifest]:
    """0 ghosts, 0 missing, 0 orphans (I5), an outcome for every path (I9); what is committed."""
    plan, known = seen.plan, seen.known
    silent = plan.paths ^ run.outcomes.keys()
    if silent:
        raise NotProved(f"{len(silent)} paths have no outcome, e.g. {min(silent)}: report this.")
    changed = bool(plan.pending or plan.deleted)
    committed = index.manifests() if changed else known
    kept = {
        path for path, outcome in run.outcomes.items() if outcome == "quarantined"
    } & known.keys()
    expected = kept | {
        path
        for path, outcome in run.outcomes.items()
        if outcome in ("added", "modified", "unchanged")
    }
    ghosts, missing = committed.keys() - expected, expected - committed.keys()
    # Where nothing was to do, the look has proved it, and orphans would be another run's work.
    audit = seen.audit if seen.is_settled else index.audit(list(committed.values()))
    if audit.orphans:  # a run that was overtaken may still have been writing chunks
        _mend(index, Audit(audit.orphans, []), run)
        audit = index.audit(list(committed.values()))
    if ghosts or missing or audit.orphans or audit.damaged:
        raise NotProved(
            f"The index differs from what this run did: {len(ghosts)} ghosts, {len(missing)} "
            f"missing, {len(audit.orphans)} orphans, {len(audit.damaged)} damaged. Did another "
            f"sync of {run.source} run beside it? Sync again: it mends them."
        )
    return committed


def _switch_when_whole(job: Job, run: Run) -> None:
    """Point the index at this collection once it holds every source that readers see now.

    The sources' records say so, since the other sources may be synced on other hosts. What counts
    is where the last good run of a source wrote: a collection that syncs had left may be stale.
    """
    live = job.index.live_collection()
    if live == run.collection:
        return
    others = job.index.live_sources() - {(run.tenant, run.source)}
    waiting = sorted(
        source
        for tenant, source in others
        if job.records.of(tenant, source).read().collection != run.collection
    )
    if waiting:
        run.notes.append(
            f"{run.index} still reads {live}, built otherwise: sync {', '.join(waiting)} too, and "
            f"it switches to {run.collection}"
        )
        return
    job.index.switch()
    run.notes.append(f"{run.index} now reads {run.collection}; {live} stays for a rollback")
