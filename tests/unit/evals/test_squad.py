import json
from pathlib import Path
from typing import Any

import pytest

from evals.suite import answers, squad
from evals.suite.labels import contains

REAL = Path(__file__).parents[4] / "shared" / "data" / "squad2-dev"
ARTICLES = [f"Article {letter}" for letter in "ABCDEFGHIJKLMNOPQR"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """18 articles of a paragraph; each has three questions with an answer, and three without."""
    paragraphs: list[dict[str, Any]] = []
    queries: list[dict[str, Any]] = []
    for title in ARTICLES:
        name = title.replace(" ", "_")
        text = f"In 1871 there was nothing. {title} began in 1871. It ended later."
        paragraphs.append({"_id": f"{name}#p0", "title": title, "text": text})
        for number in range(6):
            answerable = number % 2 == 0
            queries.append(
                {
                    "_id": f"{name}-{number}",
                    "text": f"When did {title} begin ({number})?",
                    "answerable": answerable,
                    "answers": ["1871", "in 1871"] if answerable else [],
                    "gold_passages": [f"{name}#p0"] if answerable else [],
                    "source_passage": f"{name}#p0",
                    "doc": f"docs/{name}.md",
                }
            )
    root = tmp_path / "squad2-dev"
    (root / "docs").mkdir(parents=True)
    for name, rows in (("corpus", paragraphs), ("queries", queries)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (root / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return root


def test_a_row_becomes_a_question_with_the_sentence_that_answers_it(folder: Path) -> None:
    row = next(row for row in squad.everything(folder) if row["id"] == "Article_A-0")
    question = answers.Question.model_validate(row)
    (gold,) = question.gold.values()
    assert (gold.answerable, gold.values) == (True, ["1871", "in 1871"])
    assert [(label.path, label.span) for label in gold.documents] == [
        ("Article_A.md", "Article A began in 1871.")
    ]


def test_a_row_without_an_answer_has_no_gold_document(folder: Path) -> None:
    row = next(row for row in squad.everything(folder) if row["id"] == "Article_A-1")
    (gold,) = answers.Question.model_validate(row).gold.values()
    assert (gold.answerable, gold.values, gold.documents) == (False, [], [])


def test_calibration_never_touches_an_article_of_the_test_questions(folder: Path) -> None:
    def articles(split: squad.Split) -> set[str]:
        return {row["id"].rpartition("-")[0] for row in squad.sample(folder, split)}

    test, calibration = articles("test"), articles("calibration")
    assert (len(test), len(calibration), test & calibration) == (12, 6, set())


def test_half_of_any_part_from_the_start_has_no_answer(folder: Path) -> None:
    rows = squad.sample(folder, size=20)
    kinds = [row["kind"] for row in rows]
    assert kinds == ["answerable", "unanswerable"] * 10
    assert rows[:6] == squad.sample(folder, size=6)


def test_the_order_of_the_files_does_not_change_the_sample(folder: Path) -> None:
    before = squad.sample(folder)
    for name in ("queries.jsonl", "corpus.jsonl"):
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        (folder / name).write_text("\n".join(reversed(lines)), encoding="utf-8")
    assert squad.sample(folder) == before


def test_the_folder_names_its_source_and_index(folder: Path) -> None:
    assert squad.is_squad(folder)
    assert squad.name_of(folder) == "squad2"
    assert not squad.is_squad(folder / "docs")


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/squad2-dev is not there")
def test_the_published_sample_is_the_same_for_everyone() -> None:
    rows = squad.sample(REAL)
    assert [row["id"] for row in rows[:2]] == [
        "57263677ec44d21400f3dc49",
        "5ad4d55f5b96ef001a10a278",
    ]
    assert [row["kind"] for row in rows].count("answerable") == 200
    assert len(squad.sample(REAL, "calibration")) == 400
    for row in rows:
        (gold,) = row["gold"].values()
        spans = [label["span"] for label in gold["documents"]]
        values = [gold["answer"], *gold["accept"]]
        assert not gold["answerable"] or any(contains(s, v) for s in spans for v in values), row
