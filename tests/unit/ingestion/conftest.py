"""A folder to sync, an index in memory, and an embedder without a model."""

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models
from typer.testing import CliRunner, Result

from contracts.index import manifest_alias
from contracts.status import RunReport
from ingestion.commands import cli
from ingestion.operate import freshness
from ingestion.parse import parse
from ingestion.settings import Settings
from ingestion.sync import services as of_sync
from ingestion.sync.request import request_for
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services

FAKES = Path(__file__).parents[2] / "fakes"


def load_fake(name: str) -> Any:
    """A module of tests/fakes, which is no package."""
    spec = importlib.util.spec_from_file_location(name, FAKES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hash_embedder = load_fake("hash_embedder")


@dataclass
class World:
    """A source folder, and all that a sync of it works with."""

    folder: Path
    state_dir: Path
    store: QdrantClient
    embedder: Any = field(default_factory=hash_embedder.HashEmbedder)
    notes: list[str] = field(default_factory=list)
    parse: Any = parse
    close: Callable[[], None] = lambda: None

    def write(self, path: str, content: str | bytes) -> Path:
        """Put a file into the source."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def sync(self, wrap: Callable[[Any], Any] = lambda run: run, **options: Any) -> RunReport:
        """Sync the folder as the source "docs", or whatever the options say."""
        settings = Settings(state_dir=self.state_dir)
        location = options.pop("location", self.folder)
        request = request_for(location, settings, **{"source": "docs", **options})
        services = Services(self.embedder, self.store, self.parse, self.close)
        report, self.notes = run_sync(request, settings, services, wrap)
        return report

    def chunks(self, index: str = "faultline") -> dict[str, dict[str, Any]]:
        """Payloads of every chunk by point id, without run ids."""
        return {str(p.id): {**p.payload, "run_id": ""} for p in self._points(index)}

    def manifests(self, index: str = "faultline") -> dict[str, dict[str, Any]]:
        """Payloads of every document's manifest, by path."""
        points = self._points(manifest_alias(index))
        return {p.payload["path"]: p.payload for p in points if p.payload["kind"] == "document"}

    def visible_texts(self) -> set[str]:
        """Texts of the chunks that a reader would show: those that a manifest names."""
        active = {(m["document_id"], m["version"]) for m in self.manifests().values()}
        chunks = self.chunks().values()
        return {c["text"] for c in chunks if (c["document_id"], c["version"]) in active}

    def ids(self, collection: str) -> list[str]:
        """Ids of every point of a collection."""
        return [str(point.id) for point in self._points(collection)]

    def _points(self, collection: str) -> list[models.Record]:
        return self.store.scroll(collection, limit=100_000)[0]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "docs"
    folder.mkdir()
    with warnings.catch_warnings():
        # qdrant-client in memory says that payload indexes have no effect there.
        warnings.filterwarnings("ignore", "Payload indexes have no effect")
        store = QdrantClient(":memory:")
        yield World(folder, tmp_path / "state", store)
        store.close()


@pytest.fixture(scope="session")
def new_world() -> type[World]:
    return World


@pytest.fixture
def ingestion(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command against the world in memory."""
    for name in ("PREFECT_API_URL", "INGESTION_SOURCES", "INGESTION_SOURCES_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INGESTION_STATE_DIR", str(world.state_dir))
    services = Services(world.embedder, world.store)
    monkeypatch.setattr(of_sync.Services, "of", lambda settings: services)
    monkeypatch.setattr(freshness, "connect", lambda *_: world.store)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])

    return run
