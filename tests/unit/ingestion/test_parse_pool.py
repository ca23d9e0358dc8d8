"""A document that breaks its parser costs its process, and nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from tests.fakes.parsers import parse

from ingestion.documents.parse_pool import Limits, ParsePool
from ingestion.errors import DocumentError, IngestionError

ROOT = Path(__file__).parents[3]
GOOD = b"# Keys\n\nThey are in the cupboard."


@pytest.fixture(scope="module")
def pool() -> Iterator[ParsePool]:
    pool = ParsePool(Limits(seconds=300, cpu_seconds=1, memory_mb=300), parse)
    yield pool
    pool.close()


def read(pool: ParsePool, raw: bytes) -> str:
    return pool.parse(raw, "markdown", "a.md").text


def test_a_document_is_read_in_another_process_as_it_would_be_here(pool: ParsePool) -> None:
    assert pool.parse(GOOD, "markdown", "keys.md") == parse(GOOD, "markdown", "keys.md")
    assert read(pool, b"process") != str(os.getpid())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"spin", "it took more than 1 s of processor time to read"),
        (b"hog", "reading it needs more than 300 MB of memory"),
        (b"x" * 101_000_000, "reading it needs more than 300 MB of memory"),
        (b"segfault", r"its parser crashed \(SIGSEGV\): it is damaged, or needs over 300 MB"),
        (b"exit", r"its parser crashed \(exit code 3\)"),
        (b"panic", r"it cannot be read as docx \(index out of bounds\)"),
        (b"no zip", r"it cannot be read as docx \(BadZipFile"),
    ],
)
def test_one_that_breaks_its_parser_says_why_and_the_next_is_read(
    pool: ParsePool, raw: bytes, reason: str
) -> None:
    with pytest.raises(DocumentError, match=reason):
        pool.parse(raw, "docx", "a.docx")

    assert "cupboard" in read(pool, GOOD)


def test_one_that_hangs_is_given_up(pool: ParsePool) -> None:
    hasty = ParsePool(Limits(seconds=0.2, cpu_seconds=1, memory_mb=300), parse)
    try:
        with pytest.raises(DocumentError, match=r"it took more than 0\.2 s to read"):
            read(hasty, b"hang")
    finally:
        hasty.close()


def test_two_threads_share_the_processes_and_crashes_of_one_do_not_harm_the_other(
    pool: ParsePool,
) -> None:
    def outcome(raw: bytes) -> str:
        try:
            return read(pool, raw)
        except DocumentError as error:
            return str(error)

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(outcome, [GOOD, b"segfault"] * 10))

    assert all("cupboard" in text for text in outcomes[::2])
    assert all("SIGSEGV" in reason for reason in outcomes[1::2])


def test_processes_that_died_while_idle_are_started_again(pool: ParsePool) -> None:
    for _ in range(2):
        os.kill(int(read(pool, b"process")), signal.SIGKILL)

        assert "cupboard" in read(pool, GOOD)


def test_processes_that_cannot_be_started_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ParsePool(Limits(seconds=300, cpu_seconds=1, memory_mb=300), parse)

    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")  # what a server that did not start leaves behind

    monkeypatch.setattr(pool, "_result", broken)

    with pytest.raises(IngestionError, match=r"cannot be started \(.*\): may this user run /"):
        read(pool, GOOD)
    pool.close()


def test_a_closed_pool_starts_again_with_the_next_document(pool: ParsePool) -> None:
    before = read(pool, b"process")

    pool.close()
    pool.close()

    assert read(pool, b"process") != before
    with pytest.raises(ProcessLookupError):
        os.kill(int(before), 0)


SYNC = """
import signal, sys
from pathlib import Path
from qdrant_client import QdrantClient
from ingestion.documents.parse_pool import Limits, ParsePool
from tests.fakes.parsers import parse
from tests.unit.ingestion.conftest import World

def reading(raw, format, path):
    print("reading", flush=True)
    return pool.parse(raw, format, path)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
pool = ParsePool(Limits(seconds=300, cpu_seconds=1, memory_mb=300), parse)
store = QdrantClient(":memory:")
World(Path(sys.argv[1]), Path(sys.argv[2]), store, parse=reading, close=pool.close).sync()
"""


@pytest.mark.parametrize(
    ("document", "end"),
    [("hang", signal.SIGINT), ("spin", signal.SIGKILL)],
)
def test_a_sync_that_is_ended_leaves_no_process(
    tmp_path: Path, document: str, end: signal.Signals
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(document)
    command = [sys.executable, "-W", "ignore", "-c", SYNC, tmp_path / "docs", tmp_path / "state"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, start_new_session=True
    ) as sync:
        assert sync.stdout
        assert sync.stdout.readline() == b"reading\n"
        while sync.poll() is None:  # the first Ctrl-C waits for the batch, the second does not
            os.kill(sync.pid, signal.SIGKILL) if end == signal.SIGKILL else os.killpg(sync.pid, end)
            with suppress(subprocess.TimeoutExpired):
                sync.wait(timeout=1)
        # Each of its processes holds these pipes: they end when the last of them has ended.
        sync.communicate(timeout=100)


def test_the_main_module_is_not_imported_again_by_each_process(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(
        "print('imported', flush=True)\n"
        "if __name__ == '__main__':\n"
        "    from ingestion.documents.parse_pool import Limits, ParsePool\n"
        "    pool = ParsePool(Limits(seconds=60, cpu_seconds=10, memory_mb=300))\n"
        "    print(pool.parse(b'# Keys', 'markdown', 'a.md').text)\n"
        "    pool.close()\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["imported", "#", "Keys"]
