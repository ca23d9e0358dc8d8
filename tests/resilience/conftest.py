"""Real processes on loopback: the vector store with documents, and the application before it.

Only the models are stand-ins: a hash embedder and the scripted model server of `tests/fakes`.
"""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from qdrant_client import QdrantClient
from tests.fakes import hash_embedder
from tests.fakes.openai_server import MODEL, Server, running
from tests.fakes.vectorstore_server import KEY as STORE_KEY
from tests.fakes.vectorstore_server import READER
from tests.fakes.vectorstore_server import Server as VectorStore
from tests.fault.conftest import noted

from contracts.status import RunReport
from ingestion.index.store import connect
from ingestion.settings import Settings
from ingestion.sources.settings import SourceSettings
from ingestion.sync.request import request_for
from ingestion.sync.run import run_sync
from ingestion.sync.services import Services

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / ".venvs" / "application" / "bin" / "application"
KEY = "fl_resilience"
KEY_LINE = '{{"sha256": "{}", "tenant": "default", "namespaces": ["default"]}}\n'
STARTED = re.compile(r"Uvicorn running on (http://\S+)")
START_SECONDS = 240  # on a machine that others use as well
LEAVE = "Parental leave is {} weeks at full pay. Ask your manager for form P-17 by 1 March."
SAID = "Parental leave is 26 weeks at full pay."


class Application:
    """`application serve` in a process of its own."""

    def __init__(self, state: Path, settings: dict[str, Any]) -> None:
        (state / "secrets").mkdir(parents=True, exist_ok=True)
        line = KEY_LINE.format(sha256(KEY.encode()).hexdigest())
        (state / "secrets" / "api-keys.jsonl").write_text(line)
        settings = {"answer_profile": "standard", **settings}  # it asks the model once a question
        given = {f"APPLICATION_{name.upper()}": str(value) for name, value in settings.items()}
        kept = {name: at for name, at in os.environ.items() if not name.startswith("APPLICATION_")}
        self.process = subprocess.Popen(
            [str(COMMAND), "serve"],
            env=kept | given | {"APPLICATION_STATE_DIR": str(state), "APPLICATION_PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        try:
            self.url = self.wait_for(STARTED, START_SECONDS)
        except BaseException:
            self.stop()  # nobody else knows of it yet
            raise

    def _listen(self) -> None:
        for line in self.process.stdout:
            with self._news:
                self.said.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, pattern: re.Pattern[str], seconds: float) -> str:
        """The first group, or all, of the first line that matches."""

        def found() -> re.Match[str] | None:
            return pattern.search("".join(self.said))

        with self._news:
            self._news.wait_for(lambda: found() or self._ended, seconds)
        match = found()
        assert match, f"the application did not say {pattern.pattern!r}: {''.join(self.said)}"
        return match[1] if match.groups() else match[0]

    @property
    def tracebacks(self) -> int:
        """Errors that nothing expected."""
        return "".join(self.said).count("Traceback (most recent call last)")

    @property
    def resident_bytes(self) -> int:
        """Memory of the process now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, at once where it does not end."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._listener.join()
        self.process.stdout.close()


@dataclass
class World:
    """What the application finds behind it."""

    store: VectorStore
    embedder: str
    folder: Path

    def client(self) -> QdrantClient:
        """Writes to the vector store."""
        return connect(self.store.url, SecretStr(STORE_KEY), 30)

    def sync(self, texts: dict[str, str], index: str, state: Path | None = None) -> RunReport:
        """Ingest these documents as the whole of one source."""
        folder = self.folder / f"source-{index}"
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.md"):
            old.unlink()
        for name, text in texts.items():
            (folder / f"{name}.md").write_text(f"# {name}\n\n{text}\n", encoding="utf-8")
        settings = Settings(
            state_dir=state or self.folder / f"state-{index}", max_dropped=1, max_damaged=1
        )
        reads = SourceSettings.model_validate(folder)
        request = request_for(folder, settings, source="handbook", index=index, reads=reads)
        services = Services(hash_embedder.HashEmbedder(), self.client())
        return run_sync(request, settings, services, lambda run_batch: run_batch)[0]

    def settings(self, llm_url: str, **changes: Any) -> dict[str, Any]:
        """The application's settings, by name."""
        return {
            "qdrant_url": self.store.url,
            "qdrant_api_key": READER,
            "embed_url": self.embedder,
            "llm_url": llm_url,
            "llm_model": MODEL,
            "quota": "1000000/minute",
            "max_in_flight": 64,
            "max_in_flight_per_key": 1000,
        } | changes


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if not COMMAND.exists():
        pytest.skip("the application's environment is not installed: run `make install`")
    embedder = Server(("127.0.0.1", 0), hash_embedder.Handler)
    thread = threading.Thread(target=embedder.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    store = VectorStore(tmp_path_factory.mktemp("vectorstore")).start()
    address = f"http://127.0.0.1:{embedder.server_port}"
    built = World(store, address, tmp_path_factory.mktemp("sources"))
    try:
        built.sync(
            {"leave": LEAVE.format(26), "travel": "Trains are booked by form T-4."}, "faultline"
        )
        yield built
    finally:
        store.stop()
        embedder.shutdown()
        thread.join()
        embedder.server_close()


Start = Callable[..., Application]


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Start]:
    """Starts an application before a model at `llm_url`; it ends with the test."""
    with ExitStack() as stack:
        numbers = iter(range(99))

        def start(llm_url: str, **settings: Any) -> Application:
            state = tmp_path / f"application{next(numbers)}"
            application = Application(state, world.settings(llm_url, **settings))
            stack.callback(application.stop)
            return application

        yield start


@contextmanager
def model(**script: Any) -> Iterator[Any]:
    """The scripted model server; it says what the documents say."""
    with running(**{"reply": lambda _: SAID} | script) as server:
        yield server


@pytest.fixture(scope="session")
def resilience() -> Iterator[Callable[..., None]]:
    """Notes a figure in the file RESILIENCE, from which `make test-long` publishes it."""
    with noted("RESILIENCE") as note:
        yield note
