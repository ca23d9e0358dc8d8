"""Who asks, and what they may read: keys, scopes and probes. Nothing else decides access."""

import hashlib
import hmac
import logging
import os
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from application.errors import NotAuthenticated, NotFound, ProbeRefused
from application.quotas import Quota
from contracts.index import DEFAULT_NAMESPACE
from contracts.probe import CANARY_NAMESPACE

KEY_PREFIX = "fl_"
KEY_ID_DIGITS = 12
SEND_A_KEY = "Send a valid key as `Authorization: Bearer <key>`."

log = logging.getLogger("application")


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenant and namespaces that a verified caller may read; a probe reads canaries too."""

    tenant: str
    namespaces: frozenset[str]
    probe: bool = False

    def permits(self, tenant: str, namespace: str) -> bool:
        """Whether something of this tenant and namespace may be shown."""
        return tenant == self.tenant and namespace in self.namespaces


OPEN_SCOPE = Scope("default", frozenset({DEFAULT_NAMESPACE}))  # where keys are off, on loopback


def digest_of_key(key: str) -> str:
    """Sha256 in hex: all that is stored of a key, which is random enough to need no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: what it may read, and how much it may ask."""

    key_id: str  # the first digits of the key's digest; empty where no key is asked for
    scope: Scope
    quota: str | None = None  # its own, e.g. "60/minute"


ANYBODY = Principal("", OPEN_SCOPE)


class KeyLine(BaseModel):
    """One line of the file of keys: a key, or the news that it is revoked."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tenant: str = ""
    namespaces: list[str] = []
    quota: Quota | None = None
    created_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None

    @property
    def key_id(self) -> str:
        """What people call the key by: the key itself is stored nowhere."""
        return self.sha256[:KEY_ID_DIGITS]

    @property
    def refusal(self) -> str | None:
        """Why the key opens nothing now; None while it is valid."""
        if self.revoked_at:
            return f"This key was revoked on {self.revoked_at:%Y-%m-%d}."
        if self.expires_at and self.expires_at <= datetime.now(UTC):
            return f"This key expired on {self.expires_at:%Y-%m-%d %H:%M} UTC."
        return None


class KeyRing:
    """The file of key digests, one JSON object a line; read again when it changes.

    Lines are only ever added. A line that is broken, e.g. half written, is skipped and logged, so
    that it locks out nobody else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int, int] | None = None
        self._lines: dict[str, KeyLine] = {}

    def scope_of(self, key: str) -> Scope:
        """Scope of `key`; raises NotAuthenticated."""
        return self.principal_of(key).scope

    def principal_of(self, key: str) -> Principal:
        """Who holds `key`, compared with every digest in constant time; raises NotAuthenticated."""
        self._refresh()
        presented = digest_of_key(key)
        found = None
        for digest, line in self._lines.items():
            if hmac.compare_digest(digest, presented):
                found = line
        if found is None:
            raise NotAuthenticated(SEND_A_KEY)
        if found.refusal:
            raise NotAuthenticated(f"{found.refusal} Ask for a new one.")
        scope = Scope(found.tenant, frozenset(found.namespaces))
        return Principal(found.key_id, scope, found.quota)

    def all(self) -> list[KeyLine]:
        """Every key, oldest first, also those that open nothing any more."""
        self._refresh()
        return list(self._lines.values())

    def create(
        self,
        tenant: str,
        namespaces: list[str],
        expires_at: datetime | None = None,
        quota: str | None = None,
    ) -> str:
        """A new key for `tenant`: returned once, stored only as its digest."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        self._add(
            KeyLine(
                sha256=digest_of_key(key),
                tenant=tenant,
                namespaces=namespaces,
                quota=quota,
                created_at=datetime.now(UTC),
                expires_at=expires_at,
            )
        )
        return key

    def revoke(self, key_id: str) -> KeyLine:
        """Ends the one key whose id begins with `key_id`, at once; raises NotFound."""
        found = [line for line in self.all() if key_id and line.sha256.startswith(key_id.lower())]
        if len(found) != 1:
            what = "No key has" if not found else "More than one key has"
            raise NotFound(f"{what} the id {key_id!r}; see `application keys list`.")
        revoked = found[0].model_copy(update={"revoked_at": datetime.now(UTC)})
        self._add(revoked)
        return revoked

    def _add(self, line: KeyLine) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with self._path.open("r+b") as file:
            whole = not file.seek(0, os.SEEK_END) or _ends_a_line(file)
            file.write((b"" if whole else b"\n") + line.model_dump_json().encode() + b"\n")

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
            changed_at = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if changed_at == self._read_at:
                return
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            self._lines, self._read_at = {}, None
            return
        except OSError as error:
            log.error("%s cannot be read (%s); mend its permissions.", self._path, error.strerror)
            return  # those who had a key keep it meanwhile
        self._lines, self._read_at = {}, changed_at
        for number, raw in enumerate(lines, start=1):
            if raw.strip():
                self._keep(number, raw)

    def _keep(self, number: int, raw: bytes) -> None:
        try:
            line = KeyLine.model_validate_json(raw)
        except ValidationError:
            log.warning("Line %d of %s is no key and is skipped; remove it.", number, self._path)
            return
        before = self._lines.get(line.sha256)
        if before is None or before.revoked_at is None:  # a revoked key stays revoked
            self._lines[line.sha256] = line


def verified(authorization: str, keys: KeyRing, require_keys: bool) -> Principal:
    """Who sends this Authorization header; raises NotAuthenticated."""
    if not (require_keys or authorization):
        return ANYBODY
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated(SEND_A_KEY)
    return keys.principal_of(key.strip())


def _ends_a_line(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def probing(scope: Scope, key: str, expected_sha256: str) -> Scope:
    """`scope` with the canary namespace opened, for the holder of the probe key."""
    if not expected_sha256 or not hmac.compare_digest(digest_of_key(key), expected_sha256.lower()):
        raise ProbeRefused("Send a valid X-Probe-Key, or leave the probe headers out.")
    return replace(scope, namespaces=scope.namespaces | {CANARY_NAMESPACE}, probe=True)
