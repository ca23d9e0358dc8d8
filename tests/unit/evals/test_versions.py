import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.answer import Answer, Passage
from contracts.status import Quarantined, RunReport
from evals.errors import DatasetError
from evals.suite import versions

CHANGES = [
    {"from": "v1", "to": "v2", "op": "added", "old_path": None, "new_path": "v2/new.md"},
    {"from": "v1", "to": "v2", "op": "deleted", "old_path": "v1/gone.md", "new_path": None},
    {"from": "v1", "to": "v2", "op": "moved", "old_path": "v1/a/x.md", "new_path": "v2/b/x.md"},
    {"from": "v1", "to": "v2", "op": "modified", "old_path": "v1/m.md", "new_path": "v2/m.md"},
    {"from": "v1", "to": "v2", "op": "unchanged", "old_path": "v1/u.md", "new_path": "v2/u.md"},
    {"from": "v2", "to": "v3", "op": "deleted", "old_path": "v2/m.md", "new_path": None},
]
QUESTION = {
    "_id": "q",
    "text": "where?",
    "kind": "fact",
    "gold": [
        {"version": "v1", "answerable": True, "doc": "v1/gone.md", "answer": "x", "evidence": "x"},
        {"version": "v2", "answerable": False, "doc": None, "answer": None, "evidence": None},
    ],
}
TRUTH = {
    "new.md": "added",
    "gone.md": "deleted",
    "a/x.md": "deleted",
    "b/x.md": "added",
    "m.md": "modified",
    "u.md": "unchanged",
}
FILES = {"v1": ["gone.md", "a/x.md", "m.md", "u.md"], "v2": ["new.md", "b/x.md", "m.md", "u.md"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for version, paths in FILES.items():
        for path in paths:
            (tmp_path / version / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / version / path).write_text(path)
    (tmp_path / "changes.jsonl").write_text("\n".join(json.dumps(row) for row in CHANGES))
    (tmp_path / "questions.jsonl").write_text(json.dumps(QUESTION))
    return tmp_path


class Syncs:
    """Reports the outcomes it was given, one version after the other."""

    def __init__(self, *outcomes: dict[str, str], quarantined: tuple[str, ...] = ()) -> None:
        self.outcomes = list(outcomes)
        self.quarantined = quarantined

    def sync(self, source: Path, options: Any = ()) -> RunReport:
        reasons = [
            Quarantined(path=path, reason="empty", sha256="0", raw_bytes=0, attempts=3)
            for path in self.quarantined
        ]
        return RunReport.model_validate(
            {
                "run_id": source.name,
                "flow_run_id": None,
                "source": "kb",
                "tenant": "default",
                "index": "bench-kb",
                "collection": "c",
                "status": "complete",
                "started_at": datetime(2026, 11, 22, tzinfo=UTC),
                "seconds": 1.0,
                "outcomes": self.outcomes.pop(0),
                "moves": [],
                "quarantined": reasons,
                "chunks_written": 1,
                "chunks_embedded": 1,
                "chunks_swept": 0,
            }
        )


class Asks:
    """Finds and cites one document, whatever is asked."""

    def __init__(self, found: Passage | list[Passage], answer: Answer) -> None:
        self.found = found if isinstance(found, list) else [found]
        self.answer = answer

    def search(self, question: str, limit: int, mode: str = "hybrid") -> list[Passage]:
        return self.found

    def ask(self, question: str) -> Answer:
        return self.answer


def test_a_move_is_a_delete_and_an_add() -> None:
    assert versions.expected_outcomes(CHANGES, "v2") == TRUTH


def test_a_right_report_agrees() -> None:
    assert versions.disagreements(TRUTH, TRUTH, set()) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [("new.md", None), ("gone.md", None), ("m.md", "unchanged"), ("u.md", "added")],
)
def test_a_wrong_or_missing_outcome_is_named(path: str, said: str | None) -> None:
    seen: dict[str, Any] = {**TRUTH, path: said}
    (line,) = versions.disagreements(TRUTH, seen, set())
    assert line.startswith(f"{path}: {TRUTH[path]} in truth")


def test_a_quarantined_file_agrees_now_and_in_the_next_version() -> None:
    assert versions.disagreements({"p.pdf": "modified"}, {"p.pdf": "quarantined"}, set()) == []
    assert versions.disagreements({"p.pdf": "deleted"}, {}, {"p.pdf"}) == []
    assert versions.disagreements({"p.pdf": "modified"}, {"p.pdf": "added"}, {"p.pdf"}) == []
    assert versions.disagreements({"p.pdf": "deleted"}, {"p.pdf": "unchanged"}, {"p.pdf"})


def test_each_version_is_synced_and_questioned(
    folder: Path, passage: Callable[..., Passage], answer: Callable[..., Answer], in_order: Any
) -> None:
    added = dict.fromkeys(FILES["v1"], "added")
    asker = Asks(passage("gone.md"), answer(cites=("gone.md",)))
    first, second = versions.evaluate(versions.load(folder), Syncs(added, TRUTH), asker, in_order)
    assert first.recall is not None
    assert (first.recall.value, first.stale, first.unaccounted) == (1.0, [], [])
    assert second.recall is None  # v2 answers nothing
    assert second.stale == ["gone.md"]
    assert second.outcomes == {"added": 2, "deleted": 2, "modified": 1, "unchanged": 1}


def test_the_gold_document_must_be_among_the_first_five(
    folder: Path, passage: Callable[..., Passage], answer: Callable[..., Answer], in_order: Any
) -> None:
    added = dict.fromkeys(FILES["v1"], "added")
    for others, recall in ((4, 1.0), (5, 0.0)):
        asker = Asks([*[passage("u.md")] * others, passage("gone.md")], answer())
        first, _ = versions.evaluate(versions.load(folder), Syncs(added, TRUTH), asker, in_order)
        assert first.recall is not None
        assert first.recall.value == recall


@pytest.mark.parametrize("where", ["found", "shown", "cited"])
def test_a_document_that_is_gone_is_stale_wherever_it_appears(
    where: str,
    folder: Path,
    passage: Callable[..., Passage],
    answer: Callable[..., Answer],
    in_order: Any,
) -> None:
    here, gone = passage("u.md"), passage("gone.md")
    given = answer(cites=("gone.md",) if where == "cited" else ())
    given = given.model_copy(update={"passages": [gone if where == "shown" else here]})
    asker = Asks(gone if where == "found" else here, given)
    added = dict.fromkeys(FILES["v1"], "added")
    _, second = versions.evaluate(versions.load(folder), Syncs(added, TRUTH), asker, in_order)
    assert second.stale == ["gone.md"]


def test_what_was_quarantined_before_is_remembered_for_the_next_version(
    folder: Path, passage: Callable[..., Passage], answer: Callable[..., Answer], in_order: Any
) -> None:
    read_at_last = {**TRUTH, "m.md": "added"}
    syncs = Syncs(dict.fromkeys(FILES["v1"], "added"), read_at_last, quarantined=("m.md",))
    asker = Asks(passage("u.md"), answer())
    _, second = versions.evaluate(versions.load(folder), syncs, asker, in_order)
    assert second.disagreements == []


def test_a_file_without_an_outcome_is_unaccounted(
    folder: Path, passage: Callable[..., Passage], answer: Callable[..., Answer], in_order: Any
) -> None:
    lost = {path: "added" for path in FILES["v1"] if path != "m.md"}
    asker = Asks(passage("u.md"), answer())
    first, _ = versions.evaluate(versions.load(folder), Syncs(lost, TRUTH), asker, in_order)
    assert first.unaccounted == ["m.md"]
    assert first.missed == ["where?"]


def test_a_folder_without_changes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"changes\.jsonl is missing"):
        versions.load(tmp_path)
