"""The commands that show what a run made: `ingestion why` and `ingestion sample`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contracts.endpoints import EmbedderFingerprint
from ingestion.errors import UsageError
from ingestion.operate.audit import raw_documents
from ingestion.operate.console import usage_errors
from ingestion.operate.lineage import HOW_IDS_LOOK, Lineage, lineages
from ingestion.operate.sample_view import page as page_of
from ingestion.operate.sample_view import table
from ingestion.settings import Settings
from ingestion.sync.sample import Samples
from ingestion.sync.services import Services

app = typer.Typer()

PROBES = {"built_with": {"embedder": {"probe_vectors"}}}  # numbers that say nothing to a person


@app.command(
    epilog="Examples: ingestion why 0b7c1f0e-5c0e-5d51-9a3e-6f2b8f1f7c11 | "
    "ingestion why handbook/leave.md#0 | ingestion why handbook/leave.md"
)
def why(
    chunk: Annotated[str, typer.Argument(help=f"{HOW_IDS_LOOK.capitalize()}.")],
    index: Annotated[str | None, typer.Option(help="Index; INGESTION_INDEX else.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say where a chunk comes from, what made it, and whether readers see it.

    Exit code 0: there is such a chunk; 2: there is none.
    """
    with usage_errors():
        settings = Settings()
        found = lineages(Services.of(settings).store, index or settings.index, chunk)
        raw = _raw(found[0], settings)
    if as_json:
        shown = [each.model_dump(mode="json", exclude=PROBES) | {"raw": raw} for each in found]
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    elif len(found) == 1:
        typer.echo(_text(found[0], raw))
    else:
        typer.echo("\n".join([_document_text(found[0], raw), *map(_line, found)]))


@app.command(epilog="Examples: ingestion sample handbook | ingestion sample --page sample.html")
def sample(
    source: Annotated[
        str | None, typer.Argument(help="Name of the source; the last one synced else.")
    ] = None,
    index: Annotated[str | None, typer.Option(help="Index; INGESTION_INDEX else.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write it as a page to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show chunks that the last run wrote beside their raw source, for a person to compare."""
    with usage_errors():
        settings = Settings()
        of = index or settings.index
        found = Samples(settings.state_dir).newest(of, source)
        if found is None:
            raise UsageError(
                f"No run has written a chunk of {source or 'any source'} into {of} yet: `ingestion "
                "sync <folder>` samples what it writes. (`ingestion status` lists the sources.)"
            )
        if page:
            _write(page, page_of(found))
            typer.echo(f"Wrote {page}: open it in a browser.", err=as_json)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    elif not page:
        Console().print(table(found))


def _write(page: Path, text: str) -> None:
    try:
        page.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{page} cannot be written ({error.strerror}): name another file with --page."
        ) from error


def _raw(found: Lineage, settings: Settings) -> str:
    """Where the raw document lies, and whether it is still what was indexed."""
    source, path = found.chunk.source, found.chunk.document_id.partition("/")[2]
    try:
        [raw] = raw_documents([found.chunk.document_id], settings)
        place = f"{path} in {settings.sources[source].location}"
    except UsageError as error:
        return f"{path} in the source {source}, not looked up: {error}"
    if not raw.found:
        return f"{place}: gone from there; the next sync takes it out"
    same = raw.version == found.chunk.version
    return f"{place}: {'unchanged since' if same else 'another version now; sync to index it'}"


def _text(found: Lineage, raw: str) -> str:
    """A chunk with all that is known of it."""
    chunk = found.chunk
    fields = {
        "chunk": f"#{chunk.ordinal}{_of(found)}, {found.chunk_id}",
        "span": f"characters {chunk.start} to {chunk.end}"
        + (f", page {chunk.page}" if chunk.page else ""),
        "headings": " > ".join(chunk.headings) or "none",
        "readers": found.visibility,
    }
    return f"{_document_text(found, raw)}\n{_lines(fields)}\n\n{chunk.text}"


def _document_text(found: Lineage, raw: str) -> str:
    """What the chunks of a document have in common."""
    chunk, spec = found.chunk, found.built_with
    fields = {
        "source": f"{chunk.source} (tenant {chunk.tenant}, namespace {chunk.namespace})",
        "version": f"{chunk.version} (sha256 of the raw bytes)",
        "raw": raw,
        "run": chunk.run_id + _committed(found),
        "parser": found.parser,
        "chunker": found.chunker,
        "embedder": _embedder(spec.embedder, spec.precision, spec.backend),
        "sparse": spec.sparse,
        "collection": found.collection,
    }
    return f"{chunk.document_id}\n{_lines(fields)}"


def _embedder(embedder: EmbedderFingerprint, precision: str, backend: str) -> str:
    return f"{embedder.model}, fingerprint {embedder.digest} ({precision}, {backend})"


def _of(found: Lineage) -> str:
    document = found.document
    return f" of {document.chunks}" if document and document.version == found.chunk.version else ""


def _committed(found: Lineage) -> str:
    document = found.document
    if document is None or document.version != found.chunk.version:
        return ""
    return f", committed {document.committed_at:%Y-%m-%d %H:%M:%S} UTC"


def _line(found: Lineage) -> str:
    chunk = found.chunk
    return f"  #{chunk.ordinal} {found.chunk_id} {chunk.start}-{chunk.end}: {found.visibility}"


def _lines(fields: dict[str, str]) -> str:
    return "\n".join(f"  {name:<11}{value}" for name, value in fields.items())
