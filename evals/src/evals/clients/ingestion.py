"""The `ingestion` command: the only way by which evals change an index."""

import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from contracts.status import RunReport
from evals.errors import SyncFailed, Unavailable

PARTIAL = 3  # exit code of a run that quarantined something


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
        flags = ("--name", self.name, "--index", self.index, *options, "--json")
        arguments = [*shlex.split(self.command), "sync", str(source), *flags]
        try:
            done = subprocess.run(arguments, stdout=subprocess.PIPE, check=False)
        except OSError as error:
            raise Unavailable(
                f"Cannot run `{self.command}` ({error.strerror}): install the ingestion package, "
                "or set EVALS_INGESTION_COMMAND to its command."
            ) from error
        if done.returncode not in (0, PARTIAL):
            raise SyncFailed(f"`{shlex.join(arguments)}` ended with {done.returncode}; see above.")
        try:
            return RunReport.model_validate_json(done.stdout)
        except ValidationError as error:
            raise SyncFailed(f"`{shlex.join(arguments)}` printed no run report: {error}") from error
