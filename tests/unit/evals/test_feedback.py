"""Feedback becomes counts by version, and candidates that only a person turns into goldens."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.answer import Answer, FeedbackEvent
from evals import feedback
from evals.errors import DatasetError
from evals.suite import answers

EXAMPLE = Path(__file__).parents[2] / "contract" / "examples" / "Answer.json"


def event(**fields: object) -> FeedbackEvent:
    provenance = Answer.model_validate_json(EXAMPLE.read_bytes()).provenance
    known = {"at": datetime.now(UTC), "tenant": "t", "status": "answered", "provenance": provenance}
    return FeedbackEvent.model_validate(known | fields)


@pytest.fixture
def proposed(tmp_path: Path) -> Path:
    said = [
        event(question="How long?", vote="up", path="leave.md", span="It is 26 weeks."),
        event(question="Who pays?", vote="down", comment="Finance does"),
        event(question="Fine?", vote="up"),
        event(vote="down"),
    ]
    path = tmp_path / "proposed.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in feedback.candidates(said)))
    return path


def test_broken_lines_are_skipped(tmp_path: Path) -> None:
    file = tmp_path / "feedback.jsonl"
    file.write_text(event(vote="up").model_dump_json() + "\n{half\n")
    assert [found.vote for found in feedback.read(tmp_path / "answers.jsonl")] == ["up"]


def test_votes_are_counted_by_the_version_of_each_layer() -> None:
    counted = feedback.by_version([event(vote="up"), event(vote="down"), event(comment="x")])
    for layer in ("data", "serving", "application"):
        (votes,) = counted[layer].values()
        assert votes == {"up": 1, "down": 1, "comment": 1}


def test_only_feedback_that_says_something_of_a_question_is_proposed(proposed: Path) -> None:
    rows = [json.loads(line) for line in proposed.read_text().splitlines()]
    assert [row["question"] for row in rows] == ["How long?", "Who pays?"]


def test_a_confirmed_candidate_is_a_golden_question(proposed: Path, tmp_path: Path) -> None:
    golden = tmp_path / "golden.jsonl"
    one, two = [json.loads(line)["id"] for line in proposed.read_text().splitlines()]
    feedback.confirm(proposed, golden, one, "26 weeks")
    feedback.confirm(proposed, golden, two, None)
    first, second = answers.load(golden)
    assert first.gold["live"].values == ["26 weeks"]
    assert first.gold["live"].documents[0].path == "leave.md"
    assert not second.gold["live"].answerable


def test_an_answer_without_a_place_is_no_golden(proposed: Path, tmp_path: Path) -> None:
    two = json.loads(proposed.read_text().splitlines()[1])["id"]
    with pytest.raises(DatasetError, match="--path and --span"):
        feedback.confirm(proposed, tmp_path / "golden.jsonl", two, "Finance")
    with pytest.raises(DatasetError, match="no candidate"):
        feedback.confirm(proposed, tmp_path / "golden.jsonl", "f0", "Finance")
