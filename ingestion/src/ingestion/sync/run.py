"""Puts a sync together from a request and the settings, runs it and keeps its report."""

from collections.abc import Callable

from contracts.status import RunReport
from ingestion.documents.duplicates import Duplicates
from ingestion.documents.languages import Languages
from ingestion.errors import Held, IngestionError, NameTaken, StateUnusable, UsageError
from ingestion.index.held import HeldRun
from ingestion.index.records import SourceRecords
from ingestion.index.writer import Index
from ingestion.settings import Settings
from ingestion.state.runs import Run, Runs
from ingestion.sync.batch import Indexer
from ingestion.sync.guards import Guard
from ingestion.sync.order import Job, OnProgress, RunBatch, sync
from ingestion.sync.quarantine import Quarantine
from ingestion.sync.request import SyncRequest, refuse_shared, source_of
from ingestion.sync.sample import keep_sample
from ingestion.sync.services import Services, chunker_of, spec_of

EMPTY = "is it the right place, is it mounted? Put documents there, and sync again."


def run_sync(
    request: SyncRequest,
    settings: Settings,
    services: Services,
    wrap: Callable[[RunBatch], RunBatch],
    on_progress: OnProgress = lambda done, total: None,
    flow_run_id: str | None = None,
) -> tuple[RunReport, list[str]]:
    """Run a sync to its end, good or bad, and keep the report; UsageError is kept and raised.

    Of a source that nobody knows yet it is not kept: a path was mistyped, and no source is stale.
    `wrap` turns the batch function into one that is tried again; returns the report and notes.
    Raises: OSError if the report could not be kept, before anything is changed.
    """
    run = Run(request.source, request.tenant, request.index, flow_run_id, only=request.only)
    runs, is_kept = Runs(settings.state_dir), True
    records = SourceRecords(services.store, request.index, request.tenant, request.source)
    try:
        try:
            _synced(request, settings, services, wrap, on_progress, run, records)
            run.error = None
        except Held as stopped:
            HeldRun(records).keep(stopped.hold, request.model_dump(mode="json"))
            run.run_id, run.hold, run.error = stopped.hold.run_id, stopped.hold, None
    except NameTaken as error:
        run.error, is_kept = str(error), False  # nor is it a failure of the source of that name
        raise
    except UsageError as error:
        run.error = str(error)
        past = runs.of(request.index, request.tenant, request.source)
        is_kept = request.source in settings.sources or any(past)
        raise
    except IngestionError as error:
        run.error = str(error)
    except OSError as error:
        run.error = str(StateUnusable.of(error))
    finally:
        services.close()
        if is_kept:
            runs.save(run.report())
    return run.report(), run.notes


def _synced(
    request: SyncRequest,
    settings: Settings,
    services: Services,
    wrap: Callable[[RunBatch], RunBatch],
    on_progress: OnProgress,
    run: Run,
    records: SourceRecords,
) -> None:
    """Run a sync to a good end. Raises: Held, IngestionError."""
    Runs(settings.state_dir).require_room(request.index, request.tenant, request.source)
    job, run_batch = put_together(request, settings, services, run)
    declared = settings.sources.get(request.source)
    is_declared = declared is not None and (request.index, request.tenant) == (
        settings.index,
        declared.tenant or settings.tenant,
    )
    records.change(location=request.reads.location, declared=is_declared)
    sync(job, run, wrap(run_batch), on_progress)
    if not run.outcomes:
        run.notes.append(f"{request.reads.location} is empty: {EMPTY}")
    keep_sample(job.index, job.source, run, settings.state_dir)
    if not request.only:
        HeldRun(records).end()


def put_together(
    request: SyncRequest, settings: Settings, services: Services, run: Run
) -> tuple[Job, RunBatch]:
    """The parts of a sync, and what indexes a batch. Raises: UsageError, NameTaken, Unavailable."""
    source = source_of(request, settings, run.notes.append)
    records = SourceRecords(services.store, request.index, request.tenant, request.source)
    _require_own_name(request, records)
    embedder = services.embedder
    chunker = chunker_of(request, embedder)
    spec = spec_of(embedder, chunker)
    index = Index(services.store, request.index, spec, request.tenant, request.source)
    duplicates = Duplicates()
    manifest = embedder.manifest()
    languages = Languages(manifest.languages, manifest.fingerprint.model)
    indexer = Indexer(
        source=source,
        name=request.source,
        tenant=request.tenant,
        namespace=request.namespace,
        run_id=run.run_id,
        chunker=chunker,
        embedder=embedder,
        parse=services.parse,
        index=index,
        reads=request.reads,
        duplicates=duplicates,
        languages=languages,
    )
    job = Job(
        source=source,
        namespace=None if request.reads.has_groups else request.namespace,
        contract=request.reads.digest(request.namespace),
        index=index,
        quarantine=Quarantine(settings.state_dir, index.collection, request.tenant, request.source),
        records=records,
        batch_bytes=settings.batch_bytes,
        guard=Guard(
            index=index,
            read=indexer.read,
            records=records,
            max_dropped=settings.max_dropped,
            max_damaged=settings.max_damaged,
            allow_empty=request.allow_empty,
        ),
        duplicates=duplicates,
        languages=languages,
        force=request.force,
        only=request.only,
    )
    return job, indexer.index_batch


def _require_own_name(request: SyncRequest, records: SourceRecords) -> None:
    """Raise NameTaken if another place goes by the source's name already.

    A name that a person gave or declared is theirs to move; one that a path gave is an accident.
    """
    if not request.is_named:
        refuse_shared(request.source, records.read().location, request.reads.location)
