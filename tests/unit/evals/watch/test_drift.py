"""Drift against the accepted state names the boundary's layer, from the probes of one cell."""

import re
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.layers_app import AT, PROBES, cycle

from contracts.index import ChunkPayload
from evals.clients.qdrant import IndexedChunk
from evals.watch.detector import Shares
from evals.watch.drift import Side, by_document, events_of, indicators
from evals.watch.model import LAYERS

# evidently 0.7.23 and what it imports use deprecated names of numpy, litestar and Python.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")

QUESTIONS = [f"Question {n}?" for n in range(40)]


@pytest.fixture(scope="module", autouse=True)
def evidently() -> Iterator[None]:
    with warnings.catch_warnings(action="ignore"):  # at its first import, for the reason above
        from evals import reports  # noqa: F401
    return


def chunks(text: str = "Leave is requested in the portal. ") -> list[IndexedChunk]:
    return [
        IndexedChunk(
            path=f"{n}.md",
            format="markdown",
            chunk=ChunkPayload(
                tenant="default",
                source="s",
                document_id=f"s/{n}.md",
                version="v",
                ordinal=0,
                text=f"{text * (2 + n % 3)}Item {n}.",
                start=0,
                end=9,
                headings=[],
                run_id="run",
            ),
        )
        for n in range(40)
    ]


@pytest.fixture
def side(event: Any) -> Any:
    def build(
        text: str = "Leave is requested in the portal. ",
        score: float = 1.0,
        serving_share: float = 0.0,
        application_share: float = 0.0,
        **changed: Any,
    ) -> Side:
        events = [
            event(f"r{n}", question=question, evidence=0.4 + n % 5 / 10, **changed)
            for n, question in enumerate(QUESTIONS)
        ]
        shares = {
            question: {"serving": serving_share, "application": application_share}
            for question in QUESTIONS
        }
        return Side(chunks(text), events, dict.fromkeys(QUESTIONS, score), shares)

    return build


def test_a_cycle_as_accepted_writes_three_reports_and_no_indicator(
    side: Any, tmp_path: Path
) -> None:
    from evals import reports

    assert indicators(tmp_path, "20261123T160000Z", side(), side()) == []
    store = reports.Workspace.create(str(tmp_path))
    (project,) = store.list_projects()
    assert len(store.list_runs(project.id)) == 3


def test_what_moved_is_an_indicator_of_its_boundarys_layer(side: Any, tmp_path: Path) -> None:
    live = side(
        text="Ã¼ber den Urlaub. ",
        prompt_tokens=90,
        finish_reason="length",
        status="abstained",
        score=0.0,
        serving_share=0.4,
        application_share=0.4,
    )
    found = indicators(tmp_path, "c", side(), live)
    for column, layer in {
        "mojibake": "data",
        "prompt_tokens": "serving",
        "finish_reason": "serving",
        "status": "application",
        "score": "application",
        "serving_share": "serving",
        "application_share": "application",
    }.items():
        named = [i for i in found if re.search(rf"\b{column}\b", i.what)]
        assert {(i.layer, i.source) for i in named} == {(layer, "drift")}, column
    assert all(i.what and i.detail for i in found)


def test_a_side_without_answers_still_has_its_chunks_compared(side: Any, tmp_path: Path) -> None:
    silent = Side(chunks("Ã¼ber den Urlaub. "), [], {})
    assert {i.layer for i in indicators(tmp_path, "c", side(), silent)} == {"data"}
    assert indicators(tmp_path, "c", Side([], [], {}), Side([], [], {})) == []
    assert indicators(tmp_path, "c", Side([], [], {}), side()) == []  # nothing was accepted of it


def test_the_events_of_a_cell_are_those_with_its_questions_and_answers_in_its_time(
    event: Any, tmp_path: Path
) -> None:
    seen = cycle()
    users = {r.probe: r.text for r in seen.replies if r.cell == "11"}
    other = {r.probe: r.text for r in seen.replies if r.cell == "00"}
    inside = AT + timedelta(seconds=30)

    def line(id: str, at: Any, text: str, asked: Any = PROBES[1], **rest: Any) -> str:
        made = event(id, question=asked.question, answer=text)
        return made.model_copy(update={"at": at} | rest).model_dump_json() + "\n"

    path = tmp_path / "answers.jsonl"
    path.write_text(
        line("users", inside, users["p1"])
        + line("pinned", inside, other["p1"])
        + line("before", AT - timedelta(hours=1), users["p1"])
        + line("after", AT + timedelta(hours=1), users["p1"])
        + line("person", inside, users["p1"], probe=False)
        + line("second", inside, users["p4"], PROBES[4])
    )
    found = events_of(path, seen, PROBES, "11")
    assert [e.provenance.request_id for e in found] == ["users", "second"]
    assert events_of(tmp_path / "none.jsonl", seen, PROBES, "11") == []
    left = [probe for probe in PROBES if probe.id != "p4"]  # that one was retired meanwhile
    assert [e.provenance.request_id for e in events_of(path, seen, left, "11")] == ["users"]


@pytest.mark.parametrize(
    ("live", "column"),
    [
        (Side(chunks(), [], {}, edited=[chunks()[0].chunk]), "written_by_no_sync"),
        (Side(chunks(), [], {}, data_share={"s/1.md": 0.1}), "data_share"),
        (Side(chunks()[:20], [], {}), "Row count"),
    ],
)
def test_the_datas_report_shows_edited_lost_and_harmful_chunks(
    live: Side, column: str, tmp_path: Path
) -> None:
    accepted = Side(chunks(), [], {}, data_share={"s/1.md": 0.0})
    found = indicators(tmp_path, "c", accepted, live)
    assert {i.layer for i in found} == {"data"}
    assert any(column in i.what for i in found), [i.what for i in found]


def test_a_documents_share_is_the_mean_over_the_probes_that_it_answers() -> None:
    shares = {p.id: Shares(n / 4, 0, 0, 1, 0) for n, p in enumerate(PROBES[:3])}
    probes = [
        p.model_copy(update={"documents": documents})
        for p, documents in zip(PROBES[:4], [("a", "b"), ("a",), ("b",), ("unasked",)], strict=True)
    ]
    assert by_document(probes, shares) == {"a": 0.125, "b": 0.25}


def test_a_question_that_no_share_is_known_of_has_none() -> None:
    marks = Side([], [], {"a": 0.5}).marks()
    assert marks == {"a": {"score": 0.5} | {f"{layer}_share": 0.0 for layer in LAYERS}}


def test_the_workspace_keeps_the_newest_reports_only(side: Any, tmp_path: Path) -> None:
    from evals import reports

    rows = reports.chunk_rows(side().chunks)
    narrow = reports.Boundary("data to application", {}, {})
    for name in ("first", "second", "third"):
        reports.write_all(tmp_path, name, [(narrow, rows, rows)], keep=2)
    store = reports.Workspace.create(str(tmp_path))
    (project,) = store.list_projects()
    names = {store.get_run(project.id, run).name for run in store.list_runs(project.id)}
    assert names == {"data to application: second", "data to application: third"}
