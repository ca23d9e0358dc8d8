"""The clients against what the layers answer, errors included."""

import json
import shlex
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from contracts.answer import Answer, Passage, SearchResponse
from contracts.index import ChunkPayload, DocumentManifest
from evals.clients.application import Application
from evals.clients.ingestion import Ingestion
from evals.clients.models import Models
from evals.clients.qdrant import committed_chunks
from evals.errors import SyncFailed, Unavailable
from evals.settings import Settings

SETTINGS = Settings(
    probe_key=SecretStr("probe"), api_key=SecretStr("user"), qdrant_api_key=SecretStr("store")
)


def application(reply: Callable[[httpx.Request], httpx.Response]) -> Application:
    return Application(SETTINGS, "eval-sample", httpx.MockTransport(reply))


def test_a_search_names_index_mode_and_limit_and_carries_its_keys(
    passage: Callable[..., Passage],
) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/search"
        assert dict(request.url.params) == {"q": "leave?", "limit": "7", "mode": "dense"}
        assert request.headers["X-Probe-Index"] == "eval-sample"
        assert request.headers["X-Probe-Key"] == "probe"
        assert request.headers["Authorization"] == "Bearer user"
        found = SearchResponse(passages=[passage("a.md")], index="i", embedder="e", bundle="b")
        return httpx.Response(200, text=found.model_dump_json())

    with application(reply) as stack:
        assert [found.path for found in stack.search("leave?", 7, "dense")] == ["a.md"]


def test_a_question_is_asked_whole(answer: Callable[..., Answer]) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"question": "leave?", "stream": False}
        return httpx.Response(200, text=answer(text="10 days").model_dump_json())

    with application(reply) as stack:
        assert stack.ask("leave?").text == "10 days"


def stream(*events: tuple[str, str]) -> str:
    return "".join(f"event: {name}\ndata: {data}\n\n" for name, data in events)


def test_a_streamed_answer_tells_what_the_model_said(answer: Callable[..., Answer]) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"question": "leave?", "stream": True}
        last = answer(text="The documents say 10 days.").model_dump_json()
        pieces = [("token", '{"text": "10"}'), ("token", '{"text": " days: ok"}')]
        return httpx.Response(200, text=stream(("passages", "[]"), *pieces, ("answer", last)))

    with application(reply) as stack:
        heard = stack.listen("leave?")
    assert (heard.own_words, heard.answer.text) == ("10 days: ok", "The documents say 10 days.")
    assert heard.first_token_ms is not None
    assert heard.first_token_ms <= heard.total_ms


def test_a_model_that_was_not_asked_said_nothing(answer: Callable[..., Answer]) -> None:
    last = answer(status="abstained").model_dump_json()
    with application(lambda _: httpx.Response(200, text=stream(("answer", last)))) as stack:
        heard = stack.listen("leave?")
    assert (heard.own_words, heard.first_token_ms) == ("", None)


@pytest.mark.parametrize(
    ("status", "text", "sentence"),
    [
        (200, stream(("error", '{"title": "t", "status": 503, "detail": "ask later"}')), "later"),
        (200, stream(("passages", "[]")), "ended without an answer"),
        (200, stream(("answer", "{}")), "not in this version's form"),
        (503, '{"title": "t", "status": 503, "detail": "no index yet"}', "no index yet"),
        (401, "{}", "refused our key"),
    ],
)
def test_a_stream_that_ends_badly_is_one_sentence(status: int, text: str, sentence: str) -> None:
    with (
        application(lambda _: httpx.Response(status, text=text)) as stack,
        pytest.raises(Unavailable, match=sentence),
    ):
        stack.listen("leave?")


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, "", "EVALS_PROBE_KEY"),
        (503, '{"title": "x", "status": 503, "detail": "Start the store."}', "Start the store."),
        (500, "<html>", "<html>"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, body: str, sentence: str) -> None:
    with (
        application(lambda request: httpx.Response(status, text=body)) as stack,
        pytest.raises(Unavailable, match=sentence),
    ):
        stack.ask("leave?")


@pytest.mark.parametrize("body", ["<html>", "{}", '{"status": "well"}'])
def test_an_answer_of_another_form_is_a_layer_that_does_not_answer(body: str) -> None:
    with application(lambda request: httpx.Response(200, text=body)) as stack:
        with pytest.raises(Unavailable, match="/v1/ask is not in this version's form"):
            stack.ask("leave?")
        with pytest.raises(Unavailable, match="/v1/status is not in this version's form"):
            stack.status()


@pytest.mark.parametrize("body", ["<html>", "{}", '{"choices": []}', "[]"])
def test_a_model_server_that_replies_otherwise_does_not_answer(body: str) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=body))
    with pytest.raises(Unavailable, match="did not reply as a chat model does"):
        Models(Settings(), transport).reply("http://model", {"messages": []})


def test_an_application_that_is_not_there_is_named_with_its_setting() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with application(refuse) as stack, pytest.raises(Unavailable, match="EVALS_APPLICATION_URL"):
        stack.search("leave?", 5)


def command(tmp_path: Path, report: dict[str, Any] | str, code: int) -> str:
    script = tmp_path / "ingestion.py"
    printed = report if isinstance(report, str) else json.dumps(report)
    script.write_text(
        "import json, pathlib, sys\n"
        f"pathlib.Path({str(tmp_path / 'arguments')!r}).write_text(json.dumps(sys.argv[1:]))\n"
        f"print({printed!r})\nsys.exit({code})\n"
    )
    return shlex.join([sys.executable, str(script)])


REPORT = {
    "run_id": "run",
    "flow_run_id": None,
    "source": "scifact",
    "tenant": "default",
    "index": "bench-scifact",
    "collection": "c",
    "status": "partial",
    "started_at": "2026-11-22T00:00:00Z",
    "seconds": 1.0,
    "outcomes": {"a": "added"},
    "moves": [],
    "quarantined": [],
    "chunks_written": 1,
    "chunks_embedded": 1,
    "chunks_swept": 0,
}


@pytest.mark.parametrize("code", [0, 3])
def test_a_whole_or_partial_run_gives_its_report(tmp_path: Path, code: int) -> None:
    ingestion = Ingestion(command(tmp_path, REPORT, code), "scifact", "bench-scifact")
    report = ingestion.sync(Path("corpus.jsonl"), ("--chunker", "whole"))
    assert report.outcomes == {"a": "added"}
    assert json.loads((tmp_path / "arguments").read_text()) == [
        *("sync", "corpus.jsonl", "--name", "scifact", "--index", "bench-scifact"),
        *("--chunker", "whole", "--json"),
    ]


@pytest.mark.parametrize(("report", "code"), [(REPORT, 1), ("nonsense", 0), ("", 0)])
def test_a_failed_run_is_never_measured(
    tmp_path: Path, report: dict[str, Any] | str, code: int
) -> None:
    with pytest.raises(SyncFailed):
        Ingestion(command(tmp_path, report, code), "n", "i").sync(Path("x"))


def test_a_missing_command_is_named_with_its_setting() -> None:
    with pytest.raises(Unavailable, match="EVALS_INGESTION_COMMAND"):
        Ingestion("/no/such/command", "n", "i").sync(Path("x"))


def chunk(document: str, version: str, ordinal: int) -> dict[str, Any]:
    return ChunkPayload(
        tenant="default",
        source="s",
        document_id=f"s/{document}",
        version=version,
        ordinal=ordinal,
        text=f"{document} {ordinal}",
        start=0,
        end=1,
        headings=[],
        run_id="run",
    ).model_dump(mode="json")


def manifest(document: str, version: str) -> dict[str, Any]:
    return DocumentManifest(
        tenant="default",
        source="s",
        document_id=f"s/{document}",
        path=document,
        title=document,
        format="markdown",
        version=version,
        text_sha256="0",
        characters=1,
        chunks=1,
        raw_bytes=1,
        run_id="run",
        committed_at=datetime(2026, 11, 22, tzinfo=UTC),
    ).model_dump(mode="json")


def test_only_chunks_of_active_versions_are_read_over_every_page() -> None:
    pages: dict[str, list[list[dict[str, Any]]]] = {
        "i-manifest": [[{"kind": "spec"}, manifest("a.md", "v2")]],
        "i": [
            [chunk("a.md", "v2", 1), chunk("a.md", "v1", 0)],
            [chunk("a.md", "v2", 0)],
            [chunk("uncommitted.md", "v1", 0)],
        ],
    }

    def reply(request: httpx.Request) -> httpx.Response:
        assert request.headers["api-key"] == "store"
        collection = pages[request.url.path.split("/")[2]]
        at = json.loads(request.content)["offset"] or 0
        following = at + 1 if at + 1 < len(collection) else None
        points = [
            {"id": 10 * at + n, "payload": payload} for n, payload in enumerate(collection[at])
        ]
        return httpx.Response(
            200, json={"result": {"points": points, "next_page_offset": following}}
        )

    found = committed_chunks(SETTINGS, "i", httpx.MockTransport(reply))
    assert [(c.path, c.format, c.chunk.text) for c in found] == [
        ("a.md", "markdown", "a.md 0"),
        ("a.md", "markdown", "a.md 1"),
    ]


def test_a_store_that_refuses_is_named_with_its_settings() -> None:
    with pytest.raises(Unavailable, match="EVALS_QDRANT_API_KEY"):
        committed_chunks(SETTINGS, "i", httpx.MockTransport(lambda r: httpx.Response(401)))
