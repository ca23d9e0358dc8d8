from hashlib import sha256
from pathlib import Path

import pytest

from application.access import OPEN_SCOPE, KeyRing, Scope, digest_of_key, probing
from application.errors import NotAuthenticated, ProbeRefused

PROBE_SHA256 = sha256(b"probe").hexdigest()


def test_a_key_opens_its_tenant_and_namespaces_only(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys.jsonl")
    scope = ring.scope_of(ring.create("acme", ["default", "legal"]))
    assert scope == Scope("acme", frozenset({"default", "legal"}))
    assert scope.permits("acme", "legal")
    assert not scope.permits("other", "legal")
    assert not scope.permits("acme", "canary")


def test_only_the_digest_of_a_key_is_stored_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "keys.jsonl"
    key = KeyRing(path).create("acme", ["default"])
    assert key not in path.read_text()
    assert digest_of_key(key) in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_key_made_while_serving_works_at_once(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys.jsonl")
    with pytest.raises(NotAuthenticated):
        ring.scope_of("fl_unknown")
    key = KeyRing(tmp_path / "keys.jsonl").create("acme", ["default"])
    assert ring.scope_of(key).tenant == "acme"


def test_no_file_of_keys_lets_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(NotAuthenticated):
        KeyRing(tmp_path / "missing.jsonl").scope_of("")


def test_the_probe_key_opens_the_canary_namespace_and_nothing_else() -> None:
    scope = probing(OPEN_SCOPE, "probe", PROBE_SHA256)
    assert scope.namespaces == {"default", "canary"}
    assert (scope.tenant, scope.probe) == (OPEN_SCOPE.tenant, True)


@pytest.mark.parametrize("expected", [PROBE_SHA256, ""])
def test_a_wrong_probe_key_is_refused_also_where_none_is_set(expected: str) -> None:
    with pytest.raises(ProbeRefused):
        probing(OPEN_SCOPE, "wrong", expected)
