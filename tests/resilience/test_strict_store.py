"""A strict vector store serves whatever the application asks of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
from tests.fakes.vectorstore_server import Server
from tests.resilience.conftest import KEY, LEAVE, Application, World, model


def test_retrieval_answers_and_documents_pass_on_a_strict_store(
    world: World, start: Callable[..., Application], tmp_path: Path
) -> None:
    store = Server(tmp_path / "vectors", VECTORSTORE_STRICT="true").start()
    try:
        strict = replace(world, store=store, folder=tmp_path)
        assert strict.sync({"leave": LEAVE.format(26)}, "faultline").status == "complete"
        with model() as server:
            application = start(server.url, qdrant_url=store.url)
            headers = {"Authorization": f"Bearer {KEY}"}
            with httpx.Client(base_url=application.url, headers=headers, timeout=60) as client:
                for mode in ("hybrid", "dense", "sparse"):
                    asked = {"q": "How long is parental leave?", "mode": mode}
                    found = client.get("/v1/search", params=asked)
                    assert found.status_code == 200, found.text
                    assert found.json()["passages"], found.text
                for path in ("/v1/documents/handbook/leave.md", "/v1/status"):
                    assert client.get(path).status_code == 200, path
                reply = client.post("/v1/ask", json={"question": "How long is parental leave?"})
                assert reply.status_code == 200, reply.text
                assert not reply.json()["degraded"]
    finally:
        store.stop()
