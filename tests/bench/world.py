"""What is measured: a vector store and an embedder as processes, and syncs in this one."""

import gc
import importlib.util
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.status import RunReport
from ingestion.documents.parse_pool import Limits, ParsePool
from ingestion.settings import Settings
from ingestion.sync.request import SyncRequest, request_for
from ingestion.sync.retry import retried
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services

ROOT = Path(__file__).parents[2]
START_SECONDS = 180  # torch is slow to import
WRITES = (
    "upsert",
    "delete",
    "set_payload",
    "batch_update_points",
    "create_collection",
    "create_payload_index",
    "update_collection_aliases",
)


class NotMeasured(Exception):
    """Something that a figure needs is not here; the text says what to do."""


@dataclass
class Counted:
    """Passes every call on to what it stands for; counts and, where wanted, keeps some of them."""

    inner: Any
    names: tuple[str, ...]
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.inner, name)
        if name not in self.names:
            return attribute

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(args)
            return attribute(*args, **kwargs)

        return counted


@dataclass
class World:
    """One store and one embedder; every sync goes into an index that the caller names."""

    folder: Path  # for sources and state
    settings: Settings
    embedder: Counted
    store: Counted

    def sync(self, source: Path, index: str) -> tuple[float, RunReport]:
        """Sync a folder; the seconds that it took, and its report."""
        request = self.request(source, index)
        limits = self.settings.parse_seconds, self.settings.parse_cpu_seconds
        pool = ParsePool(Limits(*limits, self.settings.parse_memory_mb))  # as `Services.of` has it
        services = Services(self.embedder, self.store, pool.parse, pool.close)  # type: ignore[arg-type]
        started = time.perf_counter()
        report, _ = run_sync(request, self.settings, services, retried)
        seconds = time.perf_counter() - started
        assert report.status != "failed", report.error
        return seconds, report

    def request(self, source: Path, index: str) -> SyncRequest:
        """What to sync: the folder as the source "bench"."""
        return request_for(source, self.settings, source="bench", index=index)

    def drop(self, index: str) -> None:
        """Remove the collections of an index, so that the next round starts as this one did."""
        self.embedder.calls.clear()
        self.store.calls.clear()
        for each in self.store.get_collections().collections:
            if each.name.startswith(f"{index}-"):
                self.store.delete_collection(each.name)


@contextmanager
def world(folder: Path, real_embedder: bool) -> Iterator[World]:
    """Start the store and an embedder on free ports; both end with the block."""
    with ExitStack() as stack:
        store_url, store_port = _free()
        stack.enter_context(
            _process(
                "vectorstore",
                [".venvs/vectorstore/bin/vectorstore", "serve"],
                store_port,
                VECTORSTORE_PORT=str(store_port),
                VECTORSTORE_PATH=str(folder / "vectors"),
            )
        )
        embed_url, embed_port = _free()
        if real_embedder:
            command = [".venvs/embed/bin/serving", "embed"]
        else:
            fake = "tests/fakes/hash_embedder.py"
            command = [".venvs/ingestion/bin/python", fake, "--port", str(embed_port)]
        stack.enter_context(
            _process(
                "embedder",
                command,
                embed_port,
                SERVING_EMBED_PORT=str(embed_port),
                SERVING_EMBED_REMEMBERED="0",  # an arm must not find the vectors of the one before
            )
        )
        settings = Settings(
            qdrant_url=store_url, embed_url=embed_url, state_dir=folder / "state", sources={}
        )
        services = Services.of(settings)
        gc.freeze()  # as the command does once it is loaded
        embedder = Counted(services.embedder, ("embed",))
        yield World(folder, settings, embedder, Counted(services.store, WRITES))


@contextmanager
def prefect_server(world: World) -> Iterator[None]:
    """A Prefect server, and what the flow reads from its environment, while the block runs."""
    url, port = _free()
    os.environ |= {
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_API_AUTH_STRING": "bench",
        "INGESTION_PREFECT_AUTH_STRING": "bench",
        "PREFECT_HOME": str(world.folder / "prefect"),
        "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "INGESTION_QDRANT_URL": world.settings.qdrant_url,
        "INGESTION_EMBED_URL": world.settings.embed_url,
        "INGESTION_STATE_DIR": str(world.settings.state_dir),
    }
    command = [".venvs/ingestion/bin/ingestion", "prefect", "--port", str(port)]
    with _process("Prefect server", command, port):
        yield


def _free() -> tuple[str, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}", port


@contextmanager
def _process(name: str, command: list[str], port: int, **variables: str) -> Iterator[None]:
    if not (ROOT / command[0]).exists():
        raise NotMeasured(f"the {name} is not installed ({command[0]}): run `make install`")
    quiet = {"OMP_WAIT_POLICY": "passive"}  # idle threads that spin would slow the other arm
    env = os.environ | quiet | variables
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + START_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise NotMeasured(f"the {name} did not start: {' '.join(command)} says why")
                time.sleep(0.1)  # polling, not waiting: the condition decides
            yield
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def origin() -> dict[str, str]:
    """Command, commit, date, machine and load, as evals records them; its module is run by path."""
    path = ROOT / "evals" / "src" / "evals" / "machine.py"
    spec = importlib.util.spec_from_file_location("machine", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = vars(module.origin())
    return found | {"machine": f"{found['machine']}, load {os.getloadavg()[0]:.1f}"}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Merge results into a file: the same id replaces, others stay (docs/architecture.md, 7)."""
    before = json.loads(path.read_text()) if path.is_file() else []
    merged = {row["id"]: row for row in [*before, *rows]}
    path.write_text(json.dumps([*merged.values()], indent=2, ensure_ascii=False) + "\n")
