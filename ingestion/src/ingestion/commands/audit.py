"""The commands that look into sources again: `ingestion audit` and `ingestion raw`."""

import json
import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer

from ingestion.errors import UsageError
from ingestion.operate.audit import Auditor, raw_documents
from ingestion.operate.console import PARTIAL, audit_text, usage_errors
from ingestion.settings import Settings
from ingestion.sources.opening import is_there
from ingestion.sync.request import path_of, request_for, request_of
from ingestion.sync.services import Services

app = typer.Typer()


@app.command(
    epilog="Examples: ingestion audit handbook | ingestion audit docs/ --name handbook --sample 50"
)
def audit(
    source: Annotated[str, typer.Argument(help="A declared source, or its location.")],
    name: Annotated[str | None, typer.Option(help="Name of the source at a location.")] = None,
    index: Annotated[str | None, typer.Option(help="Index to look at.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Tenant that it belongs to.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="Documents whose content is compared.")] = 20,
    seed: Annotated[int | None, typer.Option(help="Chooses the same documents again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compare what the index holds of a source with the source, by a second, simpler reader.

    Exit code 0: no finding; 3: findings, or the source cannot be read; 1: failed; 2: wrong usage.
    """
    with usage_errors():
        settings = Settings()
        known, location = settings.sources.get(source), path_of(source)
        if known and name is None:
            request = request_of(source, settings, index=index)
        elif name is None and not is_there(location):
            declared = ", ".join(settings.sources) or "none is"
            raise UsageError(
                f"{source} is neither a declared source ({declared}) nor a place: check the name, "
                "or mount the folder."
            )
        else:
            request = request_for(location, settings, source=name, index=index, tenant=tenant)
        auditor = Auditor(
            request,
            settings,
            Services.of(settings).store,
            datetime.now(UTC),
            (known and known.schedule) or settings.interval_seconds,
        )
        report = auditor.audit(sample, secrets.randbelow(2**32) if seed is None else seed)
    typer.echo(report.model_dump_json(indent=2) if as_json else audit_text(report))
    raise typer.Exit(PARTIAL if report.findings or report.error else 0)


@app.command(epilog="Example: ingestion raw handbook/leave.md")
def raw(
    document_ids: Annotated[list[str], typer.Argument(help="SOURCE/PATH, of declared sources.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Fetch documents again from their sources, and print their text by the second reader."""
    with usage_errors():
        documents = raw_documents(document_ids, Settings())
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in documents], indent=2))
        return
    for each in documents:
        state = f"version {each.version}" if each.found else "not in the source"
        typer.echo(f"== {each.document_id}: {state}\n{each.text}")
