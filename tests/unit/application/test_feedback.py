"""Feedback is tied to an answer of the same tenant, and evals can read it."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.application import LEAVE
from tests.unit.application.conftest import Application, Running

from contracts.answer import FeedbackEvent

QUESTION = "How long is parental leave?"


async def send(app: Application, **fields: Any) -> httpx.Response:
    return await app.client.post("/v1/feedback", json=fields, headers=app.auth)


def kept(state: Path) -> list[FeedbackEvent]:
    path = state / "events" / "feedback.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [FeedbackEvent.model_validate_json(line) for line in lines]


async def test_feedback_keeps_the_provenance_of_its_answer(
    application: Running, tmp_path: Path
) -> None:
    async with application("26 weeks at full pay. [1]") as app:
        answer = (await app.ask(QUESTION)).json()
        reply = await send(app, request_id=answer["request_id"], vote="down", comment=" wrong ")
    assert reply.status_code == 204
    (event,) = kept(tmp_path)
    assert event.provenance.model_dump(mode="json") == answer["provenance"]
    assert (event.vote, event.comment, event.question) == ("down", "wrong", "")


async def test_the_right_passage_is_kept_in_words(application: Running, tmp_path: Path) -> None:
    async with application("26 weeks at full pay. [1]") as app:
        answer = (await app.ask(QUESTION)).json()
        passage = {"document_id": "handbook/leave.md", "start": 0, "end": 41}
        said = {"request_id": answer["request_id"], "passage": passage, "question": QUESTION}
        assert (await send(app, **said)).status_code == 204
    (event,) = kept(tmp_path)
    assert (event.path, event.span, event.question) == ("leave.md", LEAVE[:41], QUESTION)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"request_id": "unknown", "vote": "up"}, 404),
        ({"vote": "up"}, 422),
        ({}, 422),
        ({"vote": "sideways"}, 422),
        ({"passage": {"document_id": "handbook/leave.md", "start": 9, "end": 9}}, 422),
        ({"passage": {"document_id": "secret/plan.md", "start": 0, "end": 9}}, 404),
        ({"vote": "up", "comment": "x" * 2001}, 422),
    ],
)
async def test_feedback_on_nothing_known_is_refused(
    application: Running, tmp_path: Path, fields: dict[str, Any], status: int
) -> None:
    async with application("26 weeks.") as app:
        answer = (await app.ask(QUESTION)).json()
        if fields != {"vote": "up"}:
            fields = {"request_id": answer["request_id"]} | fields
        assert (await send(app, **fields)).status_code == status
    assert not kept(tmp_path)


async def test_another_tenant_says_nothing_on_an_answer(
    application: Running, tmp_path: Path
) -> None:
    async with application("26 weeks.") as app:
        answer = (await app.ask(QUESTION)).json()
        app.auth = {"Authorization": f"Bearer {app.keys.create('other', ['default'])}"}
        assert (await send(app, request_id=answer["request_id"], vote="up")).status_code == 404
    assert not kept(tmp_path)
