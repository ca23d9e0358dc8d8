"""Releases: which bundle was accepted when, by whom and on what grounds, and the way back.

A release is a line in `STATE_DIR/bundles/releases.jsonl`; the files lie beside it (`bundle_store`).
"""

import getpass
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from application.bundle import Files, read_files
from application.bundle_store import BundleStore
from application.errors import Misconfigured, NotFound, ReleaseRefused
from contracts.status import GateResult

Action = Literal["first", "release", "forced", "rollback"]


class Release(BaseModel):
    """One line of the log; the last one names the bundle that should answer."""

    at: datetime
    by: str
    action: Action
    bundle: str
    files: str  # the folder in `bundles/` that holds them
    build: str
    reason: str | None = None
    gate: GateResult | None = None


class Releases:
    """Releases of the bundle whose files `store` watches."""

    def __init__(self, store: BundleStore, state_dir: Path, build: str) -> None:
        self._store = store
        self._log = state_dir / "bundles" / "releases.jsonl"
        self._gates = state_dir / "gates"
        self._build = build

    def all(self) -> list[Release]:
        """Every release, oldest first; raises Misconfigured where the log was altered."""
        if not self._log.exists():
            return []
        try:
            lines = self._log.read_text().splitlines()
            return [Release.model_validate_json(line) for line in lines if line.strip()]
        except ValidationError as error:
            raise Misconfigured(f"{self._log.name} holds a line that is no release.") from error

    @property
    def last(self) -> Release | None:
        """The release that should answer now."""
        return next(reversed(self.all()), None)

    def release(self, reason: str | None = None, *, force: bool = False) -> Release | None:
        """Accepts the live files; None where they are released already. Raises ReleaseRefused."""
        if force and not reason:
            raise ReleaseRefused('Say why with --reason "...": the log keeps it.')
        files = self.files("live")
        bundle, copy, last = self._store.bundle_of(files).digest, self._store.keep(files), self.last
        if last and (last.bundle, last.files, last.build) == (bundle, copy, self._build):
            return None
        gate = self._gate(bundle)
        action: Action = "release"
        if refusal := self._refusal(bundle, gate):
            if last and not force:
                raise ReleaseRefused(f"{refusal} Or release it with --force --reason.")
            action = "forced" if last else "first"
        return self._record(action, bundle, copy, reason, gate)

    def rollback(self, digest: str | None = None, reason: str | None = None) -> Release:
        """Puts released files back in place of the live ones, whose copy is kept.

        Without a digest: the last release where the live files differ, else the one before it.
        """
        live = self.files("live")
        target = self._released(digest) if digest else self._before(self._digest(live))
        files = self._store.files(target.bundle, target.files)
        beside = {name: self._store.path.parent / name for name in files}
        replaced = {name: path.read_bytes() for name, path in beside.items() if path.exists()}
        self._store.keep(replaced | live)
        _replace(self._store.path, files)
        return self._record("rollback", target.bundle, target.files, reason)

    def files(self, name: str) -> Files:
        """Files of `live`, of the last `released`, or of a stored digest; raises NotFound."""
        if name == "live":
            return read_files(self._store.path) if self._store.path.exists() else {}
        if name == "released":
            last = self.last
            if last is None:
                raise NotFound("Nothing was released yet; `application bundle release` does it.")
            return self._store.files(last.bundle, last.files)
        return self._store.files(name)

    def _digest(self, files: Files) -> str | None:
        try:
            return self._store.bundle_of(files).digest
        except Misconfigured:
            return None

    def _gate(self, bundle: str) -> GateResult | None:
        path = self._gates / f"{bundle}.json"
        try:
            return GateResult.model_validate_json(path.read_bytes()) if path.exists() else None
        except ValidationError as error:
            raise Misconfigured(f"{path.name} is no gate's result; run the gate again.") from error

    def _refusal(self, bundle: str, gate: GateResult | None) -> str | None:
        if gate is None or gate.bundle != bundle:
            return f"No gate was run on bundle {bundle}; run `evals gate`."
        if gate.build != self._build:
            return (
                f"The gate was passed by build {gate.build}, and this is {self._build}; restart "
                "the application and run `evals gate` again."
            )
        return None if gate.passed else f"Bundle {bundle} did not pass the gate: {gate.summary}"

    def _released(self, digest: str) -> Release:
        for release in reversed(self.all()):
            if release.bundle == digest:
                return release
        raise NotFound(f"Bundle {digest} was never released; see `application bundle list`.")

    def _before(self, live: str | None) -> Release:
        standing: list[Release] = []  # releases that no rollback took back
        for release in self.all():
            if release.action == "rollback":
                while standing and standing[-1].bundle != release.bundle:
                    standing.pop()
            if not standing or standing[-1].bundle != release.bundle:
                standing.append(release)
        if standing and standing[-1].bundle == live:
            standing.pop()
        if not standing:
            raise ReleaseRefused("No other bundle was released before; edit the files instead.")
        return standing[-1]

    def _record(
        self,
        action: Action,
        bundle: str,
        copy: str,
        reason: str | None,
        gate: GateResult | None = None,
    ) -> Release:
        release = Release(
            at=datetime.now(UTC),
            by=_who(),
            action=action,
            bundle=bundle,
            files=copy,
            build=self._build,
            reason=reason,
            gate=gate,
        )
        with self._log.open("a") as log:
            log.write(release.model_dump_json() + "\n")
        return release


def _replace(path: Path, files: Files) -> None:
    """Writes every file beside its target, then renames all, the TOML last."""
    targets = {path.parent / name if "/" in name else path: data for name, data in files.items()}
    written: dict[Path, Path] = {}
    try:
        for target, content in sorted(targets.items(), key=lambda item: item[0] == path):
            real = target.resolve()  # a link stays one
            written[real] = real.with_name(f".{real.name}.new")
            written[real].write_bytes(content)
        for real, new in written.items():
            new.replace(real)
    except OSError as error:
        raise ReleaseRefused(
            f"{path.parent} cannot be written ({error.strerror}); copy {path.name} and prompts/ "
            "to a folder that can, and name it in APPLICATION_BUNDLE."
        ) from error
    finally:
        for new in written.values():
            with suppress(OSError):
                new.unlink()


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
