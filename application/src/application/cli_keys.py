"""`application keys`: make, list and revoke API keys; only their digests are stored."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from application.access import KeyRing
from application.errors import ApplicationError
from application.quotas import checked_quota
from application.settings import Settings
from contracts.index import DEFAULT_NAMESPACE

keys = typer.Typer(no_args_is_help=True, help="API keys; only their digests are stored.")

HOURS = {"h": 1, "d": 24, "w": 24 * 7}


def moment_of(text: str) -> datetime:
    """When a key ends: "12h", "90d" or "6w" from now, or a date, in UTC unless it says otherwise.

    Raises typer.BadParameter, also for a moment that is past.
    """
    now = datetime.now(UTC)
    try:
        if span := re.fullmatch(r"(\d{1,5})([hdw])", text.strip()):
            at = now + timedelta(hours=int(span[1]) * HOURS[span[2]])
        else:
            at = datetime.fromisoformat(text.strip())
            at = TypeAdapter(AwareDatetime).validate_python(
                at if at.tzinfo else at.replace(tzinfo=UTC)
            )
    except (ValueError, ValidationError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write e.g. 90d, 12h or 2027-01-31."
        ) from error
    if at <= now:
        raise typer.BadParameter(f"{text} is past; write a later time.")
    return at


def quota_of(text: str) -> str:
    """`text` if the library reads it as a quota; raises typer.BadParameter."""
    try:
        return checked_quota(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no quota; write e.g. 60/minute.") from error


@keys.command("create", epilog="Example: application keys create --tenant default --expires 90d")
def create(
    tenant: Annotated[str, typer.Option(help="Whose documents the key may read.")],
    namespace: Annotated[
        list[str] | None, typer.Option(help="A namespace that it may read; repeat for more.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: 90d, 12h, 6w or a date; never if left out.")
    ] = None,
    quota: Annotated[
        str | None, typer.Option(help="Its own quota, e.g. 60/minute, in place of the setting.")
    ] = None,
) -> None:
    """Print a new key, once; its digest goes into the file of keys."""
    ring = KeyRing(Settings().keys_file)
    ends = moment_of(expires) if expires else None
    own = quota_of(quota) if quota is not None else None
    typer.echo(ring.create(tenant, namespace or [DEFAULT_NAMESPACE], ends, own))


@keys.command("list", epilog="Example: application keys list")
def list_keys() -> None:
    """List every key by its id: whose it is, what it reads, and until when."""
    for line in KeyRing(Settings().keys_file).all():
        ends = f"until {line.expires_at:%Y-%m-%d %H:%M} UTC" if line.expires_at else "no end"
        state = line.refusal or ends
        quota = f", {line.quota}" if line.quota else ""
        typer.echo(f"{line.key_id}  {line.tenant}  {','.join(line.namespaces)}  {state}{quota}")


@keys.command("revoke", epilog="Example: application keys revoke 3f9a1c")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The id, or its first digits, from `keys list`.")],
) -> None:
    """End a key at once, also in an application that is running."""
    try:
        line = KeyRing(Settings().keys_file).revoke(key_id)
    except ApplicationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{line.key_id} of {line.tenant} opens nothing any more.")
