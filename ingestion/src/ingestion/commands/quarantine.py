"""The commands about documents that could not be indexed: `ingestion quarantine`."""

import json
from typing import Annotated

import typer

from ingestion.errors import UsageError
from ingestion.operate.console import usage_errors
from ingestion.settings import Settings
from ingestion.sync.quarantine import drop, everything, retry

app = typer.Typer(help="Documents that could not be indexed, and why.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("list", epilog="Example: ingestion quarantine list --dropped")
def list_quarantine(
    dropped: Annotated[bool, typer.Option("--dropped", help="Those that were dropped.")] = False,
    as_json: Json = False,
) -> None:
    """List the documents that could not be indexed, with the reason."""
    with usage_errors():
        entries = everything(Settings().state_dir, dropped)
    if as_json:
        typer.echo(json.dumps(entries, indent=2))
        return
    for each in entries:
        typer.echo(f"{each['source']}/{each['path']}: {each['reason']} ({each['attempts']} tries)")
    typer.echo(f"{len(entries)} dropped." if dropped else f"{len(entries)} in quarantine.")


@app.command(
    "retry",
    epilog="Examples: ingestion quarantine retry handbook | ingestion quarantine retry kb a.pdf",
)
def retry_quarantined(
    source: Annotated[str | None, typer.Argument(help="A source; all else.")] = None,
    path: Annotated[str | None, typer.Argument(help="A document of it; all else.")] = None,
    as_json: Json = False,
) -> None:
    """Forget how often documents were tried, and that they were dropped: the next sync tries again.

    Exit code 0: done; 2: there is no such document in quarantine.
    """
    with usage_errors():
        count = _some(retry(Settings().state_dir, source, path), source, path)
    said = f"The next sync tries {count} again: `ingestion run {source or 'SOURCE'}` starts one."
    typer.echo(json.dumps({"retried": count}) if as_json else said)


@app.command("drop", epilog="Example: ingestion quarantine drop handbook drafts/old.pdf")
def drop_quarantined(
    source: Annotated[str, typer.Argument(help="Its source.")],
    path: Annotated[str, typer.Argument(help="Its path in the source.")],
    as_json: Json = False,
) -> None:
    """Accept that a document is not indexed: it is neither tried nor listed until it changes.

    Runs go on accounting for it, and what the index held of it before stays. `retry` undoes this.
    Exit code 0: done; 2: there is no such document in quarantine.
    """
    with usage_errors():
        count = _some(drop(Settings().state_dir, source, path), source, path)
    said = f"Dropped {source}/{path} until it changes; `ingestion quarantine retry` undoes it."
    typer.echo(json.dumps({"dropped": count}) if as_json else said)


def _some(count: int, source: str | None, path: str | None) -> int:
    if not count:
        what = "/".join(filter(None, (source, path))) or "document"
        raise UsageError(f"No {what} is in quarantine: `ingestion quarantine list` shows all.")
    return count
