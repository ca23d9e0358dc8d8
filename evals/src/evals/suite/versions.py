"""A knowledge base in several versions, synced in order: is every change seen, none kept stale?

The folder holds `v1/`, `v2/` and so on, `changes.jsonl` (what changed between two of them) and
`questions.jsonl` (for each version, the answer and the document that holds it).
"""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.answer import Passage
from contracts.status import Outcome, RunReport
from evals.errors import DatasetError
from evals.suite.metrics import Estimate, Part, ratio
from evals.suite.ports import Asker, Each, Syncer

TOP = 5  # passages among which the gold document must be
DEPTH = 20  # passages searched for documents that are gone


@dataclass(frozen=True)
class KnowledgeBase:
    """Versions in order, their files, the changes that lead to each, and the questions."""

    folder: Path
    versions: list[str]
    changes: list[dict[str, Any]]
    questions: list[dict[str, Any]]

    def files(self, version: str) -> set[str]:
        """Paths of a version's files, relative to it."""
        root = self.folder / version
        return {found.relative_to(root).as_posix() for found in root.rglob("*") if found.is_file()}

    def gold(self, version: str) -> dict[str, str]:
        """Path of the gold document by question text, for the questions this version answers."""
        return {
            question["text"]: gold["doc"].removeprefix(f"{version}/")
            for question in self.questions
            for gold in question["gold"]
            if gold["version"] == version and gold["answerable"]
        }


@dataclass(frozen=True)
class VersionReport:
    """What one version's sync and questions showed."""

    version: str
    files: int
    outcomes: dict[str, int]  # paths by outcome
    moves: int
    disagreements: list[str]  # paths whose outcome differs from changes.jsonl
    unaccounted: list[str]  # files without any outcome
    quarantined: dict[str, str]  # reason by path
    recall: Estimate | None
    missed: list[str]  # questions whose gold document was not in the top 5
    stale: list[str]  # passages and citations of documents that this version does not have


def load(folder: Path) -> KnowledgeBase:
    """Read a folder of versions.

    Raises: DatasetError naming what is missing.
    """
    for needed in (folder / "changes.jsonl", folder / "questions.jsonl", folder / "v1"):
        if not needed.exists():
            raise DatasetError(
                f"{needed} is missing; a folder of versions holds v1/, v2/ ..., changes.jsonl and "
                "questions.jsonl."
            )
    return KnowledgeBase(
        folder=folder,
        versions=sorted(found.name for found in folder.glob("v[0-9]*") if found.is_dir()),
        changes=_rows(folder / "changes.jsonl"),
        questions=_rows(folder / "questions.jsonl"),
    )


def expected_outcomes(changes: Iterable[Mapping[str, Any]], version: str) -> dict[str, Outcome]:
    """Outcome by path that a sync to `version` must report; a move is a delete and an add."""
    expected: dict[str, Outcome] = {}
    for change in changes:
        if change["to"] != version:
            continue
        old, new = (_inside(change[side]) for side in ("old_path", "new_path"))
        if old is not None and old == new:
            expected[new] = "unchanged" if change["op"] == "unchanged" else "modified"
            continue
        if old is not None:
            expected[old] = "deleted"
        if new is not None:
            expected[new] = "added"
    return expected


def disagreements(
    expected: Mapping[str, Outcome], seen: Mapping[str, Outcome], was_quarantined: Set[str]
) -> list[str]:
    """What the run says otherwise than the truth, one line a path.

    A quarantined file agrees, whatever happened to it: it was seen, and its reason is reported.
    One that was quarantined before may come as added when it is first read, and go unmentioned.
    """
    return [
        f"{path}: {outcome} in truth, {said or 'not mentioned'} in the report"
        for path, outcome in sorted(expected.items())
        if (said := seen.get(path)) not in (outcome, "quarantined")
        and not (path in was_quarantined and said in (None, "added"))
    ]


def evaluate(base: KnowledgeBase, syncer: Syncer, asker: Asker, each: Each) -> list[VersionReport]:
    """Sync each version in order into one index, and question it."""
    reports: list[VersionReport] = []
    quarantined: set[str] = set()
    for version in base.versions:
        run = syncer.sync(base.folder / version)
        reports.append(_question(base, version, run, quarantined, asker, each))
        quarantined = {found.path for found in run.quarantined}
    return reports


def _question(
    base: KnowledgeBase,
    version: str,
    run: RunReport,
    was_quarantined: Set[str],
    asker: Asker,
    each: Each,
) -> VersionReport:
    files, gold = base.files(version), base.gold(version)
    texts = [question["text"] for question in base.questions]
    searched = each(lambda text: asker.search(text, DEPTH), texts, f"{version}: search")
    answers = each(asker.ask, texts, f"{version}: ask")
    hits = {
        text: gold[text] in {passage.path for passage in passages[:TOP]}
        for text, passages in zip(texts, searched, strict=True)
        if text in gold
    }
    shown: list[Passage] = [p for passages in searched for p in passages]
    shown += [p for answer in answers for p in answer.passages]
    cited = [citation.path for answer in answers for citation in answer.citations]
    expected = expected_outcomes(base.changes, version)
    return VersionReport(
        version=version,
        files=len(files),
        outcomes={name: run.count(name) for name in sorted(set(run.outcomes.values()))},
        moves=len(run.moves),
        disagreements=disagreements(expected, run.outcomes, was_quarantined),
        unaccounted=sorted(files - run.outcomes.keys()),
        quarantined={found.path: found.reason for found in run.quarantined},
        recall=ratio(Part(text, hit) for text, hit in hits.items()),
        missed=[text for text, hit in hits.items() if not hit],
        stale=sorted({*(p.path for p in shown), *cited} - files),
    )


def _inside(path: str | None) -> str | None:
    """A path relative to its version: "v2/a/b.md" -> "a/b.md"."""
    return path.split("/", 1)[1] if path else None


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
