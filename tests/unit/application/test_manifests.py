"""The models' manifests as the application sees them."""

import aiohttp
import pytest
from tests.fakes.openai_server import running

from application.adapters import manifests as module
from application.adapters.manifests import UNKNOWN, EndpointManifests
from application.upstream import Deadline


class Session:
    """Answers each GET as the script says; the last word holds."""

    def __init__(self, *script: Exception | int) -> None:
        self.script = list(script)
        self.asked: list[str] = []

    def get(self, url: str, **_: object) -> "Session":
        self.asked.append(url)
        return self

    async def __aenter__(self) -> "Session":
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        self.status = said
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def raise_for_status(self) -> None:
        raise aiohttp.ClientError(str(self.status))


def manifests(session: Session) -> EndpointManifests:
    """Of a chat model at http://llm."""
    return EndpointManifests(session, "http://llm/v1", None, "http://embed", None)  # type: ignore[arg-type]  # scripted


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKED_AGAIN_SECONDS", 0)


async def test_a_chat_model_that_is_still_starting_is_asked_until_it_answers() -> None:
    session = Session(aiohttp.ClientError("refused"), TimeoutError(), 200)
    await manifests(session).prepare()
    assert session.asked == ["http://llm/manifest"] * 3


async def test_an_endpoint_that_has_no_manifest_is_asked_once() -> None:
    session = Session(404)
    await manifests(session).prepare()
    assert len(session.asked) == 1
    assert await manifests(session).llm(Deadline(5)) == UNKNOWN


async def test_a_hanging_manifest_is_given_up_at_the_deadline_of_the_request() -> None:
    with running(hanging=["/manifest"]) as server:
        async with aiohttp.ClientSession() as http:
            asked = EndpointManifests(http, server.url, None, server.url, None)
            deadline = Deadline(0.05)
            assert await asked.embedder(deadline) == UNKNOWN
            assert deadline.remaining() == 0
            assert await asked.llm(deadline) == UNKNOWN  # no time is left to ask
            assert len(server.script.requests) == 1


async def test_a_server_without_a_manifest_is_not_asked_again_for_each_answer() -> None:
    with running() as server:
        async with aiohttp.ClientSession() as http:
            asked = EndpointManifests(http, server.url, None, server.url, None)
            for _ in range(3):
                assert await asked.llm(Deadline(5)) == UNKNOWN
            assert len(server.script.requests) == 1
