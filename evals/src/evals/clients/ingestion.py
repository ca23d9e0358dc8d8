"""The `ingestion` command: the only way by which evals look into sources or change an index."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from contracts.status import AuditReport, Pin, RawDocument, RunReport, SourceStatus
from evals.errors import SyncFailed, Unavailable

PARTIAL = 3  # exit code of a run that quarantined something
T = TypeVar("T")


@dataclass(frozen=True)
class Ingestion:
    """Syncs sources under one name into one index; its progress goes to standard error."""

    command: str
    name: str
    index: str

    def sync(self, source: Path, options: Sequence[str] = ()) -> RunReport:
        """Run `ingestion sync` to its end.

        Raises: Unavailable when there is no such command, SyncFailed when it ended badly.
        """
        flags = ("--name", self.name, "--index", self.index, *options)
        return _reply(self.command, ("sync", str(source), *flags), RunReport)


@dataclass(frozen=True)
class Sources:
    """What the sources of the live index say; each call is one command.

    Raises: Unavailable, SyncFailed, from every call.
    """

    command: str
    index: str

    def run(self, source: str) -> RunReport:
        """Trigger a source's deployment, and wait for its end."""
        return _reply(self.command, ("run", source), RunReport)

    def status(self) -> list[SourceStatus]:
        """Freshness of every source."""
        return _reply(self.command, ("status",), list[SourceStatus])

    def audit(self, source: str, sample: int, seed: int) -> AuditReport:
        """Random documents fetched again and compared with the index."""
        flags = ("--sample", str(sample), "--seed", str(seed), "--index", self.index)
        return _reply(self.command, ("audit", source, *flags), AuditReport)

    def raw(self, document_ids: Sequence[str]) -> dict[str, RawDocument]:
        """Documents as their sources hold them now, by id."""
        if not document_ids:
            return {}
        found = _reply(self.command, ("raw", *document_ids), list[RawDocument])
        return {document.document_id: document for document in found}

    def pin(self, name: str) -> Pin:
        """An immutable copy of the live index."""
        return _reply(self.command, ("pin", name, "--index", self.index), Pin)

    def unpin(self, name: str) -> None:
        """Remove a copy."""
        _run(self.command, ("unpin", name, "--index", self.index))


def _reply(command: str, arguments: Sequence[str], form: type[T]) -> T:
    printed = _run(command, (*arguments, "--json"))
    try:
        return TypeAdapter(form).validate_json(printed)
    except ValidationError as error:
        said = shlex.join([command, *arguments])
        raise SyncFailed(f"`{said}` printed nothing of the expected form: {error}") from error


def _run(command: str, arguments: Sequence[str]) -> bytes:
    whole = [*shlex.split(command), *arguments]
    try:
        done = subprocess.run(whole, stdout=subprocess.PIPE, check=False)
    except OSError as error:
        raise Unavailable(
            f"Cannot run `{command}` ({error.strerror}): install the ingestion package, "
            "or set EVALS_INGESTION_COMMAND to its command."
        ) from error
    if done.returncode not in (0, PARTIAL):
        raise SyncFailed(f"`{shlex.join(whole)}` ended with {done.returncode}; see above.")
    return done.stdout
