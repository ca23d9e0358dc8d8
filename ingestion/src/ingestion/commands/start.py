"""Runs a request, under Prefect or without it, and ends the command by the run's status."""

import os
from typing import NoReturn

import typer

from contracts.status import RunReport
from ingestion.operate.console import EXIT_CODES, run_text, tell
from ingestion.operate.prefect_access import authorise, unusable
from ingestion.settings import Settings
from ingestion.sync.order import OnProgress
from ingestion.sync.request import SyncRequest
from ingestion.sync.retry import retried
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services


def end(report: RunReport, as_json: bool) -> NoReturn:
    """Print the report of a run, and exit by its status."""
    for note in report.notes:
        tell(f"note: {note}")
    print(report.model_dump_json(indent=2) if as_json else run_text(report))
    raise typer.Exit(EXIT_CODES[report.status])


def run_request(
    request: SyncRequest, settings: Settings, on_progress: OnProgress, plain: bool
) -> tuple[RunReport, list[str]]:
    """Under Prefect when its server answers and takes our password, else plain; says which."""
    prefect_url = os.environ.get("PREFECT_API_URL")
    authorise(settings)
    if why := "as asked" if plain else unusable(prefect_url):
        tell(f"Syncing {request.source} without Prefect ({why}).")
        return run_sync(request, settings, Services.of(settings), retried, on_progress)
    tell(f"Syncing {request.source} under Prefect at {prefect_url}.")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # the report says what failed
    from ingestion.flow import run_flow  # importing prefect takes seconds

    return run_flow(request, on_progress)
