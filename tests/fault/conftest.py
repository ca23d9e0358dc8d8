"""The real vector store, and syncs in processes of their own that may be killed."""

import itertools
import json
import multiprocessing
import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from qdrant_client import QdrantClient
from tests.fakes.hash_embedder import HashEmbedder
from tests.fakes.vectorstore_server import KEY, Server
from tests.fault.corpus import Corpus
from tests.fault.places import Publish, publisher

from contracts.index import manifest_alias
from contracts.status import RunReport
from ingestion.index.store import connect
from ingestion.settings import Settings
from ingestion.sources.settings import SourceSettings
from ingestion.sync.request import request_for
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services

WRITES = ("upsert", "set_payload", "batch_update_points", "delete", "update_collection_aliases")
_processes = multiprocessing.get_context("fork")  # a start costs milliseconds, not an import


class Lab:
    """A corpus, an index of it in the real store, and one of the same in memory to compare with."""

    def __init__(self, server: Server, folder: Path, index: str, seed: int, documents: int) -> None:
        self.server, self.index = server, index
        self.corpus = Corpus(folder / "source", seed, documents)
        self.publish: Publish = partial(SourceSettings.model_validate, self.corpus.folder)
        self.namespace: str | None = None
        self._reads = self.publish()
        self._state = folder / "state"

    def store(self) -> QdrantClient:
        """A client of the real store."""
        return connect(self.server.url, SecretStr(KEY), 30)

    def sync(
        self, store: QdrantClient | None = None, state: Path | None = None, source: str = "docs"
    ) -> RunReport:
        """Sync here and now."""
        # So many changes at once look like a broken export; what guards hold is tested elsewhere.
        settings = Settings(state_dir=state or self._state, max_dropped=1, max_damaged=1)
        request = request_for(
            self.corpus.folder,
            settings,
            source=source,
            index=self.index,
            reads=self._reads,
            namespace=self.namespace,
        )
        services = Services(HashEmbedder(), store or self.store())
        return run_sync(request, settings, services, lambda run_batch: run_batch)[0]

    def change(self, share: float = 0.1) -> None:
        """Change the corpus, and publish it where it is no folder."""
        self.corpus.change(share)
        self._reads = self.publish()

    def start(
        self, store: Callable[[], QdrantClient] | None = None, state: Path | None = None
    ) -> BaseProcess:
        """Start a sync in a process of its own; its exit code is 0 where it was complete."""

        def run() -> None:
            try:
                report = self.sync(store() if store else None, state)
                print(os.getpid(), report.status, report.error or "", flush=True)
                os._exit(0 if report.status == "complete" else 1)
            except BaseException:  # noqa: BLE001 - told, in a process that ends here
                traceback.print_exc()
                os._exit(2)

        process = _processes.Process(target=run)
        process.start()
        return process

    def kill(self, process: BaseProcess, after_seconds: float) -> bool:
        """SIGKILL it then; whether it was still at work."""
        process.join(after_seconds)
        was_alive = process.is_alive()
        process.kill()
        process.join()
        return was_alive

    def seconds(self) -> float:
        """What a sync in a process of its own takes now."""
        began = time.monotonic()
        self.finish()
        return time.monotonic() - began

    def finish(self) -> None:
        """Sync to the end in a process of its own."""
        process = self.start()
        process.join()
        assert process.exitcode == 0

    def dump(self) -> dict[str, Any]:
        """Everything that the index holds: chunks by id, manifests by path."""
        return dump(self.store(), self.index)

    def golden(self, folder: Path) -> dict[str, Any]:
        """What a fresh, uninterrupted sync of the source as it is now gives."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Payload indexes have no effect")
            memory = QdrantClient(":memory:")
            self.sync(memory, folder)
            return dump(memory, self.index)


def dump(store: QdrantClient, index: str) -> dict[str, Any]:
    """Payloads of chunks and manifests, without what tells one run from another."""
    found: dict[str, Any] = {}
    for collection in (index, manifest_alias(index)):
        offset: Any = None
        while True:
            points, offset = store.scroll(collection, limit=1000, offset=offset)
            for point in points:
                told = {"run_id": 0, "committed_at": 0, "token": 0}
                found[str(point.id)] = {**(point.payload or {}), **told}
            if offset is None:
                break
    return found


def dying(store: QdrantClient, nth: int, after: bool) -> QdrantClient:
    """The client, whose process dies before or after its nth write."""
    writes = itertools.count(1)

    def wrapped(write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            is_it = next(writes) == nth
            if is_it and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = write(*args, **kwargs)
            if is_it:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in WRITES:
        setattr(store, name, wrapped(getattr(store, name)))
    return store


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("vectorstore")).start()
    yield server
    server.stop()


@pytest.fixture
def lab(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Lab]:
    def lab(seed: int, documents: int) -> Lab:
        return Lab(server, tmp_path / f"lab{seed}", f"lab{seed}-{documents}", seed, documents)

    return lab


@pytest.fixture
def lab_of(lab: Callable[..., Lab]) -> Iterator[Callable[[str, int, int], Lab]]:
    """Labs whose corpus is a source of another kind."""
    with ExitStack() as stack:

        def lab_of(kind: str, seed: int, documents: int) -> Lab:
            world = lab(seed, documents)
            world.publish = stack.enter_context(publisher(kind, world.corpus.folder))
            world.change()
            return world

        yield lab_of


@contextmanager
def noted(variable: str) -> Iterator[Callable[..., None]]:
    """Notes figures; at the end they go into the file that `variable` names, for publish.py."""
    figures: list[tuple[str, str, float, float]] = []

    def note(id: str, what: str, value: float, n: int | None = None) -> None:
        figures.append((id, what, value, n or value))

    yield note
    if file := os.environ.get(variable):
        Path(file).write_text(json.dumps(figures), encoding="utf-8")


@pytest.fixture(scope="session")
def reliability() -> Iterator[Callable[..., None]]:
    """Notes a figure in the file RELIABILITY, from which `make test-long` publishes it."""
    with noted("RELIABILITY") as note:
        yield note
