"""The commands `application bundle ...`: what was released, what differs, and the way back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from application.build import build_of_sources
from application.bundle_store import BundleStore
from application.difference import in_words, unified
from application.errors import ApplicationError, Misconfigured
from application.releases import Release, Releases
from application.settings import Settings

bundle = typer.Typer(no_args_is_help=True, help="Prompts and settings: release them, go back.")

Json = Annotated[bool, typer.Option("--json", help="For machines.")]
Reason = Annotated[str | None, typer.Option(help="Why, for the log.")]


@bundle.command("list", epilog="Example: application bundle list --json")
def list_releases(as_json: Json = False) -> None:
    """List every release, the newest last, and the bundle that answers now."""
    with _opened() as (store, releases):
        rows = releases.all()
        try:
            live = store.live.digest
        except Misconfigured:
            live = None
        if as_json:
            last = rows[-1].bundle if rows else None
            state = {"live": live, "problem": store.problem, "released": last}
            listed = [row.model_dump(mode="json") for row in rows]
            typer.echo(json.dumps(state | {"releases": listed}, indent=2))
            return
        for row in rows:
            typer.echo(_line(row))
        released = bool(rows) and rows[-1].bundle == live
        words = f"{live}, {'released' if released else 'not released'}"
        typer.echo(f"live: {store.problem or words}")


@bundle.command(epilog="Example: application bundle diff released live")
def diff(
    before: Annotated[str, typer.Argument(help="`released`, `live` or a digest.")] = "released",
    after: Annotated[str, typer.Argument(help="As before.")] = "live",
    as_json: Json = False,
) -> None:
    """Say what differs between two bundles, in words and line by line."""
    with _opened() as (store, releases):
        old, new = releases.files(before), releases.files(after)
        words, lines = in_words(old, new, store.profile), unified(old, new)
    if as_json:
        said = {"before": before, "after": after, "changes": words, "diff": lines}
        typer.echo(json.dumps(said, indent=2))
        return
    nothing = "only comments or layout differ" if lines else "nothing differs"
    typer.echo("\n".join(words or [nothing]) + (f"\n\n{lines}" if lines else ""))


@bundle.command(epilog='Example: application bundle release --reason "shorter answers"')
def release(
    force: Annotated[bool, typer.Option(help="Without a passed gate; needs --reason.")] = False,
    reason: Reason = None,
) -> None:
    """Accept the bundle in the files, if it passed the gate with this build."""
    with _opened() as (_, releases):
        done = releases.release(reason, force=force)
        typer.echo(_line(done) if done else "The live bundle is released already.")


@bundle.command(epilog="Example: application bundle rollback f89c38846c8feb01")
def rollback(
    digest: Annotated[str | None, typer.Argument(help="Default: the last other release.")] = None,
    reason: Reason = None,
) -> None:
    """Put the files of a release back, byte for byte; those they replace are kept."""
    with _opened() as (_, releases):
        typer.echo(_line(releases.rollback(digest, reason)))


@contextmanager
def _opened() -> Iterator[tuple[BundleStore, Releases]]:
    settings = Settings()
    try:
        folder = settings.state_dir / "bundles"
        store = BundleStore(folder, settings.bundle, settings.answer_profile)
        yield store, Releases(store, settings.state_dir, build_of_sources())
    except (ApplicationError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _line(row: Release) -> str:
    said = row.reason or (row.gate.summary if row.gate else "")
    made = f"{row.action:<8}  {row.bundle}  {row.build}  {row.by}"
    return f"{row.at:%Y-%m-%d %H:%M}  {made}  {said}".rstrip()
