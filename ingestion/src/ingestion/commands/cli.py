"""The command `ingestion`: sync a source, say how fresh each is, serve the schedules."""

import json
import os
import time
from typing import Annotated

import typer

from ingestion.commands import (
    approve,
    audit,
    lineage,
    pins,
    quarantine,
    remove,
    status,
)
from ingestion.commands.start import end, run_request
from ingestion.errors import IngestionError, UsageError
from ingestion.operate.console import (
    progress_bar,
    tell,
    usage_errors,
)
from ingestion.operate.prefect_access import answers, authorise, plan_server, refusal
from ingestion.settings import Settings
from ingestion.state.runs import Runs
from ingestion.sync.preview import preview_sync
from ingestion.sync.request import path_of, request_for, request_of
from ingestion.sync.services import Services

PREFECT_WAIT_SECONDS = 60
RUN_WAIT_SECONDS = 1800  # for a triggered deployment: a scheduled run of it may come first

app = typer.Typer(
    help="Bring documents into the index, and say what is stale.", no_args_is_help=True
)
app.add_typer(pins.app)
app.add_typer(audit.app)
app.add_typer(approve.app)
app.add_typer(lineage.app)
app.add_typer(status.app)
app.add_typer(remove.app)
app.add_typer(quarantine.app, name="quarantine")


@app.command(
    epilog="Examples: ingestion sync handbook/ | "
    "ingestion sync corpus.jsonl.gz --index scifact --chunker whole --truncate"
)
def sync(
    source: Annotated[str, typer.Argument(help="A folder, or a .jsonl or .jsonl.gz file.")],
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
    allow_empty: Annotated[bool, typer.Option(help="Let any number of documents go.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Index every document anew, changed or not.")
    ] = False,
    only: Annotated[
        str, typer.Option(help="A file or folder of the source: the rest stays as it is.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    plain: Annotated[bool, typer.Option(help="Run without Prefect.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Bring the index to the state of a source: add, change and delete what the source did.

    Exit code 0: complete; 3: something was quarantined; 4: held by a guard;
    1: failed; 2: wrong usage.
    """
    with usage_errors():
        settings = Settings()
        request = request_for(
            path_of(source),
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
            force=force,
            only=only,
        )
        if dry_run:
            planned = preview_sync(request, settings, Services.of(settings))
            print(planned.model_dump_json(indent=2) if as_json else planned.text)
            return
        with progress_bar() as on_progress:
            report, _ = run_request(request, settings, on_progress, plain)
    end(report, as_json)


@app.command(epilog="Examples: ingestion run handbook | ingestion run handbook --no-wait")
def run(
    name: Annotated[str, typer.Argument(help="A source that `ingestion serve` keeps in sync.")],
    wait: Annotated[bool, typer.Option(help="Wait for its end, and print its report.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Trigger a source's deployment in Prefect; without Prefect, sync the source here and now.

    Exit codes are those of `ingestion sync`.
    """
    with usage_errors():
        settings = Settings()
        prefect_url = os.environ.get("PREFECT_API_URL")
        authorise(settings)
        if not prefect_url or not answers(prefect_url):
            with progress_bar() as on_progress:
                synced, _ = run_request(request_of(name, settings), settings, on_progress, False)
            end(synced, as_json)
        if refused := refusal(prefect_url):
            raise UsageError(refused)
        tell(f"Running deployment sync/{name} of {prefect_url}.")
        from ingestion.flow import trigger  # importing prefect takes seconds

        flow_run_id, state, request = trigger(name, RUN_WAIT_SECONDS if wait else 0)
        if not wait:
            started = {"flow_run_id": flow_run_id, "state": state}
            print(json.dumps(started) if as_json else f"Started flow run {flow_run_id}.")
            return
        reports = Runs(settings.state_dir).of(request.index, request.tenant, request.source)
        report = next((each for each in reports if each.flow_run_id == flow_run_id), None)
        if report is None:
            raise IngestionError(
                f"Flow run {flow_run_id} ended as {state}, and there is no report of it in "
                f"{settings.state_dir}: set INGESTION_STATE_DIR to that of `ingestion serve`, or "
                "read its log."
            )
    end(report, as_json)


@app.command()
def serve() -> None:
    """Keep the declared sources in sync, by a Prefect deployment with a schedule each.

    Example: INGESTION_SOURCES_FILE=sources.yaml ingestion serve
    """
    with usage_errors():
        settings = Settings()
        url = os.environ.get("PREFECT_API_URL")
        if not url:
            raise UsageError(
                "Set PREFECT_API_URL to a Prefect server, e.g. http://127.0.0.1:4200/api."
            )
        if not settings.sources:
            raise UsageError(
                "No source is declared: write sources.yaml, e.g. `handbook: docs/`, or set "
                'INGESTION_SOURCES, e.g. {"handbook": "docs/"}.'
            )
        sources = [
            (request_of(name, settings), source.schedule or settings.interval_seconds)
            for name, source in settings.sources.items()
        ]
        authorise(settings)
        _wait_for(url)
        if refused := refusal(url):
            raise UsageError(refused)
        from ingestion.flow import serve_sources  # importing prefect takes seconds

        serve_sources(sources)


@app.command()
def prefect(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 4200,
    page_port: Annotated[
        int | None, typer.Option(help="Port of its page in your browser; the same one else.")
    ] = None,
) -> None:
    """Start Prefect's server, which asks for INGESTION_PREFECT_AUTH_STRING as its password.

    Example: INGESTION_PREFECT_AUTH_STRING=<password> ingestion prefect --port 4200
    """
    with usage_errors():
        launch = plan_server(Settings(), host, port, page_port or port)
    os.execve(launch.arguments[0], launch.arguments, launch.environment)  # noqa: S606 - the purpose


def _wait_for(prefect_url: str) -> None:
    deadline, told = time.monotonic() + PREFECT_WAIT_SECONDS, False
    while not answers(prefect_url):
        if not told:
            tell(f"Waiting for a Prefect server at {prefect_url}.")
        told = True
        if time.monotonic() > deadline:
            raise IngestionError(
                f"No Prefect server answered at {prefect_url} within {PREFECT_WAIT_SECONDS} s: "
                "start it with `ingestion prefect`, or set PREFECT_API_URL."
            )
        time.sleep(1)
