"""Three versions of a real knowledge base, one after the other, into the real vector store.

Embedded by hashes: the bookkeeping is the same, and takes a minute instead of ten.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import ROOT, Stack

BIN = ROOT / ".venvs" / "ingestion" / "bin"
GOV_KB = ROOT.parent / "shared" / "data" / "gov-kb"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not GOV_KB.is_dir(), reason="the data set gov-kb is not beside this checkout"
    ),
]


@pytest.fixture(scope="module")
def hash_embedder_url() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [BIN / "python", ROOT / "tests" / "fakes" / "hash_embedder.py", "--port", str(port)]
    with subprocess.Popen(command) as process:
        until = time.monotonic() + 30
        while not listens(port):
            assert time.monotonic() < until, "the hash embedder did not start"
            time.sleep(0.1)  # polling, not waiting: the condition decides
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def sync(version: str, stack: Stack, embed_url: str) -> dict[str, Any]:
    command = [BIN / "ingestion", "sync", GOV_KB / version, "--name", "gov-kb", "--plain", "--json"]
    settings = {
        "INGESTION_INDEX": "gov-kb-test",
        "INGESTION_EMBED_URL": embed_url,
        "INGESTION_QDRANT_URL": stack.qdrant_url,
        "INGESTION_QDRANT_API_KEY": stack.qdrant_api_key,
        "INGESTION_STATE_DIR": str(stack.state_dir),
    }
    done = subprocess.run(command, env=stack.env | settings, capture_output=True, text=True)
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == {"complete": 0, "partial": 3}[report["status"]], report["error"]
    return report


def expected_outcomes(old: str, new: str) -> dict[str, str]:
    """What a sync keyed by path must find, from the data set's own list of changes."""
    outcomes = {}
    for line in (GOV_KB / "changes.jsonl").read_text().splitlines():
        change = json.loads(line)
        if (change["from"], change["to"]) != (old, new):
            continue
        before = (change["old_path"] or "").removeprefix(f"{old}/")
        after = (change["new_path"] or "").removeprefix(f"{new}/")
        if before == after:
            outcomes[after] = "unchanged" if change["op"] == "unchanged" else "modified"
            continue
        if before:
            outcomes[before] = "deleted"
        if after:
            outcomes[after] = "added"
    return outcomes


@pytest.fixture(scope="module")
def reports(stack: Stack, hash_embedder_url: str) -> dict[str, dict[str, Any]]:
    """Reports of v1, v2, v3 and v3 again."""
    return {
        name: sync(name[:2], stack, hash_embedder_url) for name in ("v1", "v2", "v3", "v3 again")
    }


def test_every_file_of_the_first_version_is_added(reports: dict[str, dict[str, Any]]) -> None:
    files = {
        file.relative_to(GOV_KB / "v1").as_posix()
        for file in (GOV_KB / "v1").rglob("*")
        if file.is_file()
    }
    assert reports["v1"]["outcomes"] == dict.fromkeys(files, "added")


@pytest.mark.parametrize(("old", "new"), [("v1", "v2"), ("v2", "v3")])
def test_outcomes_agree_with_the_list_of_changes_by_path(
    reports: dict[str, dict[str, Any]], old: str, new: str
) -> None:
    expected = expected_outcomes(old, new)
    outcomes = reports[new]["outcomes"]

    assert outcomes.keys() == expected.keys()
    differing = {path for path in expected if outcomes[path] != expected[path]}
    quarantined = {entry["path"]: entry["reason"] for entry in reports[new]["quarantined"]}
    assert differing == quarantined.keys()


def test_only_an_empty_page_is_quarantined_and_with_its_reason(
    reports: dict[str, dict[str, Any]],
) -> None:
    reasons = {entry["path"]: entry["reason"] for entry in reports["v3"]["quarantined"]}

    assert reports["v1"]["quarantined"] == reports["v2"]["quarantined"] == []
    assert reasons == {"handbook/pages/about-us/mission.md": "it has no text"}


def test_moves_are_reported_by_content(reports: dict[str, dict[str, Any]]) -> None:
    assert [len(reports[version]["moves"]) for version in ("v1", "v2", "v3")] == [0, 6, 1]


def test_a_second_run_over_the_last_version_embeds_and_writes_nothing(
    reports: dict[str, dict[str, Any]],
) -> None:
    again = reports["v3 again"]

    assert set(again["outcomes"].values()) == {"unchanged", "quarantined"}
    assert (again["chunks_embedded"], again["chunks_written"], again["chunks_swept"]) == (0, 0, 0)
