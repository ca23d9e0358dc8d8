from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from contracts.answer import Answer
from evals import drawing
from evals.cli import app
from evals.errors import DatasetError
from evals.suite import coverage
from evals.suite.answers import Gold, Question, Reply
from evals.suite.coverage import Mark, Point


def mark(
    correct: bool, evidence: float | None = 0.5, answered: bool = True, answerable: bool = True
) -> Mark:
    return Mark(
        id="q",
        answerable=answerable,
        answered=answered,
        correct=correct,
        evidence=evidence,
        text="t",
    )


def test_coverage_grows_as_less_evidence_is_asked_for() -> None:
    run = [
        mark(False, 0.2),
        mark(True, 0.9),
        mark(True, 0.6),
        mark(False, 0.6),
        mark(False, 1.0, answered=False),
    ]
    assert coverage.curve(run) == [Point(0.2, 1.0), Point(0.6, 2 / 3), Point(0.8, 0.5)]


def test_a_system_without_a_score_is_a_point() -> None:
    assert coverage.curve([mark(True, None), mark(False, None), mark(False, None, False)]) == [
        Point(2 / 3, 0.5)
    ]


def test_a_system_that_answers_nothing_is_at_the_origin() -> None:
    assert coverage.curve([mark(False, answered=False)]) == [Point(0, 0)]


@pytest.mark.parametrize(
    ("gold", "status", "text", "correct"),
    [
        (Gold(answerable=True, answer="ten"), "answered", "It is ten [1].", True),
        (Gold(answerable=True, answer="ten"), "answered", "It is two.", False),
        (Gold(answerable=True, answer="ten"), "abstained", "Not ten.", False),
        (Gold(answerable=False), "answered", "It is ten.", False),
    ],
)
def test_an_answer_is_correct_when_it_holds_the_value(
    answer: Callable[..., Answer], gold: Gold, status: str, text: str, correct: bool
) -> None:
    question = Question(id="q1", question="?", kind="k", gold={"r1": gold})
    said = answer(text=text, status=status)
    reply = Reply(revision="r1", question=question, retrieved=[], bm25=[], answer=said)
    (found,) = coverage.marks([reply])
    assert (found.id, found.correct, found.answered) == ("r1/q1", correct, status == "answered")


def test_runs_are_read_as_they_were_kept_ours_first(tmp_path: Path) -> None:
    coverage.keep(tmp_path / "faultline.jsonl", [mark(True)])
    coverage.keep(tmp_path / "a-peer.jsonl", [mark(False, None)])
    runs = coverage.read(tmp_path)
    assert list(runs) == ["faultline", "a-peer"]
    assert runs["faultline"] == [mark(True)]


def test_a_dataset_that_nobody_asked_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="run `evals answers GOLDEN` first"):
        coverage.read(tmp_path)


def test_the_drawing_is_svg_with_a_line_for_a_curve_and_a_dot_for_a_point() -> None:
    text = drawing.svg("a < b", {"ours": [Point(0.1, 1), Point(0.8, 0.5)], "peer": [Point(1, 0.4)]})
    root = ElementTree.fromstring(text)
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert tags.count("polyline") == 1
    assert tags.count("circle") == 4  # each run's end, and its place in the legend
    words = [element.text for element in root.iter() if element.text]
    assert {"ours", "peer"} <= set(words)


def test_the_command_draws_every_run_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = Path(".state/evals/squad2/runs")
    coverage.keep(runs / "faultline.jsonl", [mark(True), mark(False, 0.1)])
    coverage.keep(runs / "langchain.jsonl", [mark(True, None)])
    done = CliRunner().invoke(app, ["curve"])
    assert done.exit_code == 0
    assert "faultline: answers 100%, of which 50% right" in done.output
    assert "langchain" in Path("docs/results/coverage.svg").read_text()
