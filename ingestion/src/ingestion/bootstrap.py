"""Puts a sync together from a request and the settings, runs it and keeps its report."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from qdrant_client import QdrantClient
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from contracts.index import DEFAULT_NAMESPACE, CollectionSpec
from contracts.status import RunReport
from ingestion.batch import Indexer
from ingestion.chunk import Chunker, TokenChunker, WholeChunker
from ingestion.duplicates import Duplicates
from ingestion.embed import Embedder, HttpEmbedder
from ingestion.errors import Held, IngestionError, NameTaken, StateUnusable, Unavailable, UsageError
from ingestion.guards import Guard
from ingestion.held import HeldRun
from ingestion.index import Index
from ingestion.parse import Parse, parse
from ingestion.parse_pool import Limits, ParsePool
from ingestion.quarantine import Quarantine
from ingestion.runs import Run, Runs
from ingestion.sample import keep_sample
from ingestion.settings import Settings
from ingestion.source_record import SourceRecords
from ingestion.source_settings import SourceSettings
from ingestion.sources import Source
from ingestion.sources.folder import FolderSource
from ingestion.sources.git import GitSource
from ingestion.sources.hosts import HostGuard
from ingestion.sources.http import HttpSource
from ingestion.sources.jsonl import JsonLinesSource
from ingestion.store import connect
from ingestion.sync import Job, OnProgress, RunBatch, sync

BATCH_ATTEMPTS = 6
EMPTY = "is it the right place, is it mounted? Put documents there, and sync again."
FIRST_WAIT_SECONDS = 2  # doubled after each attempt: a store that optimises is back within a minute

_log = logging.getLogger(__name__)

Name = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)


class SyncRequest(BaseModel):
    """What to sync into which index, and how; the parameters of the flow."""

    model_config = ConfigDict(frozen=True)

    reads: SourceSettings
    source: str = Name
    index: str = Name
    tenant: str = Name
    namespace: str = Field(default=DEFAULT_NAMESPACE, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    chunker: Literal["tokens", "whole"] = "tokens"
    truncate: bool = False
    chunk_tokens: int
    overlap_tokens: int
    allow_empty: bool = False
    force: bool = False  # index every document anew, whatever its hash
    is_named: bool = True  # by a person or a declaration; False: by the last part of its path


@dataclass(frozen=True)
class Services:
    """What a sync talks to; neither is asked anything before it is used."""

    embedder: Embedder
    store: QdrantClient
    parse: Parse = parse
    close: Callable[[], None] = lambda: None  # what `parse` has started

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The services that the settings name; documents are parsed in processes of their own."""
        pool = ParsePool(
            Limits(settings.parse_seconds, settings.parse_cpu_seconds, settings.parse_memory_mb)
        )
        return cls(
            HttpEmbedder(settings),
            connect(settings.qdrant_url, settings.qdrant_api_key, settings.timeout_seconds),
            pool.parse,
            pool.close,
        )


def path_of(text: str) -> Path:
    """The path that a person typed; UsageError if it is empty, or the URL of a source."""
    if not text.strip():
        raise UsageError("The source is empty: name a folder, or a .jsonl file.")
    if "://" in text or text.startswith("git@"):
        raise UsageError(
            f"{text} is no path: declare it in sources.yaml, and `ingestion run NAME` syncs it."
        )
    return Path(text)


def absolute(location: Path) -> Path:
    """The path from the root, links kept: `current` stays one source wherever it points to."""
    plain = Path(os.path.abspath(location))
    return plain if plain.name and _is_same(plain, location) else location.resolve()


def _is_same(one: Path, other: Path) -> bool:
    """True if both paths lead to one place now, or neither to any."""
    try:
        return one == other or os.path.samefile(one, other)
    except OSError:
        return not one.exists() and not other.exists()


def _refuse_shared(name: str, known: str, here: str) -> None:
    """Raise NameTaken if the places differ that one name stands for."""
    if known and known != here and not _is_same(Path(known), Path(here)):
        raise NameTaken(
            f"{name} is already the name of {known}, and syncing {here} by this name would delete "
            "its documents. Give this source a name of its own: "
            f"`ingestion sync {here} --name NAME`. If the documents have moved here: "
            f"`ingestion sync {here} --name {name}`."
        )


def request_for(location: Path, settings: Settings, **options: object) -> SyncRequest:
    """A request with the settings' defaults; the source goes by its folder's or file's name.

    A name that is declared brings its tenant, namespace and contract along, or what only one
    tenant may read would be readable by another.
    """
    location = absolute(location)
    reads = SourceSettings.model_validate(location)
    given = {name: value for name, value in options.items() if value is not None}
    defaults: dict[str, object] = {
        "reads": reads,
        "source": location.name.removesuffix(".gz").removesuffix(".jsonl"),
        "is_named": "source" in given,
        "index": settings.index,
        "tenant": settings.tenant,
        "chunk_tokens": settings.chunk_tokens,
        "overlap_tokens": settings.overlap_tokens,
    }
    if declared := settings.sources.get(str((defaults | given)["source"])):
        if not declared.is_local and "reads" not in given:
            raise UsageError(
                f"{given.get('source', location.name)} is declared as a {declared.kind} source: "
                "sync that by `ingestion run`, or give this one another --name."
            )
        if "source" not in given:
            _refuse_shared(
                str(defaults["source"]), str(absolute(Path(declared.location))), str(location)
            )
        where = {"kind": reads.kind, "location": reads.location}
        own = {"tenant": declared.tenant, "namespace": declared.namespace}
        defaults |= {name: value for name, value in own.items() if value is not None}
        defaults["reads"] = declared.model_copy(update=where)
    return SyncRequest.model_validate(defaults | given)


def request_of(name: str, settings: Settings, **options: object) -> SyncRequest:
    """The request of a declared source; UsageError if there is none of that name."""
    source = settings.sources.get(name)
    if source is None:
        known = ", ".join(settings.sources) or "none is"
        where = settings.sources_file or "sources.yaml"
        raise UsageError(f"No source {name} is declared ({known}): add it to {where}.")
    if source.is_local:
        source = source.model_copy(update={"location": str(absolute(Path(source.location)))})
    return request_for(Path(name), settings, source=name, reads=source, **options)


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
    run = Run(request.source, request.tenant, request.index, flow_run_id)
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
    """Put the parts of a sync together, and run it to a good end. Raises: Held, IngestionError."""
    source = source_of(request, settings, run.notes.append)
    Runs(settings.state_dir).require_room(request.index, request.tenant, request.source)
    _require_own_name(request, records)
    declared = settings.sources.get(request.source)
    is_declared = declared is not None and (request.index, request.tenant) == (
        settings.index,
        declared.tenant or settings.tenant,
    )
    records.change(location=request.reads.location, declared=is_declared)
    embedder = services.embedder
    chunker = _chunker(request, embedder)
    spec = _spec(embedder, chunker)
    index = Index(services.store, request.index, spec, request.tenant, request.source)
    duplicates = Duplicates()
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
        contract=request.reads.document,
        duplicates=duplicates,
    )
    job = Job(
        source=source,
        namespace=request.namespace,
        contract=request.reads.document.digest,
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
        force=request.force,
    )
    sync(job, run, wrap(indexer.index_batch), on_progress)
    if not run.outcomes:
        run.notes.append(f"{request.reads.location} is empty: {EMPTY}")
    keep_sample(services.store, index, source, run, settings.state_dir)
    HeldRun(records).end()


def _require_own_name(request: SyncRequest, records: SourceRecords) -> None:
    """Raise NameTaken if another place goes by the source's name already.

    A name that a person gave or declared is theirs to move; one that a path gave is an accident.
    """
    if not request.is_named:
        _refuse_shared(request.source, records.read().location, request.reads.location)


def source_of(
    request: SyncRequest, settings: Settings, note: Callable[[str], None] = lambda text: None
) -> Source:
    """The source that a request reads; `note` is told what a person may want to know of it."""
    reads, limit = request.reads, settings.max_file_bytes
    kept = settings.state_dir / "sources" / request.tenant / request.source
    if reads.kind == "git":
        return GitSource(reads.location, reads.ref, reads.folder, kept / "git", limit, note)
    if reads.kind == "http":
        guard = HostGuard(frozenset(reads.hosts), reads.private_addresses)
        return HttpSource((reads.location, *reads.urls), guard, kept / "pages", limit, note)
    return open_source(Path(reads.location), limit)


def open_source(location: Path, max_file_bytes: int) -> Source:
    """The source at `location`: a folder, or a `.jsonl` or `.jsonl.gz` file."""
    if not is_there(location):
        raise UsageError(f"There is nothing at {location}: check the path, or mount the folder.")
    if location.is_dir():
        return FolderSource(location, max_file_bytes)
    if location.is_file() and location.name.endswith((".jsonl", ".jsonl.gz")):
        return JsonLinesSource(location)
    raise UsageError(f"{location} is neither a folder nor a .jsonl file: name one of these.")


def is_there(location: Path) -> bool:
    """Whether something lies at a path; UsageError if this user may not look."""
    try:
        return location.exists()
    except OSError as error:
        raise UsageError(
            f"{location} cannot be reached ({error.strerror}): let this user read it. Nothing was "
            "changed, since its files would have looked deleted."
        ) from error


def retried(run_batch: RunBatch, sleep: Callable[[float], None] = time.sleep) -> RunBatch:
    """Try a batch again while the embedder or the store is unavailable: the one retry loop."""
    retrying = Retrying(
        retry=retry_if_exception_type(Unavailable),
        stop=stop_after_attempt(BATCH_ATTEMPTS),
        wait=wait_exponential(multiplier=FIRST_WAIT_SECONDS),
        sleep=sleep,
        before_sleep=_say_why,
        reraise=True,
    )
    return lambda batch: retrying(run_batch, batch)


def _say_why(state: RetryCallState) -> None:
    """A person who waits is told for what."""
    error = state.outcome and state.outcome.exception()
    _log.warning("%s Trying again in %.0f s.", error, state.upcoming_sleep)


def _chunker(request: SyncRequest, embedder: Embedder) -> Chunker:
    max_tokens = embedder.manifest().fingerprint.max_tokens
    tokenizer = embedder.tokenizer()
    if request.chunker == "whole":
        return WholeChunker(tokenizer, max_tokens, request.truncate)
    if request.truncate:
        raise UsageError("--truncate goes with --chunker whole: token chunks are never cut.")
    return TokenChunker(tokenizer, max_tokens, request.chunk_tokens, request.overlap_tokens)


def _spec(embedder: Embedder, chunker: Chunker) -> CollectionSpec:
    manifest = embedder.manifest()
    return CollectionSpec(
        embedder=manifest.fingerprint,
        precision=manifest.precision,
        backend=manifest.backend,
        sparse=manifest.sparse,
        chunker=chunker.name,
    )
