"""Results are merged by id, and the documents' tables are those of the results."""

from pathlib import Path

import pytest

from evals import results
from evals.errors import DatasetError
from evals.machine import Origin
from evals.results import Result, merge, read, result, table, with_tables
from evals.suite.metrics import Estimate

ROOT = Path(__file__).parents[3]
ORIGIN = Origin("evals answers golden.jsonl", "abc1234", "2026-11-22", "2 cores, EPYC, avx2")


def figure(id: str = "sample_containment", value: float = 0.61, what: str = "contained") -> Result:
    return result(id, what, Estimate(value, value - 0.1, value + 0.1, 80), ORIGIN)


def test_a_figure_carries_its_goal_its_interval_and_its_origin() -> None:
    row = figure()
    assert (row.goal, row.direction, row.n) == (0.8, ">=", 80)
    assert row.spread == (0.51, 0.71)
    assert (row.command, row.commit) == (ORIGIN.command, ORIGIN.commit)
    assert row.model_dump().keys() == {
        *("id", "what", "value", "goal", "direction", "n", "spread"),
        *("command", "commit", "date", "machine"),
    }


def test_a_count_has_no_interval() -> None:
    assert result("gov_kb_unaccounted", "x", Estimate(0, 0, 0, 9), ORIGIN).spread is None


def test_a_new_figure_replaces_the_one_of_the_same_id_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.json"
    merge(path, [figure("a", 0.1), figure("b", 0.2)])
    merge(path, [figure("a", 0.3), figure("c", 0.4)])
    assert [(row.id, row.value) for row in read(path)] == [("a", 0.3), ("b", 0.2), ("c", 0.4)]


def test_a_file_in_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "answers.json").write_text('[{"id": "a"}]')
    with pytest.raises(DatasetError, match="not a list of results"):
        merge(tmp_path / "answers.json", [figure()])


def test_a_table_shows_the_chosen_figures_between_its_marks(tmp_path: Path) -> None:
    merge(tmp_path / "answers.json", [figure("a", what="first"), figure("b", what="second")])
    document = "before\n<!-- results: answers b -->\nold\n<!-- /results -->\nafter\n"
    written = with_tables(document, tmp_path)
    assert "| second | 0.610 [0.510, 0.710] |  | 80 |" in written
    assert "first" not in written
    assert "old" not in written
    assert written.startswith("before\n<!-- results: answers b -->\n")
    assert written.endswith("<!-- /results -->\nafter\n")
    assert with_tables(written, tmp_path) == written


def test_a_table_without_a_file_says_so(tmp_path: Path) -> None:
    document = "<!-- results: bench -->\n<!-- /results -->"
    assert "*Not measured yet.*" in with_tables(document, tmp_path)


@pytest.mark.parametrize(("value", "missed"), [(0.79, True), (0.8, False)])
def test_a_missed_goal_is_said_plainly(value: float, missed: bool) -> None:
    assert ("**missed**" in table([figure(value=value)])) is missed


def test_the_tables_in_the_documents_are_those_of_the_results() -> None:
    for document in results.documents(ROOT):
        text = document.read_text(encoding="utf-8")
        assert with_tables(text, ROOT / "docs" / "results") == text, f"{document}: `evals tables`"


def test_every_published_result_is_in_the_schema() -> None:
    for path in (ROOT / "docs" / "results").glob("*.json"):
        assert results.read(path), path
