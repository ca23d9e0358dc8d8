"""The commands for pins: `ingestion pin`, `pins`, `unpin`, `restore` and `resume`."""

import json
from typing import Annotated

import typer
from qdrant_client import QdrantClient

from ingestion import pins as copies
from ingestion.bootstrap import Services
from ingestion.console import pin_line, usage_errors
from ingestion.settings import Settings

app = typer.Typer()

Name = Annotated[str, typer.Argument(help="Name of the pin.")]
Index = Annotated[str | None, typer.Option(help="Index; INGESTION_INDEX else.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command(epilog="Example: ingestion pin accepted")
def pin(name: Name, index: Index = None, as_json: AsJson = False) -> None:
    """Copy an index as it is now, never to change again; it is read as INDEX-pin-NAME."""
    with usage_errors():
        made = copies.pin(*_store(index), name)
    typer.echo(made.model_dump_json(indent=2) if as_json else f"Pinned {pin_line(made)}")


@app.command(epilog="Example: ingestion pins --json")
def pins(index: Index = None, as_json: AsJson = False) -> None:
    """List the pins of an index, oldest first."""
    with usage_errors():
        client, index = _store(index)
        found = copies.pins(client, index)
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
    else:
        none = f"{index} has no pin yet: `ingestion pin NAME` makes one."
        typer.echo("\n".join(map(pin_line, found)) or none)


@app.command(epilog="Example: ingestion unpin accepted")
def unpin(name: Name, index: Index = None, as_json: AsJson = False) -> None:
    """Remove a pin for good."""
    with usage_errors():
        client, index = _store(index)
        copies.unpin(client, index, name)
    done = {"index": index, "removed": name}
    typer.echo(json.dumps(done) if as_json else f"Removed pin {name} of {index}.")


@app.command(epilog="Example: ingestion restore accepted")
def restore(name: Name, index: Index = None, as_json: AsJson = False) -> None:
    """Let readers of an index see a pin of it, at once; `ingestion resume` ends that.

    Syncs go on into their own collection, which readers do not see meanwhile.
    """
    with usage_errors():
        client, index = _store(index)
        written = copies.restore(client, index, name)
    done = {"index": index, "shown": name, "written": written}
    said = (
        f"Readers of {index} see pin {name} now. Syncs go on into {written}, which no reader sees "
        "until `ingestion resume`."
    )
    typer.echo(json.dumps(done) if as_json else said)


@app.command(epilog="Example: ingestion resume")
def resume(index: Index = None, as_json: AsJson = False) -> None:
    """Let readers of a restored index see what syncs write again."""
    with usage_errors():
        client, index = _store(index)
        written = copies.resume(client, index)
    done = {"index": index, "shown": None, "written": written}
    typer.echo(json.dumps(done) if as_json else f"Readers of {index} see {written} again.")


def _store(index: str | None) -> tuple[QdrantClient, str]:
    settings = Settings()
    return Services.of(settings).store, index or settings.index
