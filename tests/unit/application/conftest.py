"""A client of the whole application, with the ports faked behind it."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.application import (
    FakeAnswerLog,
    FakeChatModel,
    FakeManifests,
    FakePrompt,
    FakeRetriever,
    answerer,
    passage,
)

from application.access import KeyRing
from application.adapters.events import AnswerEvents
from application.bootstrap import create_app
from application.bundle_store import BundleStore
from application.conversation import Conversations
from application.dependencies import Services
from application.doors.feedback_box import FeedbackBox
from application.metrics import Metrics
from application.releases import Releases
from application.settings import PACKAGE, Settings
from contracts.status import Check, Readiness

PROBE_KEY = "probe-key"


def edit(path: Path, old: str, new: str) -> None:
    """Replaces words in a file, as a person would, in place."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """The TOML of a copy of the bundle, to edit; its prompts lie beside it."""
    folder = tmp_path / "live"
    shutil.copytree(PACKAGE / "prompts", folder / "prompts")
    shutil.copy(PACKAGE / "bundle.toml", folder)
    return folder / "bundle.toml"


class FakeReadiness:
    """Says what it was told."""

    def __init__(self, status: str) -> None:
        self.status = status

    async def check(self) -> Readiness:
        checks = {"index": Check(ok=self.status != "down", detail="as told")}
        return Readiness.model_validate({"status": self.status, "checks": checks})


class Application:
    """A running application: its HTTP client, a key, and the fakes behind it."""

    def __init__(self, client: httpx.AsyncClient, key: str, parts: dict[str, Any]) -> None:
        self.client = client
        self.auth = {"Authorization": f"Bearer {key}"}
        self.retriever: FakeRetriever = parts["retriever"]
        self.log: FakeAnswerLog = parts["log"]
        self.model: FakeChatModel = parts["model"]
        self.keys: KeyRing = parts["keys"]

    async def ask(self, question: str, stream: bool = False, **headers: str) -> httpx.Response:
        body = {"question": question, "stream": stream}
        sent = self.auth | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post("/v1/ask", json=body, headers=sent)


Running = Callable[..., AbstractAsyncContextManager[Application]]


@pytest.fixture
def application(tmp_path: Path) -> Running:
    @asynccontextmanager
    async def run(
        *pieces: str | Exception,
        retriever: FakeRetriever | None = None,
        ready: str = "ready",
        **settings: Any,
    ) -> AsyncIterator[Application]:
        defaults = {
            "state_dir": tmp_path,
            "probe_key_sha256": sha256(PROBE_KEY.encode()).hexdigest(),
        }
        made = Settings(**defaults | settings)
        metrics, log = Metrics(), FakeAnswerLog()
        answers = AnswerEvents(tmp_path / "events" / "answers.jsonl")
        found = retriever or FakeRetriever([passage()])
        model = FakeChatModel(*pieces)
        use_case = answerer(model, retriever=found, log=log, also_log=[metrics, answers])
        keys = KeyRing(made.keys_file)
        bundles = BundleStore(made.state_dir / "bundles", made.bundle)
        assert bundles.live  # read at the start, as in bootstrap
        app = create_app(made, metrics)
        app.state.services = Services(
            settings=made,
            build="0.1.0+test",
            keys=keys,
            bundles=bundles,
            releases=Releases(bundles, made.state_dir, "0.1.0+test"),
            retriever=found,
            manifests=FakeManifests(),
            answerer=use_case,
            feedback=FeedbackBox(
                answers,
                AnswerEvents(tmp_path / "events" / "feedback.jsonl"),
                found,
            ),
            conversations=Conversations(use_case, FakePrompt(), model),
            readiness=FakeReadiness(ready),  # type: ignore[arg-type]  # the one without a port
            metrics=metrics,
        )
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            key = keys.create("default", ["default"])
            yield Application(
                client, key, {"retriever": found, "log": log, "model": model, "keys": keys}
            )

    return run
