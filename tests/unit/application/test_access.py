from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from application.access import OPEN_SCOPE, KeyRing, Scope, digest_of_key, probing
from application.errors import NotAuthenticated, NotFound, ProbeRefused

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


BROKEN_LINES = {
    "half written": b'{"sha256": "ab',
    "no JSON": b"hello",
    "no object": b"[]",
    "null": b"null",
    "no digest": b'{"tenant": "acme", "namespaces": ["default"]}',
    "a digest of another kind": b'{"sha256": "ab", "tenant": "acme", "namespaces": []}',
    "namespaces null": b'{"sha256": "%b", "tenant": "acme", "namespaces": null}' % (b"a" * 64),
    "a date that is none": b'{"sha256": "%b", "tenant": "a", "expires_at": "x"}' % (b"a" * 64),
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("name", BROKEN_LINES)
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_broken_line_locks_out_nobody_else_and_is_named_in_the_log(
    tmp_path: Path, name: str, end: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "keys.jsonl"
    ring = KeyRing(path)
    before = ring.create("acme", ["default"])
    with path.open("ab") as file:
        file.write(BROKEN_LINES[name] + end)
    after = ring.create("acme", ["default"])  # it begins a line of its own
    assert ring.scope_of(before) == ring.scope_of(after)
    assert "Line 2 of" in caplog.text
    assert "acme" not in caplog.text


def test_a_file_that_cannot_be_read_locks_out_nobody_who_was_in(tmp_path: Path) -> None:
    path = tmp_path / "keys.jsonl"
    ring = KeyRing(path)
    key = ring.create("acme", ["default"])
    assert ring.scope_of(key)
    path.unlink()
    path.mkdir()  # reading it is an OSError, also for root
    assert ring.scope_of(key)


def test_an_expired_key_opens_nothing_and_says_so(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "keys.jsonl")
    now = datetime.now(UTC)
    valid = ring.create("acme", ["default"], expires_at=now + timedelta(hours=1))
    expired = ring.create("acme", ["default"], expires_at=now - timedelta(seconds=1))
    assert ring.scope_of(valid)
    with pytest.raises(NotAuthenticated, match="expired on"):
        ring.scope_of(expired)


def test_a_revoked_key_opens_nothing_at_once_in_every_process(tmp_path: Path) -> None:
    serving, operator = (KeyRing(tmp_path / "keys.jsonl") for _ in range(2))
    key, other = (operator.create("acme", ["default"]) for _ in range(2))
    assert serving.scope_of(key)
    line = operator.revoke(digest_of_key(key)[:12])
    assert line.key_id == digest_of_key(key)[:12]
    with pytest.raises(NotAuthenticated, match="revoked on"):
        serving.scope_of(key)
    assert serving.scope_of(other)


@pytest.mark.parametrize("key_id", ["", "zzz", "fl_x"])
def test_an_id_that_names_no_key_revokes_none(tmp_path: Path, key_id: str) -> None:
    ring = KeyRing(tmp_path / "keys.jsonl")
    key = ring.create("acme", ["default"])
    with pytest.raises(NotFound, match="keys list"):
        ring.revoke(key_id)
    assert ring.scope_of(key)
