import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.answer import Answer, Passage
from evals import measure
from evals.cli import app
from evals.errors import Unavailable
from evals.measure import marked
from evals.progress import Parallel
from evals.settings import Settings
from evals.suite import coverage
from evals.suite.answers import Gold, Question, Reply
from evals.suite.golden import GoldenSet
from evals.suite.labels import Label
from evals.suite.metrics import Estimate
from evals.suite.versions import KnowledgeBase, VersionReport

SPAN = "Leave is requested ten working days before"


def reply(answer: Answer, found: Passage, kind: str) -> Reply:
    gold = Gold(answerable=True, answer="ten", documents=[Label("leave.md", SPAN)])
    question = Question(id=kind, question="When?", kind=kind, gold={"r1": gold})
    return Reply(revision="r1", question=question, retrieved=[found], bm25=[], answer=answer)


def test_figures_go_to_the_file_that_others_look_them_up_in(
    answer: Callable[..., Answer], passage: Callable[..., Passage]
) -> None:
    found = passage("leave.md", SPAN)
    right = answer(text="ten", passages=[found], cites=("leave.md",))
    wrong = answer(text="two", passages=[found])
    measured = marked("sample", [reply(right, found, "fact"), reply(wrong, found, "table")])
    ids = {name: {row.id for row in rows} for name, rows in measured.results.items()}
    assert ids["retrieval"] == {"sample_recall_at_5", "sample_bm25_recall_at_5"}
    assert ids["answers"] >= {"sample_containment", "sample_citation_correct"}
    assert {
        kind: found["containment"].value for kind, found in measured.details["by_kind"].items()
    } == {
        "fact": 1.0,
        "table": 0.0,
    }


def test_answers_that_a_layer_failed_to_give_are_counted_beside_the_figures_they_lower(
    answer: Callable[..., Answer], passage: Callable[..., Passage]
) -> None:
    found = passage("leave.md", SPAN)
    good = answer(text="ten", passages=[found], cites=("leave.md",))
    late = good.model_copy(update={"status": "degraded"})
    rows = marked("sample", [reply(good, found, "a"), reply(late, found, "b")]).results["answers"]
    assert {row.id: (row.value, row.n) for row in rows}["sample_degraded"] == (1, 2)


def test_the_perfect_reader_has_one_figure_of_its_own(
    answer: Callable[..., Answer], passage: Callable[..., Passage]
) -> None:
    found = passage("leave.md", SPAN)
    right = answer(text="ten", passages=[found], cites=("leave.md",))
    measured = marked("squad2", [reply(right, found, "a")], reader=True)
    rows = {row.id: row.value for file in measured.results.values() for row in file}
    assert rows == {"reader_squad2": 1}


def test_waiting_times_are_figures_only_where_one_client_asked(
    answer: Callable[..., Answer], passage: Callable[..., Passage]
) -> None:
    found = passage("leave.md", SPAN)
    said = reply(answer(text="ten", passages=[found]), found, "a")
    replies = [said.model_copy(update={"first_token_ms": 900.0, "total_ms": 1500.0})]

    def waited(one_client: bool) -> dict[str, float]:
        rows = marked("sample", replies, one_client).results["answers"]
        return {row.id: row.value for row in rows if row.id.endswith("_p50_ms")}

    assert waited(True) == {
        "sample_latency_p50_ms": 100,
        "first_token_p50_ms": 900,
        "answer_p50_ms": 1500,
    }
    assert waited(False) == {"sample_latency_p50_ms": 100}


@pytest.mark.parametrize(
    ("model", "reader", "sentence"),
    [
        ("perfect-reader", False, "add --reader"),
        ("a-model", True, "the stack answers with a-model"),
    ],
)
def test_the_perfect_reader_is_never_taken_for_a_model(
    model: str, reader: bool, sentence: str
) -> None:
    with pytest.raises(Unavailable, match=sentence):
        measure._check_reader(model, reader)


@pytest.mark.parametrize("own_words", [None, "ten"])
def test_the_command_shows_each_step_to_people_and_to_machines(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    answer: Callable[..., Answer],
    passage: Callable[..., Passage],
    own_words: str | None,
) -> None:
    found = passage("leave.md", SPAN)
    said = reply(answer(text="ten", passages=[found]), found, "fact")
    measured = marked("sample", [said.model_copy(update={"own_words": own_words})])
    monkeypatch.setattr(measure, "golden_set", lambda *given: measured)
    path = tmp_path / "golden.jsonl"
    path.write_text(said.question.model_dump_json())
    shown = CliRunner().invoke(app, ["answers", str(path)]).output
    assert "in the context" in shown
    assert ("was not heard" in shown) == (own_words is None)
    printed = CliRunner().invoke(app, ["answers", str(path), "--json"]).stdout
    steps = [step["passed"] for step in json.loads(printed)["details"]["steps"]]
    assert steps == ([1, 1, 1] if own_words is None else [1, 1, 1, 1])


def test_a_golden_set_is_synced_asked_and_kept_in_an_index_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    answer: Callable[..., Answer],
    passage: Callable[..., Passage],
) -> None:
    found = passage("leave.md", SPAN)
    said = reply(answer(text="ten", passages=[found]), found, "fact")
    synced: list[str] = []
    monkeypatch.setattr(measure, "index_corpus", lambda *given: synced.append(given[2]))
    monkeypatch.setattr(measure, "committed_chunks", lambda *given: [])
    monkeypatch.setattr(measure.answers, "ask_all", lambda *given: [said])
    monkeypatch.setattr(measure.Application, "ask", lambda *given: said.answer)
    settings = Settings(state_dir=tmp_path)
    asked = GoldenSet("sample", "eval-sample", [said.question], {"r1": tmp_path})
    measured = measure.golden_set(settings, asked)
    assert synced == ["r1"]
    assert [step.passed for step in measured.details["steps"]] == [1, 1, 1]
    (kept_mark,) = coverage.read(settings.runs_dir("sample"))["faultline"]
    assert kept_mark.correct


def test_a_knowledge_base_is_as_good_as_its_worst_version_and_as_clean_as_its_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def report(version: str, recall: float, **lists: list[str]) -> VersionReport:
        empty: dict[str, list[str]] = {"disagreements": [], "unaccounted": [], "stale": []}
        found = Estimate(recall, recall, recall, 4)
        counted = {"files": 3, "outcomes": {}, "moves": 0, "quarantined": {}, "missed": []}
        return VersionReport(version=version, recall=found, **counted, **(empty | lists))

    reports = [
        report("v1", 0.5, disagreements=["a"], unaccounted=["b"], stale=["c", "d"]),
        report("v2", 1.0, disagreements=["e"], unaccounted=["f"], stale=["g"]),
    ]
    base = KnowledgeBase(tmp_path, ["v1", "v2"], [{}] * 5, [{}] * 4)
    monkeypatch.setattr(measure.versions, "load", lambda folder: base)
    monkeypatch.setattr(measure.versions, "evaluate", lambda *arguments: reports)
    rows = measure.knowledge_base(Settings(), tmp_path / "kb").results["retrieval"]
    assert {row.id: (row.value, row.n) for row in rows} == {
        "kb_recall_at_5": (0.5, 4),
        "kb_disagreements": (2, 5),
        "kb_unaccounted": (2, 6),
        "kb_stale_citations": (1, 4),
    }


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["retrieval", "nowhere"], "corpus.jsonl is missing"),
        (["answers", "nowhere.jsonl"], "There is no file nowhere.jsonl"),
        (["answers", "golden.jsonl", "--write", "--limit", "9"], "leave out --limit"),
        (["answers", "squad2-dev", "--write", "--split", "calibration"], "leave out --limit"),
        (["curve"], "No replies are kept"),
        (["index", "nowhere"], "There is no file nowhere"),
        (["report", "--dataset", "never"], "run `evals answers GOLDEN` first"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(
    command: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_tables_are_checked_without_being_changed_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stale = "<!-- results: answers -->\nold\n<!-- /results -->"
    Path("README.md").write_text(stale)
    assert CliRunner().invoke(app, ["tables", "--check"]).exit_code == 1
    assert Path("README.md").read_text() == stale
    assert CliRunner().invoke(app, ["tables"]).exit_code == 0
    assert CliRunner().invoke(app, ["tables", "--check"]).exit_code == 0


def test_many_requests_keep_their_order() -> None:
    assert Parallel(4)(lambda n: n * n, list(range(50)), "squares") == [n * n for n in range(50)]


def test_the_first_error_ends_the_work() -> None:
    def fail(n: int) -> int:
        raise ValueError(f"{n}")

    with pytest.raises(ValueError, match="0"):
        Parallel(1)(fail, [0, 1, 2], "failing")
