"""Who asks, and what they may read: keys, scopes and probes. Nothing else decides access."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from application.errors import NotAuthenticated, ProbeRefused
from contracts.index import DEFAULT_NAMESPACE
from contracts.probe import CANARY_NAMESPACE

KEY_PREFIX = "fl_"


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


class KeyRing:
    """The file of key digests; read again when it changes, so a new key works at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: int | None = None
        self._scopes: dict[str, Scope] = {}

    def scope_of(self, key: str) -> Scope:
        """Scope of `key`, compared with every digest in constant time; raises NotAuthenticated."""
        self._refresh()
        presented = digest_of_key(key)
        found = None
        for digest, scope in self._scopes.items():
            if hmac.compare_digest(digest, presented):
                found = scope
        if found is None:
            raise NotAuthenticated("Send a valid key as `Authorization: Bearer <key>`.")
        return found

    def create(self, tenant: str, namespaces: list[str]) -> str:
        """A new key for `tenant`: returned once, stored only as its digest."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        line = {"sha256": digest_of_key(key), "tenant": tenant, "namespaces": namespaces}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return key

    def _refresh(self) -> None:
        changed_at = self._path.stat().st_mtime_ns if self._path.exists() else None
        if changed_at == self._read_at:
            return
        lines = self._path.read_text().splitlines() if changed_at else []
        rows = [json.loads(line) for line in lines if line.strip()]
        self._scopes = {
            row["sha256"]: Scope(row["tenant"], frozenset(row["namespaces"])) for row in rows
        }
        self._read_at = changed_at


def probing(scope: Scope, key: str, expected_sha256: str) -> Scope:
    """`scope` with the canary namespace opened, for the holder of the probe key."""
    if not expected_sha256 or not hmac.compare_digest(digest_of_key(key), expected_sha256.lower()):
        raise ProbeRefused("Send a valid X-Probe-Key, or leave the probe headers out.")
    return replace(scope, namespaces=scope.namespaces | {CANARY_NAMESPACE}, probe=True)
