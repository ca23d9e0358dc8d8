import json
from pathlib import Path

import pytest

from evals.errors import DatasetError
from evals.suite import golden

GOLD = {"answerable": False}


@pytest.fixture
def golden_file(tmp_path: Path) -> Path:
    folder = tmp_path / "sample"
    folder.mkdir()
    rows = [
        {"id": f"q{n}", "question": "?", "kind": "k", "gold": {"r2": GOLD, "r1": GOLD}}
        for n in range(20)
    ]
    path = folder / "golden.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_golden_file_has_its_revisions_beside_it_and_an_index_of_its_own(
    golden_file: Path,
) -> None:
    found = golden.load(golden_file)
    assert (found.name, found.index, len(found.questions)) == ("sample", "eval-sample", 20)
    assert found.corpora == {"r1": golden_file.parent / "r1", "r2": golden_file.parent / "r2"}


def test_a_limit_keeps_the_same_questions_whatever_their_order(golden_file: Path) -> None:
    chosen = [question.id for question in golden.load(golden_file, limit=5).questions]
    lines = golden_file.read_text().splitlines()
    golden_file.write_text("\n".join(reversed(lines)))
    assert [question.id for question in golden.load(golden_file, limit=5).questions] == chosen
    assert chosen != [f"q{n}" for n in range(5)]


def test_a_folder_in_squads_form_is_asked_of_its_articles(tmp_path: Path) -> None:
    folder = tmp_path / "squad2-dev"
    (folder / "docs").mkdir(parents=True)
    paragraph = {"_id": "A#p0", "title": "A", "text": "A began in 1871."}
    base = {"gold_passages": ["A#p0"], "source_passage": "A#p0", "doc": "docs/A.md"}
    rows = [
        base | {"_id": "1", "text": "When?", "answerable": True, "answers": ["1871"]},
        base
        | {"_id": "2", "text": "Who?", "answerable": False, "answers": []}
        | {"gold_passages": []},
    ]
    (folder / "corpus.jsonl").write_text(json.dumps(paragraph))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    found = golden.load(folder)
    assert (found.name, found.index) == ("squad2", "squad2")
    assert found.corpora == {"test": folder / "docs"}
    assert [question.kind for question in found.questions] == ["answerable", "unanswerable"]


def test_a_folder_in_no_known_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="name a golden set"):
        golden.load(tmp_path)


def test_an_empty_golden_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text("")
    with pytest.raises(DatasetError, match="has no question"):
        golden.load(tmp_path / "golden.jsonl")
