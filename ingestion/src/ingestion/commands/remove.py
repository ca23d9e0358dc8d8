"""The command that takes a source out of an index: `ingestion remove`."""

from typing import Annotated

import typer

from ingestion.errors import UsageError
from ingestion.operate.console import HELD, usage_errors
from ingestion.operate.remove import Removal, look, remove, tenants_with
from ingestion.settings import Settings
from ingestion.sync.services import Services

app = typer.Typer()


@app.command("remove", epilog="Examples: ingestion remove wiki | ingestion remove wiki --yes")
def remove_source(
    source: Annotated[str, typer.Argument(help="A source, as `ingestion status` names it.")],
    index: Annotated[str | None, typer.Option(help="Index to remove it from.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Tenant that it belongs to.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; without, only say what.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Remove a source and all its documents; nothing changes until you say --yes.

    Exit code 0: removed, and proved; 4: it waits for --yes; 1: failed; 2: wrong usage.
    """
    with usage_errors():
        settings = Settings()
        index = index or settings.index
        client = Services.of(settings).store
        tenant = tenant or _tenant(tenants_with(client, index, source), source, settings)
        declared = settings.sources.get(source)
        if declared and (declared.tenant or settings.tenant) == tenant and index == settings.index:
            raise UsageError(
                f"{source} is declared, so its next sync would bring it back: take it out of "
                f"{settings.sources_file or 'sources.yaml or INGESTION_SOURCES'} first."
            )
        done = (
            remove(client, settings.state_dir, index, tenant, source)
            if yes
            else look(client, index, tenant, source)
        )
    typer.echo(done.model_dump_json(indent=2) if as_json else _text(done))
    if not yes:
        raise typer.Exit(HELD)


def _tenant(tenants: set[str], source: str, settings: Settings) -> str:
    if len(tenants) > 1:
        raise UsageError(
            f"{source} is a source of {', '.join(sorted(tenants))}: say which with --tenant."
        )
    return next(iter(tenants), settings.tenant)


def _text(done: Removal) -> str:
    chunks = sum(done.points.values())
    what = (
        f"{done.source} of tenant {done.tenant} in {done.index}: {done.documents} documents that "
        f"readers see, {chunks} chunks in {len(done.points)} collections"
    )
    if done.is_done:
        return f"Removed {what}. None of its points is left; pins keep their copies."
    return (
        f"{what}. Nothing was changed. To remove them: `ingestion remove {done.source} "
        f"--index {done.index} --tenant {done.tenant} --yes`."
    )
