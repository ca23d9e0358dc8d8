"""The command `ingestion`: sync a source, say how fresh each is, serve the schedules."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from contracts.status import Outcome, RunReport, SourceStatus
from ingestion.bootstrap import Services, SyncRequest, request_for, retried, run_sync
from ingestion.errors import IngestionError, UsageError
from ingestion.freshness import statuses
from ingestion.quarantine import everything
from ingestion.settings import Settings
from ingestion.sync import OnProgress

FAILED, USAGE, PARTIAL = 1, 2, 3  # exit codes
SHOWN_IN_QUARANTINE = 20
PREFECT_WAIT_SECONDS = 60

app = typer.Typer(
    help="Bring documents into the index, and say what is stale.", no_args_is_help=True
)
quarantine = typer.Typer(help="Documents that could not be indexed, and why.")
app.add_typer(quarantine, name="quarantine")
stderr = Console(stderr=True)


@app.command(
    epilog="Examples: ingestion sync handbook/ | "
    "ingestion sync corpus.jsonl.gz --index scifact --chunker whole --truncate"
)
def sync(
    source: Annotated[Path, typer.Argument(help="A folder, or a .jsonl or .jsonl.gz file.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the source; its file name else.")
    ] = None,
    index: Annotated[str | None, typer.Option(help="Index to write to.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Tenant that may read it.")] = None,
    namespace: Annotated[str | None, typer.Option(help="Namespace within the tenant.")] = None,
    chunker: Annotated[
        str, typer.Option(help="tokens, or whole: a document as one chunk.")
    ] = "tokens",
    truncate: Annotated[
        bool, typer.Option(help="With whole: cut at the embedder's length. For benchmarks only.")
    ] = False,
    size: Annotated[int | None, typer.Option(help="Tokens of a chunk, headings apart.")] = None,
    overlap: Annotated[int | None, typer.Option(help="Tokens that chunks share.")] = None,
    allow_empty: Annotated[bool, typer.Option(help="Let a source lose all documents.")] = False,
    plain: Annotated[bool, typer.Option(help="Run without Prefect.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Bring the index to the state of a source: add, change and delete what the source did.

    Exit code 0: complete; 3: something was quarantined; 1: failed; 2: wrong usage.
    """
    settings = Settings()
    with usage_errors():
        request = request_for(
            source,
            settings,
            source=name,
            index=index,
            tenant=tenant,
            namespace=namespace,
            chunker=chunker,
            truncate=truncate,
            chunk_tokens=size,
            overlap_tokens=overlap,
            allow_empty=allow_empty,
        )
        with progress_bar() as on_progress:
            report, notes = _run(request, settings, on_progress, plain)
    for note in notes:
        stderr.print(f"note: {note}", highlight=False)
    print(report.model_dump_json(indent=2) if as_json else as_text(report))
    raise typer.Exit({"complete": 0, "partial": PARTIAL, "failed": FAILED}[report.status])


def _run(
    request: SyncRequest, settings: Settings, on_progress: OnProgress, plain: bool
) -> tuple[RunReport, list[str]]:
    """Under Prefect when its server answers, else plain; says which."""
    prefect_url = os.environ.get("PREFECT_API_URL")
    if plain or not prefect_url or not _answers(prefect_url):
        why = "as asked" if plain else f"no server at {prefect_url}" if prefect_url else "none set"
        stderr.print(f"Syncing {request.source} without Prefect ({why}).", highlight=False)
        return run_sync(request, settings, Services.of(settings), retried, on_progress)
    stderr.print(f"Syncing {request.source} under Prefect at {prefect_url}.", highlight=False)
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # the report says what failed
    from ingestion.flow import run_flow  # importing prefect takes seconds

    return run_flow(request, on_progress)


@app.command()
def status(
    index: Annotated[str | None, typer.Option(help="Index to look at.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say for each source of an index how much it holds and when it was last in sync."""
    settings = Settings()
    with usage_errors():
        found = statuses(index or settings.index, settings, datetime.now(UTC))
    if as_json:
        print(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
    elif not found:
        print(f"{index or settings.index} has no source yet: `ingestion sync <folder>` adds one.")
    else:
        print("\n".join(status_line(each) for each in found))


@app.command()
def serve() -> None:
    """Keep the sources in INGESTION_SOURCES in sync, by a Prefect deployment with a schedule each.

    Example: INGESTION_SOURCES='{"handbook": "docs/"}' ingestion serve
    """
    settings = Settings()
    with usage_errors():
        url = os.environ.get("PREFECT_API_URL")
        if not url:
            raise UsageError(
                "Set PREFECT_API_URL to a Prefect server, e.g. http://127.0.0.1:4200/api."
            )
        if not settings.sources:
            raise UsageError('Set INGESTION_SOURCES to the sources, e.g. {"handbook": "docs/"}.')
        requests = [
            request_for(location, settings, source=name)
            for name, location in settings.sources.items()
        ]
        _wait_for(url)
        from ingestion.flow import serve_sources  # importing prefect takes seconds

        serve_sources(requests, settings.interval_seconds)


@quarantine.command("list")
def list_quarantine(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List the documents that could not be indexed, with the reason."""
    entries = everything(Settings().state_dir)
    if as_json:
        print(json.dumps(entries, indent=2))
        return
    for entry in entries:
        print(f"{entry['source']}/{entry['path']}: {entry['reason']} ({entry['attempts']} tries)")
    print(f"{len(entries)} in quarantine.")


@contextmanager
def usage_errors() -> Iterator[None]:
    """Errors as one sentence and an exit code."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        stderr.print(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", highlight=False)
        raise typer.Exit(USAGE) from error
    except IngestionError as error:
        stderr.print(str(error), highlight=False)
        raise typer.Exit(USAGE if isinstance(error, UsageError) else FAILED) from error
    except OSError as error:
        stderr.print(f"{error.filename}: {error.strerror}. Check INGESTION_STATE_DIR.")
        raise typer.Exit(FAILED) from error


@contextmanager
def progress_bar() -> Iterator[OnProgress]:
    """A bar on a terminal, nothing elsewhere."""
    columns = (TextColumn("indexing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("indexing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def as_text(report: RunReport) -> str:
    """The closing report for a person: every path is in one of its counts."""
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in get_args(Outcome))
    lines = [
        f"{report.source} -> {report.index}: {report.status} in {report.seconds:.1f} s",
        f"  {len(report.outcomes)} paths: {counts}; {len(report.moves)} moved by content",
        f"  chunks: {report.chunks_embedded} embedded, {report.chunks_written} written, "
        f"{report.chunks_swept} swept; collection {report.collection or 'none'}",
        f"  run {report.run_id}"
        + (f", flow run {report.flow_run_id}" if report.flow_run_id else ""),
    ]
    shown = report.quarantined[:SHOWN_IN_QUARANTINE]
    lines += [f"  quarantined {entry.path}: {entry.reason}" for entry in shown]
    if len(report.quarantined) > len(shown):
        more = len(report.quarantined) - len(shown)
        lines.append(f"  and {more} more: `ingestion quarantine list` shows all")
    if report.error:
        lines.append(f"  {report.error}")
        lines.append("  What was committed stays; sync again to go on from there.")
    return "\n".join(lines)


def status_line(status: SourceStatus) -> str:
    """One source's freshness for a person."""
    if status.lag_seconds is None:
        age = "never in sync"
    else:
        age = f"in sync {status.lag_seconds / 60:.0f} min ago (run {status.last_good_run})"
    return (
        f"{status.source} in {status.index}: {status.documents} documents, {status.chunks} chunks, "
        f"{status.quarantined} in quarantine, {age}"
    )


def _answers(prefect_url: str) -> bool:
    try:
        return httpx.get(f"{prefect_url.rstrip('/')}/health", timeout=3).is_success
    except httpx.HTTPError:
        return False


def _wait_for(prefect_url: str) -> None:
    deadline = time.monotonic() + PREFECT_WAIT_SECONDS
    while not _answers(prefect_url):
        if time.monotonic() > deadline:
            raise IngestionError(
                f"No Prefect server answered at {prefect_url} within {PREFECT_WAIT_SECONDS} s: "
                "start it with `prefect server start`."
            )
        time.sleep(1)
