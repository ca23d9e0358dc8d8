import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.application import BUNDLE, DEAD, FakeRetriever, passage
from tests.unit.application.conftest import PROBE_KEY, Running, edit

from application.bootstrap import create_app
from application.bundle_store import BundleStore
from application.errors import Misconfigured, RetrievalUnavailable
from application.middleware import BODY_LIMIT
from application.releases import Releases
from application.settings import Settings
from contracts.answer import STREAM_EVENTS, Answer, DocumentView, Passage, Problem, SearchResponse
from contracts.status import BundleStatus, Readiness

QUESTION = "How long is parental leave?"
DOCUMENT_TEXT = "text of a document"
RULES = Path(__file__).parents[3] / "infra" / "prometheus" / "alerts.yml"
GUARDED = [
    ("POST", "/v1/ask"),
    ("GET", "/v1/search?q=leave"),
    ("GET", "/v1/documents/handbook/leave.md"),
    ("GET", "/v1/status"),
    ("GET", "/metrics"),
]


def events_of(response: httpx.Response) -> list[tuple[str, Any]]:
    frames = [frame.split("\n") for frame in response.text.strip().split("\n\n")]
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in frames
    ]


def problem_of(response: httpx.Response) -> Problem:
    assert response.headers["Content-Type"] == "application/problem+json"
    return Problem.model_validate_json(response.content)


async def test_a_question_gets_an_answer_of_the_contract(application: Running) -> None:
    async with application("26 weeks.") as app:
        response = await app.ask(QUESTION)
    answer = Answer.model_validate_json(response.content)
    assert (response.status_code, answer.text) == (200, "26 weeks. [1]")


async def test_a_stream_has_the_events_of_the_contract_and_ends_in_the_same_answer(
    application: Running,
) -> None:
    async with application("26 ", "weeks.") as app:
        whole = Answer.model_validate_json((await app.ask(QUESTION)).content)
        response = await app.ask(QUESTION, stream=True)
    events = events_of(response)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert {name for name, _ in events} <= set(STREAM_EVENTS)
    assert list(dict.fromkeys(name for name, _ in events)) == ["passages", "token", "answer"]
    assert [Passage.model_validate(item) for item in events[0][1]] == [passage()]
    assert "".join(data["text"] for name, data in events if name == "token") == "26 weeks."
    last = Answer.model_validate(events[-1][1])
    assert (last.text, last.citations) == (whole.text, whole.citations)


async def test_a_dead_model_is_a_degraded_answer_and_no_error(application: Running) -> None:
    async with application(DEAD) as app:
        response = await app.ask(QUESTION)
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_dead_index_is_a_503_that_says_when_to_come_back(
    application: Running, stream: bool
) -> None:
    dead = FakeRetriever(failure=RetrievalUnavailable("The vector store is away."))
    async with application(retriever=dead) as app:
        response = await app.ask(QUESTION, stream=stream)
    assert problem_of(response).status == 503
    assert int(response.headers["Retry-After"]) > 0


async def test_an_unexpected_error_shows_its_request_id_and_nothing_else(
    application: Running,
) -> None:
    broken = FakeRetriever(failure=ZeroDivisionError("secret detail"))
    async with application(retriever=broken) as app:
        response = await app.ask(QUESTION, X_Request_ID="abc-1")
    assert problem_of(response).status == 500
    assert problem_of(response).request_id == "abc-1"
    assert "secret" not in response.text


async def test_an_error_in_the_middle_of_a_stream_is_told_in_the_stream(
    application: Running,
) -> None:
    async with application("26 ", ZeroDivisionError("secret detail")) as app:
        response = await app.ask(QUESTION, stream=True)
    name, data = events_of(response)[-1]
    assert (name, Problem.model_validate(data).status) == ("error", 500)
    assert "secret" not in response.text


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer fl_wrong"}])
async def test_every_route_asks_for_a_valid_key(
    application: Running, method: str, path: str, header: dict[str, str]
) -> None:
    async with application() as app:
        response = await app.client.request(method, path, json={"question": "x"}, headers=header)
    assert problem_of(response).status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_no_list_of_routes_is_public(application: Running) -> None:
    async with application() as app:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await app.client.get(path)).status_code == 404


async def test_health_and_the_page_ask_for_no_key(application: Running) -> None:
    async with application() as app:
        for path in ("/health/live", "/health/ready", "/"):
            assert (await app.client.get(path)).status_code == 200


@pytest.mark.parametrize(("ready", "status"), [("ready", 200), ("degraded", 200), ("down", 503)])
async def test_readiness_is_a_503_only_where_no_passages_can_be_found(
    application: Running, ready: str, status: int
) -> None:
    async with application(ready=ready) as app:
        response = await app.client.get("/health/ready")
    assert response.status_code == status
    assert Readiness.model_validate_json(response.content).status == ready


async def test_without_keys_only_this_machine_may_be_served() -> None:
    with pytest.raises(Misconfigured, match="loopback"):
        create_app(Settings(require_keys=False, host="0.0.0.0"))


async def test_without_keys_a_foreign_host_name_is_refused(application: Running) -> None:
    async with application("26 weeks.", require_keys=False) as app:
        app.auth = {}
        assert (await app.ask(QUESTION)).status_code == 200
        assert (await app.ask(QUESTION, Host="evil.example")).status_code == 400


async def test_a_wrong_key_is_refused_also_where_none_is_asked_for(application: Running) -> None:
    async with application(require_keys=False) as app:
        app.auth = {"Authorization": "Bearer wrong"}
        assert (await app.ask(QUESTION)).status_code == 401


async def test_the_scope_of_a_search_comes_from_the_key_and_from_nowhere_else(
    application: Running,
) -> None:
    async with application() as app:
        path = "/v1/search?q=leave&limit=3&mode=sparse&tenant=other&namespace=canary"
        response = await app.client.get(path, headers=app.auth)
    query = app.retriever.queries[0]
    assert (query.scope.tenant, query.scope.namespaces) == ("default", {"default"})
    assert (query.mode, query.limit) == ("sparse", 3)
    assert SearchResponse.model_validate_json(response.content).passages == [passage()]


async def test_a_probe_reads_canaries_and_another_index_and_is_marked(
    application: Running,
) -> None:
    async with application("26 weeks.") as app:
        await app.ask(QUESTION, X_Probe_Key=PROBE_KEY, X_Probe_Index="pinned-1")
    query = app.retriever.queries[0]
    assert (query.index, query.scope.namespaces) == ("pinned-1", {"default", "canary"})
    assert (app.log.events[0].probe, app.log.events[0].question) == (True, QUESTION)


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Probe_Key": "wrong"},
        {"X_Probe_Index": "pinned-1"},
        {"X_Probe_Bundle": BUNDLE.digest},
        {"X_Probe_Cycle": "20261123T160000Z"},
        {"X_Probe_Key": "wrong", "X_Probe_Cycle": "20261123T160000Z"},
        {"X_Probe_Key": "", "X_Probe_Index": "pinned-1"},
    ],
)
@pytest.mark.parametrize("require_keys", [True, False])
async def test_probe_headers_without_the_probe_key_are_refused(
    application: Running, headers: dict[str, str], require_keys: bool
) -> None:
    async with application(require_keys=require_keys) as app:
        response = await app.ask(QUESTION, **headers)
    assert problem_of(response).status == 403
    assert app.retriever.queries == []


async def test_a_probe_chooses_a_stored_bundle_and_an_unknown_one_is_not_found(
    application: Running,
) -> None:
    async with application("26 weeks.") as app:
        known = await app.ask(QUESTION, X_Probe_Key=PROBE_KEY, X_Probe_Bundle=BUNDLE.digest)
        unknown = await app.ask(QUESTION, X_Probe_Key=PROBE_KEY, X_Probe_Bundle="0" * 16)
    assert known.json()["provenance"]["bundle"] == BUNDLE.digest
    assert problem_of(unknown).status == 404


@pytest.mark.parametrize("cycle", ["", "a b", "x" * 65, "../x"])
async def test_a_cycle_that_is_no_name_is_refused(application: Running, cycle: str) -> None:
    async with application("26 weeks.") as app:
        response = await app.ask(QUESTION, X_Probe_Key=PROBE_KEY, X_Probe_Cycle=cycle)
    assert problem_of(response).status == 422
    assert app.model.requests == []


async def test_a_probe_hands_its_cycle_to_the_model_and_users_have_none(
    application: Running,
) -> None:
    async with application("26 weeks.") as app:
        await app.ask(QUESTION, X_Probe_Key=PROBE_KEY, X_Probe_Cycle="20261123T160000Z")
        await app.ask(QUESTION, X_Probe_Key=PROBE_KEY)
        await app.ask(QUESTION)
    asked = ["20261123T160000Z", None, None]
    assert app.model.cycles == [cycle for cycle in asked for _ in ("answer", "verify")]


async def test_only_a_probe_is_told_what_the_model_was_sent(application: Running) -> None:
    async with application("26 weeks.") as app:
        probe = await app.ask(QUESTION, X_Probe_Key=PROBE_KEY)
        user = await app.ask(QUESTION)
    assert probe.json()["chat_request"]["messages"] == app.model.requests[0]
    assert user.json()["chat_request"] is None


async def test_an_edit_of_the_bundle_answers_at_once_and_shows_against_the_released(
    application: Running, live: Path
) -> None:
    async with application("26 weeks.", bundle=live) as app:

        async def status() -> BundleStatus:
            response = await app.client.get("/v1/status", headers=app.auth)
            return BundleStatus.model_validate_json(response.content)

        assert (await status()).released is None
        Releases(BundleStore(live.parents[1] / "bundles", live), live.parents[1], "b").release()
        edit(live, "top_k = 6", "top_k = 1")
        answer = Answer.model_validate_json((await app.ask(QUESTION)).content)
        now = await status()
        edit(live, "top_k = 1", "top_k = ")
        assert (await app.ask(QUESTION)).status_code == 200
    assert app.retriever.queries[0].limit == 1
    assert answer.provenance.bundle == now.bundle != BUNDLE.digest
    assert (now.released, now.settings["retrieval.top_k"]) == (BUNDLE.digest, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"question": ""},
        {"question": "   "},
        {"question": "x" * 4001},
        {"question": "x", "tenant": "other"},
        {},
        [],
    ],
    ids=["empty", "blank", "too long", "unknown field", "no question", "no object"],
)
async def test_a_wrong_question_is_a_422_that_says_what_is_wrong(
    application: Running, body: Any
) -> None:
    async with application() as app:
        response = await app.client.post("/v1/ask", json=body, headers=app.auth)
    assert problem_of(response).status == 422
    assert len(problem_of(response).detail) > 10


async def test_a_body_above_the_limit_is_refused_also_where_it_hides_its_length(
    application: Running,
) -> None:
    async def chunks() -> Any:
        for _ in range(3):
            yield b"x" * (BODY_LIMIT // 2)

    async with application() as app:
        for content in (b"x" * (BODY_LIMIT + 1), chunks()):
            response = await app.client.post("/v1/ask", content=content, headers=app.auth)
            assert problem_of(response).status == 413


async def test_above_the_limit_in_flight_requests_are_shed_but_health_is_not(
    application: Running,
) -> None:
    async with application(max_in_flight=1) as app:
        held: list[httpx.Response] = []
        search = app.retriever.search

        async def ask_again(query: Any) -> Any:
            held.append(await app.client.get("/v1/status", headers=app.auth))
            held.append(await app.client.get("/health/live"))
            return await search(query)

        app.retriever.search = ask_again  # type: ignore[method-assign]  # a request within one
        await app.client.get("/v1/search?q=leave", headers=app.auth)
        after = await app.client.get("/v1/status", headers=app.auth)
    shed, live = held
    assert (problem_of(shed).status, shed.headers["Retry-After"]) == (503, "1")
    assert (live.status_code, after.status_code) == (200, 200)


async def test_a_request_id_is_kept_where_it_is_safe_and_made_where_it_is_not(
    application: Running,
) -> None:
    async with application("26 weeks.") as app:
        kept = await app.ask(QUESTION, X_Request_ID="trace-17")
        made = await app.ask(QUESTION, X_Request_ID="a b<script>")
    assert kept.headers["X-Request-ID"] == kept.json()["request_id"] == "trace-17"
    assert made.headers["X-Request-ID"] == made.json()["request_id"] != "a b<script>"


async def test_every_response_has_safe_headers(application: Running) -> None:
    async with application() as app:
        for path in ("/v1/status", "/health/live", "/nowhere"):
            headers = (await app.client.get(path)).headers
            assert headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"


async def test_a_document_is_shown_whole_and_an_unknown_one_is_not_found(
    application: Running,
) -> None:
    async with application() as app:
        path = "/v1/documents/"
        found = await app.client.get(path + "handbook/leave.md", headers=app.auth)
        absent = await app.client.get(path + "handbook/never.md", headers=app.auth)
    assert DocumentView.model_validate_json(found.content).text == passage().text
    assert problem_of(absent).status == 404


async def test_the_status_names_build_bundle_and_settings(application: Running) -> None:
    async with application() as app:
        response = await app.client.get("/v1/status", headers=app.auth)
    status = BundleStatus.model_validate_json(response.content)
    assert (status.bundle, status.prompts) == (
        BUNDLE.digest,
        {"answer": "v2", "rewrite": "v1", "verify": "v1"},
    )


async def test_metrics_count_answers(application: Running) -> None:
    async with application("26 weeks.") as app:
        await app.ask(QUESTION)
        text = (await app.client.get("/metrics", headers=app.auth)).text
    assert 'application_answers_total{probe="false",status="answered"} 1.0' in text
    assert 'application_replies_total{status="200"} 1.0' in text  # /metrics is none of them
    for name in set(re.findall(r"application_\w+", RULES.read_text())):
        assert f"\n{name}" in text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/x", 404), ("PUT", "/v1/ask", 405)]
)
async def test_what_is_not_served_is_a_problem_too(
    application: Running, method: str, path: str, status: int
) -> None:
    async with application() as app:
        response = await app.client.request(method, path, headers=app.auth)
    assert problem_of(response).status == status


@pytest.mark.parametrize("path", ["/v1/search?q=leave", "/v1/documents/handbook/x", "/v1/ask"])
async def test_a_crash_has_safe_headers_an_id_and_is_counted(
    application: Running, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = FakeRetriever(failure=ZeroDivisionError(DOCUMENT_TEXT))

    async def fail(*_: object) -> None:
        raise ZeroDivisionError(DOCUMENT_TEXT)

    broken.document = fail  # type: ignore[method-assign,assignment]  # it never fails by itself
    async with application(retriever=broken) as app:
        method = "POST" if path == "/v1/ask" else "GET"
        body = {"question": QUESTION} if path == "/v1/ask" else None
        response = await app.client.request(method, path, json=body, headers=app.auth)
        text = (await app.client.get("/metrics", headers=app.auth)).text
    assert problem_of(response).status == 500
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["X-Request-ID"] == problem_of(response).request_id
    assert 'application_replies_total{status="500"} 1.0' in text
    assert "ZeroDivisionError" in caplog.text
    assert DOCUMENT_TEXT not in caplog.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]:80"])
async def test_a_foreign_host_name_is_told_in_a_problem(application: Running, host: str) -> None:
    async with application(require_keys=False) as app:
        for path in ("/", "/v1/status", "/health/live"):
            reply = await app.client.get(path, headers={"Host": host})
            assert problem_of(reply).status == 400
            assert reply.headers["Content-Security-Policy"]
        for own in ("127.0.0.1:8080", "LOCALHOST", "[::1]:8080"):
            assert (await app.client.get("/", headers={"Host": own})).status_code == 200
