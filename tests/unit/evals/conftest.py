"""Builders of what the layers would return."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.answer import (
    Answer,
    AnswerEvent,
    AnswerFeatures,
    Citation,
    Passage,
    Provenance,
    Timings,
)

PROVENANCE = Provenance(
    request_id="r1",
    ingestion_runs=["run"],
    index="eval-1",
    embedder="e",
    model="m",
    model_manifest="mm",
    endpoint="http://llm",
    application_build="b",
    bundle="bb",
    sampling={"temperature": 0},
)


@pytest.fixture
def passage() -> Callable[..., Passage]:
    def build(path: str, text: str = "text", chunk: str = "c") -> Passage:
        return Passage(
            chunk_id=chunk,
            document_id=f"source/{path}",
            version="v",
            title=path,
            path=path,
            source="source",
            headings=[],
            text=text,
            start=0,
            end=len(text),
            score=1.0,
            run_id="run",
        )

    return build


@pytest.fixture
def answer(passage: Callable[..., Passage]) -> Callable[..., Answer]:
    def build(
        text: str = "",
        status: str = "answered",
        passages: list[Passage] | None = None,
        cites: tuple[str, ...] = (),
        request_id: str = "r1",
    ) -> Answer:
        citations = [
            Citation(
                number=number,
                chunk_id="c",
                document_id=f"source/{path}",
                version="v",
                title=path,
                path=path,
                start=0,
                end=1,
                quote="t",
            )
            for number, path in enumerate(cites, 1)
        ]
        return Answer.model_validate(
            {
                "request_id": request_id,
                "status": status,
                "text": text,
                "evidence": 0.5,
                "citations": citations,
                "passages": passages or [],
                "provenance": PROVENANCE.model_copy(update={"request_id": request_id}),
                "timings": Timings(total_ms=100),
            }
        )

    return build


@pytest.fixture
def event() -> Callable[..., AnswerEvent]:
    def build(request_id: str = "r1", **changed: Any) -> AnswerEvent:
        features = {
            "question_characters": 40,
            "answer_characters": 100,
            "passages": 5,
            "citations": 1,
            "top_score": 0.03,
            "evidence": 0.7,
            "prompt_tokens": 900,
            "completion_tokens": 20,
            "finish_reason": "stop",
        }
        timings = {
            "embed_ms": 8.0,
            "first_token_ms": 300.0,
            "generate_ms": 700.0,
            "total_ms": 720.0,
        }
        provenance = PROVENANCE.model_dump() | {"request_id": request_id}
        rest: dict[str, Any] = {"status": "answered"}
        for name, value in changed.items():
            part = next((p for p in (features, timings, provenance) if name in p), rest)
            part[name] = value
        return AnswerEvent(
            at=datetime(2026, 11, 22, tzinfo=UTC),
            tenant="default",
            namespace="default",
            probe=True,
            features=AnswerFeatures.model_validate(features),
            documents=[],
            cited_documents=[],
            provenance=Provenance.model_validate(provenance),
            timings=Timings.model_validate(timings),
            **rest,
        )

    return build


@pytest.fixture
def in_order() -> Callable[..., list[Any]]:
    """`Each`, one item at a time."""
    return lambda function, items, label: [function(item) for item in items]
