"""The command that lets a held run through: `ingestion approve`."""

import getpass
import os
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from ingestion.commands.start import end, run_request
from ingestion.errors import Refused, UsageError
from ingestion.index.held import HeldRun
from ingestion.operate.console import progress_bar, usage_errors
from ingestion.settings import Settings
from ingestion.sync.request import SyncRequest
from ingestion.sync.services import Services

app = typer.Typer()


@app.command(epilog="Example: ingestion approve 20261122T233253.034577-de874162")
def approve(
    run_id: Annotated[str, typer.Argument(help="The held run, as `ingestion status` names it.")],
    by: Annotated[str | None, typer.Option(help="Who approves; the user's name else.")] = None,
    plain: Annotated[bool, typer.Option(help="Run without Prefect.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Let a held run through: sync its source again, if it still holds what it held then.

    Exit codes are those of `ingestion sync`; 4: the source has changed, and is held anew.
    """
    with usage_errors():
        settings = Settings()
        every = HeldRun.every(Services.of(settings).store)
        held = next((each for each, hold in every if hold.run_id == run_id), None)
        if held is None:
            raise UsageError(
                f"No run {run_id} is held in the store at {settings.qdrant_url}: `ingestion "
                "status` names those that are."
            )
        request = _request(held)
        held.approve(by or _user(), datetime.now(UTC))
        with progress_bar() as on_progress:
            report, _ = run_request(request, settings, on_progress, plain)
    end(report, as_json)


def _request(held: HeldRun) -> SyncRequest:
    try:
        return SyncRequest.model_validate(held.request())
    except ValidationError as error:
        raise Refused(
            "The request of the held run says what this version does not know: approve it with "
            "the release that held it, or update this one."
        ) from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container runs as a number that has no name
        return f"user {os.getuid()}"
