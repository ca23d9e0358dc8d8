"""One report a boundary: silent when nothing moved, and naming the column that did."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.answer import Answer, AnswerEvent
from contracts.index import ChunkPayload
from evals.clients.qdrant import IndexedChunk
from evals.errors import DatasetError
from evals.kept import Kept, keep, read
from evals.suite.answers import Gold, Question, Reply

# evidently 0.7.23 and what it imports use deprecated names of numpy, litestar and Python.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")

PROSE = "Leave is requested in the portal, ten working days before it starts. "
"""Ordinary text: almost all letters, no table, no damage."""


@pytest.fixture(scope="module")
def reports() -> Iterator[Any]:
    import warnings

    with warnings.catch_warnings(action="ignore"):  # at its first import, for the reason above
        from evals import reports
    return reports


def chunk(ordinal: int, text: str, path: str = "a.md", **rest: Any) -> IndexedChunk:
    payload = ChunkPayload(
        tenant="default",
        source="s",
        document_id=f"s/{path}",
        version="v",
        ordinal=ordinal,
        text=text,
        start=0,
        end=len(text),
        headings=rest.get("headings", ["Leave"]),
        run_id="run",
    )
    return IndexedChunk(path=path, format=rest.get("format", "markdown"), chunk=payload)


def healthy_chunks() -> list[IndexedChunk]:
    return [
        chunk(n % 4, f"{PROSE * (2 + n % 3)}Item {n}.", f"{n // 4}.md", format=f"f{n % 2}")
        for n in range(40)
    ]


@pytest.fixture
def healthy_events(event: Callable[..., AnswerEvent]) -> list[AnswerEvent]:
    return [
        event(
            f"r{n}",
            status="abstained" if n % 4 == 0 else "answered",
            citations=0 if n % 4 == 0 else 1,
            first_token_ms=300.0 + n % 7,
            total_ms=700.0 + n % 9,
            evidence=0.4 + n % 5 / 10,
        )
        for n in range(40)
    ]


def failed(reports: Any, boundary: Any, before: Any, after: Any) -> str:
    run = reports.compare(boundary, before, after, name="before to after")
    return "\n".join(reports.failures(run))


def only(boundary: Any, column: str) -> Any:
    """The boundary with one of its columns: evidently draws every column it compares."""
    watched = {
        kind: {name: most for name, most in getattr(boundary, kind).items() if name == column}
        for kind in ("numbers", "categories", "limits")
    }
    assert any(watched.values()), f"{boundary.name} does not watch {column}"
    return replace(boundary, **watched)


def test_nothing_fails_where_nothing_moved(reports: Any, healthy_events: list[AnswerEvent]) -> None:
    chunks = reports.chunk_rows(healthy_chunks())
    assert failed(reports, reports.DATA, chunks, chunks) == ""
    answers = reports.answer_rows(healthy_events)
    assert failed(reports, reports.SERVING, answers, answers) == ""
    assert failed(reports, reports.USER, answers, answers) == ""


@pytest.mark.parametrize(
    ("damage", "column"),
    [
        (lambda c: chunk(c.chunk.ordinal, c.chunk.text[:20], c.path), "characters"),
        (lambda c: chunk(c.chunk.ordinal, "0 | 1 / 2 + 3 = 4; " * 8, c.path), "non_letter_share"),
        (lambda c: chunk(c.chunk.ordinal, f"| a | b |\n{c.chunk.text}", c.path), "table"),
        (lambda c: chunk(c.chunk.ordinal, "Ã¼ber den " + c.chunk.text, c.path), "mojibake"),
        (lambda c: chunk(c.chunk.ordinal, "  \n", c.path), "empty"),
        (lambda c: chunk(c.chunk.ordinal, PROSE, c.path), "duplicate"),
        (lambda c: chunk(c.chunk.ordinal, c.chunk.text, "one.md"), "chunks_of_document"),
        (lambda c: chunk(c.chunk.ordinal, c.chunk.text, c.path, format="text"), "format"),
        (lambda c: chunk(c.chunk.ordinal, c.chunk.text, c.path, headings=[]), "heading_depth"),
    ],
)
def test_damaged_chunks_fail_their_column(
    reports: Any, damage: Callable[[IndexedChunk], IndexedChunk], column: str
) -> None:
    before = reports.chunk_rows(healthy_chunks())
    after = reports.chunk_rows([damage(found) for found in healthy_chunks()])
    assert column in failed(reports, only(reports.DATA, column), before, after)


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"finish_reason": "length"}, "finish_reason"),
        ({"prompt_tokens": 200}, "prompt_tokens"),
        ({"completion_tokens": 2}, "ms_per_token"),
        ({"first_token_ms": 3000.0}, "first_token_ms"),
        ({"first_token_ms": None}, "first_token_ms"),  # a lost measurement is not "no drift"
        ({"model_manifest": "other"}, "model_manifest"),
        ({"embedder": "other"}, "embedder"),
        ({"completion_tokens": 90}, "completion_tokens"),
        ({"embed_ms": 80.0}, "embed_ms"),
    ],
)
def test_changed_models_fail_their_column(
    reports: Any,
    event: Callable[..., AnswerEvent],
    healthy_events: list[AnswerEvent],
    changed: dict[str, Any],
    column: str,
) -> None:
    before = reports.answer_rows(healthy_events)
    after = reports.answer_rows([event(f"r{n}", **changed) for n in range(40)])
    assert column in failed(reports, only(reports.SERVING, column), before, after)


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"status": "abstained"}, "status"),
        ({"status": "degraded"}, "degraded"),
        ({"citations": 0}, "uncited"),
        ({"evidence": 0.1}, "evidence"),
        ({"answer_characters": 900}, "answer_characters"),
        ({"bundle": "other"}, "bundle"),
        ({"application_build": "other"}, "application_build"),
        ({"top_score": 0.9}, "top_score"),
        ({"passages": 1}, "passages"),
        ({"citations": 5}, "citations"),
        ({"total_ms": 9000.0}, "total_ms"),
    ],
)
def test_changed_answers_fail_their_column(
    reports: Any,
    event: Callable[..., AnswerEvent],
    healthy_events: list[AnswerEvent],
    changed: dict[str, Any],
    column: str,
) -> None:
    before = reports.answer_rows(healthy_events)
    after = reports.answer_rows([event(f"r{n}", **changed) for n in range(40)])
    assert column in failed(reports, only(reports.USER, column), before, after)


def test_two_revisions_are_reported_into_one_project_of_a_workspace(
    reports: Any, tmp_path: Path, healthy_events: list[AnswerEvent]
) -> None:
    revision = Kept(healthy_chunks(), [], healthy_events)
    written = reports.write(tmp_path, "r1 to r2", revision, revision)
    assert [(found.boundary, found.failed) for found in written] == [
        ("data to application", []),
        ("serving to application", []),
        ("application to user", []),
    ]
    rows = reports.chunk_rows(revision.chunks)
    reports.write_all(tmp_path, "again", [(only(reports.DATA, "format"), rows, rows)])
    (project,) = reports.Workspace.create(str(tmp_path)).list_projects()
    assert project.name == "Faultline"
    assert len(reports.Workspace.create(str(tmp_path)).list_runs(project.id)) == 4


def kept_reply(answer: Callable[..., Answer], request_id: str) -> Reply:
    question = Question(id="q", question="?", kind="k", gold={"r1": Gold(answerable=False)})
    said = answer(request_id=request_id)
    return Reply(revision="r1", question=question, retrieved=[], bm25=[], answer=said)


def test_what_is_kept_of_a_revision_is_read_back_with_its_own_events_only(
    tmp_path: Path, answer: Callable[..., Answer], event: Callable[..., AnswerEvent]
) -> None:
    events = tmp_path / "answers.jsonl"
    events.write_text("".join(event(r).model_dump_json() + "\n" for r in ("old", "mine")))
    chunks, replies = healthy_chunks(), [kept_reply(answer, "mine")]
    keep(tmp_path / "r1", chunks, replies)
    found = read(tmp_path / "r1", events)
    assert (found.chunks, found.replies) == (chunks, replies)
    assert [e.provenance.request_id for e in found.events] == ["mine"]


def test_a_revision_that_was_never_asked_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="evals answers"):
        read(tmp_path / "r1", tmp_path / "answers.jsonl")


def test_a_revision_without_events_names_the_setting(
    tmp_path: Path, answer: Callable[..., Answer], event: Callable[..., AnswerEvent]
) -> None:
    events = tmp_path / "answers.jsonl"
    events.write_text(event("old").model_dump_json() + "\n")
    keep(tmp_path / "r1", [], [kept_reply(answer, "mine")])
    with pytest.raises(DatasetError, match="EVALS_STATE_DIR"):
        read(tmp_path / "r1", events)
