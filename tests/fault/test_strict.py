"""A store in strict mode, as Qdrant Cloud's are, refuses a filter by a field without an index."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fakes.hash_embedder import HashEmbedder
from tests.fakes.vectorstore_server import KEY, Server
from typer.testing import CliRunner

from contracts.status import RunReport
from ingestion.commands import cli
from ingestion.index.lease import Lease
from ingestion.index.store import connect
from ingestion.operate import freshness
from ingestion.settings import Settings
from ingestion.sync import services as of_sync
from ingestion.sync.request import request_for
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services

PAGE = "# {0}\n\nThe {0} is kept in the cupboard next to the door.\n"
COMMANDS = (
    "status",
    "rollback",
    "resume",
    "lineage docs/a.md",
    "audit docs",
    "quarantine list",
    "unpin good",
    "remove docs --yes",
)


class Killed(BaseException):
    """What SIGKILL looks like from inside."""


def dies(*_: object) -> int:
    raise Killed


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "vectors", VECTORSTORE_STRICT="true").start()
    yield server
    server.stop()


@pytest.fixture
def sync(strict: Server, tmp_path: Path) -> Callable[..., RunReport]:
    def sync(**options: Any) -> RunReport:
        settings = Settings(state_dir=tmp_path / "state", max_dropped=1, max_damaged=1)
        request = request_for(tmp_path / "docs", settings, source="docs", **options)
        services = Services(HashEmbedder(), connect(strict.url, SecretStr(KEY), 30))
        return run_sync(request, settings, services, lambda run_batch: run_batch)[0]

    return sync


def test_a_whole_life_of_a_source_passes_on_a_strict_store(
    strict: Server,
    sync: Callable[..., RunReport],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()

    def write(name: str, text: str) -> None:
        (folder / name).write_text(PAGE.format(text) * 9)

    def command(line: str) -> None:
        with monkeypatch.context() as patched:
            services = Services(HashEmbedder(), connect(strict.url, SecretStr(KEY), 30))
            patched.setenv("INGESTION_STATE_DIR", str(tmp_path / "state"))
            patched.delenv("PREFECT_API_URL", raising=False)
            patched.setattr(of_sync.Services, "of", lambda settings: services)
            patched.setattr(freshness, "connect", lambda *_: services.store)
            done = CliRunner().invoke(cli.app, line.split())
        assert "Index required" not in done.output, (line, done.output)
        assert done.exception is None or isinstance(done.exception, SystemExit), line

    for name in "abcdef":
        write(f"{name}.md", name)
    assert sync().count("added") == 6
    write("a.md", "other")
    (folder / "b.md").unlink()
    (folder / "c.md").rename(folder / "g.md")
    assert sync().status == "complete"
    monkeypatch.setattr(Lease, "silent_seconds", 0.05)
    write("d.md", "killed")
    with monkeypatch.context() as patched:  # a run that dies with its lease in hand
        patched.setattr(Lease, "__exit__", lambda self, *error: self._ended.set())
        patched.setattr("ingestion.index.writer.Index.remove", dies)
        with pytest.raises(Killed):
            sync()
    assert sync().status == "complete"
    assert sync(namespace="staff").status == "complete"
    command("pin good")
    assert sync(namespace="staff", chunk_tokens=100).status == "complete"
    for line in COMMANDS:
        command(line)
