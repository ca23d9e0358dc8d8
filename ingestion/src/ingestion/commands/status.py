"""The command that says how fresh the sources are: `ingestion status`."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingestion.index.pins import shown_instead
from ingestion.operate.console import OVER_LIMIT, status_line, usage_errors
from ingestion.operate.freshness import metrics, statuses
from ingestion.settings import Settings
from ingestion.sync.services import Services

app = typer.Typer()


@app.command(
    epilog="Examples: ingestion status | ingestion status --check || alert | "
    "ingestion status --metrics > node_exporter/ingestion.prom"
)
def status(
    index: Annotated[str | None, typer.Option(help="Index to look at.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    as_metrics: Annotated[
        bool, typer.Option("--metrics", help="Print it in Prometheus' text format.")
    ] = False,
    check: Annotated[
        bool, typer.Option(help="End with exit code 5 if a source breaks a limit.")
    ] = False,
) -> None:
    """Say for each source how much it holds and when it was last in sync, the overdue first.

    Exit code 0: said; 5: with --check, a limit is broken; 1: the store is away; 2: wrong usage.
    """
    with usage_errors():
        settings = Settings()
        index = index or settings.index
        found = statuses(index, settings, datetime.now(UTC))
        instead = shown_instead(Services.of(settings).store, index)
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
    elif as_metrics:
        typer.echo(metrics(found), nl=False)
    else:
        if instead:
            typer.echo(f"Readers of {index} see {instead} until `ingestion resume`.")
        for each in sorted(found, key=lambda each: (not each.over_limit, not each.reason)):
            typer.echo(status_line(each))
        if not found:
            typer.echo(f"{index} has no source yet: `ingestion sync <folder>` adds one.")
    if check and any(each.over_limit for each in found):
        raise typer.Exit(OVER_LIMIT)
