"""F13: a full disk and a damaged write-ahead log are refused plainly, and a sync mends them."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import vectorstore_server
from tests.fakes.vectorstore_server import Server
from tests.fault.conftest import dump
from tests.resilience.conftest import LEAVE, World

DISK_MEGABYTES = 48
DOCUMENTS = 40


def texts(edition: int) -> dict[str, str]:
    return {f"page{n}": f"{LEAVE.format(edition)} Site {n}. " * 20 for n in range(DOCUMENTS)}


def lost(world: World, edition: int) -> int:
    """Documents of this edition that the index does not hold, and chunks that it should not."""
    found = dump(world.client(), "store").values()
    chunks = [each for each in found if "ordinal" in each]
    named = {each["document_id"] for each in chunks if f"{edition} weeks" in each["text"]}
    return DOCUMENTS - len(named) + sum(f"{edition} weeks" not in c["text"] for c in chunks)


@contextmanager
def on_a_small_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A store in a file system of its own, which only its process sees."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={DISK_MEGABYTES}m tmpfs {folder}"
    private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*private, mount], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine lets no process mount a small disk of its own")
    script = folder.parent / "vectorstore"
    serve = f"exec {vectorstore_server.command()} serve"
    script.write_text(f"#!/bin/sh\nexec {' '.join(private)} '{mount} && {serve}'\n")
    script.chmod(0o755)
    monkeypatch.setattr(vectorstore_server, "command", lambda: str(script))
    server = Server(folder / "store").start()
    yield server
    server.stop()


def test_a_full_disk_fails_a_sync_plainly_and_the_next_one_loses_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resilience: Callable[..., None]
) -> None:
    with on_a_small_disk(tmp_path / "disk", monkeypatch) as server:
        small = World(server, world.embedder, tmp_path)
        assert small.sync(texts(26), "store").status == "complete"
        before = dump(small.client(), "store")
        inside = Path(f"/proc/{server.process.pid}/root") / str(tmp_path / "disk")[1:]
        filler = inside / "filler"
        fill(filler)
        failure = failed_sync(small, 52)
        assert "No space left" in failure
        visible = committed(dump(small.client(), "store"))
        assert visible == committed(before)  # readers see what they saw
        filler.unlink()
        assert small.sync(texts(52), "store").status == "complete"
        gone = lost(small, 52)
    resilience("F13_lost", "full disk, damaged log: documents lost after a sync", gone, DOCUMENTS)
    assert gone == 0


def fill(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as opened, suppress(OSError):
        while opened.write(bytes(65_536)):
            pass


def failed_sync(world: World, edition: int) -> str:
    try:
        report = world.sync(texts(edition), "store")
    except Exception as error:  # noqa: BLE001 - its words are what is tested
        return str(error)
    assert report.status == "failed"
    return report.error or ""


def committed(found: dict[str, Any]) -> dict[str, Any]:
    """The versions that manifests name."""
    return {e["document_id"]: e["version"] for e in found.values() if e.get("kind") == "document"}


@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_a_damaged_end_of_the_write_ahead_log_shows_no_mixture_and_a_sync_mends_it(
    world: World, tmp_path: Path, damage: str
) -> None:
    server = Server(tmp_path / "store").start()
    small = World(server, world.embedder, tmp_path)
    assert small.sync(texts(26), "store").status == "complete"
    assert small.sync(texts(52), "store").status == "complete"
    server.stop(signal.SIGKILL)
    logs = [p for p in (tmp_path / "store").rglob("*") if p.is_file() and "wal" in p.parts]
    assert logs
    for log in logs:
        content = log.read_bytes()
        used = len(content.rstrip(b"\0"))
        with log.open("r+b") as file:
            if damage == "cut":
                file.truncate(max(0, used - 100))
            elif damage == "empty":
                file.truncate(0)
            else:
                file.seek(max(0, used - 64))
                file.write(os.urandom(64))
    if refusal := refusal_of(server):  # it says so, and what to do
        assert "vectorstore:" in refusal
        assert "Traceback" not in refusal
        shutil.rmtree(tmp_path / "store")
        server.start()
    assert small.sync(texts(52), "store").status == "complete"
    gone = lost(small, 52)
    server.stop()
    assert gone == 0


def refusal_of(server: Server) -> str:
    """What a store says that does not start; empty where it does."""
    try:
        server.start()
    except RuntimeError as error:
        return str(error)
    return ""
