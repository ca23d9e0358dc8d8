"""The commands for what readers see: `pin`, `pins`, `unpin`, `restore`, `rollback` and `resume`."""

import json
from typing import Annotated

import typer
from qdrant_client import QdrantClient

from ingestion.index import pins as copies
from ingestion.operate.console import pin_line, usage_errors
from ingestion.operate.rollback import Rollback
from ingestion.operate.rollback import rollback as roll_back
from ingestion.settings import Settings
from ingestion.sync.services import Services

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


@app.command(epilog="Example: ingestion rollback")
def rollback(index: Index = None, as_json: AsJson = False) -> None:
    """Let readers of an index see the collection from before its last switch, at once.

    For when a new chunker, parser or embedder turns out worse; `ingestion resume` goes forward.
    """
    with usage_errors():
        done = roll_back(*_store(index))
    typer.echo(done.model_dump_json(indent=2) if as_json else _rollback_text(done))


@app.command(epilog="Example: ingestion resume")
def resume(index: Index = None, as_json: AsJson = False) -> None:
    """Let readers of a restored or rolled back index see what syncs write again."""
    with usage_errors():
        client, index = _store(index)
        written = copies.resume(client, index)
    done = {"index": index, "shown": None, "written": written}
    typer.echo(json.dumps(done) if as_json else f"Readers of {index} see {written} again.")


def _rollback_text(done: Rollback) -> str:
    lines = [
        f"Readers of {done.index} see {done.shown} again, since {done.seconds:.3f} s: "
        f"{done.documents} documents, {done.chunks} chunks, as the last sync into it left them.",
    ]
    if done.chunker:
        lines.append(f"Its chunker: {done.chunker[0]} (not {done.chunker[1]}).")
    if done.embedder:
        lines.append(
            f"Its embedder: {done.embedder[0]} (not {done.embedder[1]}). Serve that one again, "
            "again: vectors of two embedders cannot be compared."
        )
    lines.append(
        f"Syncs go on into {done.written}, which no reader sees. Forward again: `ingestion "
        "resume`. To stay here: sync every source with the earlier settings."
    )
    return "\n".join(lines)


def _store(index: str | None) -> tuple[QdrantClient, str]:
    settings = Settings()
    return Services.of(settings).store, index or settings.index
