"""What an audit finds: nothing in a healthy index, and each defect that is put into one."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import models

from ingestion import parse
from ingestion.index import pins
from ingestion.operate.audit import Auditor, raw_documents
from ingestion.settings import Settings
from ingestion.state.runs import Runs
from ingestion.sync.request import request_for

SAMPLE = Path(__file__).parents[3] / "evals/datasets/sample"
WORDS = " ".join(f"{a}{b}ing" for a in ("walk", "talk", "jump", "sing") for b in "bcdfghklmn")
PAGE = f"""# Opening hours

Müller’s desk is open. {WORDS}

| Day | Hours |
|---|---|
| Monday | 9 to 5 |
| Tuesday | 10 to 4 |
"""


def audit(world: Any, minutes_later: float = 0, folder: Path | None = None, **options: Any) -> Any:
    settings = Settings(state_dir=world.state_dir)
    request = request_for(folder or world.folder, settings, source="docs", **options)
    now = datetime.now(UTC) + timedelta(minutes=minutes_later)
    return Auditor(request, settings, world.store, now, 900).audit(sample=1000, seed=1)


def kinds(report: Any) -> list[tuple[str, str]]:
    return [(finding.document_id, finding.kind) for finding in report.findings]


@pytest.mark.parametrize("revision", ["r1", "r2"])
def test_the_sample_is_healthy_in_each_of_its_formats(world: Any, revision: str) -> None:
    shutil.copytree(SAMPLE / revision, world.folder, dirs_exist_ok=True)
    world.sync()
    pins.pin(world.store, "faultline", "good")
    assert world.sync().status == "complete"

    report = audit(world, minutes_later=60)

    assert report.findings == []
    assert report.documents == report.checked > 60


def test_an_edited_sample_passes_the_guards_and_is_healthy_beside_the_pin_of_the_earlier_one(
    world: Any,
) -> None:
    world.sync(location=SAMPLE / "r1")
    pins.pin(world.store, "faultline", "r1")
    report = world.sync(location=SAMPLE / "r2")

    assert report.status == "complete"
    assert [note for note in report.notes if "broken export" in note] == []
    assert audit(world, minutes_later=60, folder=SAMPLE / "r2").findings == []


def test_a_change_that_no_sync_could_have_seen_is_no_finding(world: Any) -> None:
    for name in ("a", "b", "c"):
        world.write(f"{name}.md", PAGE)
    world.sync()
    world.write("a.md", PAGE + "More.")
    world.write("d.md", PAGE)
    (world.folder / "b.md").unlink()
    for entry in (world.folder / "a.md", world.folder / "d.md", world.folder):
        os.utime(entry, (0, 0))  # as a copy that keeps dates leaves them

    assert audit(world).findings == []
    assert kinds(audit(world, minutes_later=60)) == [
        ("docs/a.md", "stale"),
        ("docs/b.md", "ghost"),
        ("docs/d.md", "missing"),
    ]


def test_what_a_later_sync_passed_over_is_found_at_once(world: Any) -> None:
    world.write("a.md", PAGE)
    world.write("b.md", PAGE)
    world.sync()
    old = world.store.scroll("faultline-manifest", limit=10)[0]
    world.write("a.md", PAGE + "More.")
    world.write("c.md", PAGE)
    (world.folder / "b.md").unlink()
    world.sync()
    for point in old:  # a store that came back from a backup
        put = models.PointStruct(id=point.id, vector={}, payload=point.payload)
        world.store.upsert("faultline-manifest", [put])
    [gone] = [m for m in manifest_ids(world) if m[1] == "c.md"]
    world.store.delete("faultline-manifest", points_selector=[gone[0]])

    assert kinds(audit(world)) == [
        ("docs/a.md", "stale"),
        ("docs/b.md", "ghost"),
        ("docs/c.md", "missing"),
    ]


def manifest_ids(world: Any) -> list[tuple[Any, str]]:
    found = world.store.scroll("faultline-manifest", limit=100)[0]
    return [(p.id, p.payload["path"]) for p in found if p.payload["kind"] == "document"]


def test_a_document_in_quarantine_is_not_missing_but_its_old_version_is_stale(world: Any) -> None:
    world.write("a.md", PAGE)
    world.sync()
    world.write("a.md", " \n")
    world.write("b.md", "")
    world.write("c.pptx", "x")
    world.sync()

    report = audit(world, minutes_later=60)

    assert kinds(report) == [("docs/a.md", "stale")]
    assert "in quarantine: it has no text" in report.findings[0].detail


def rewritten(change: Callable[[str], str]) -> Callable[[Any, pytest.MonkeyPatch], None]:
    """A parser that has lost its mind: its text is changed."""

    def inject(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def bad(raw: bytes, format: str, path: str) -> Any:
            parsed = parse.parse(raw, format, path)
            return replace(parsed, text=change(parsed.text), headings=(), tables=())

        world.parse = bad
        world.write("a.md", PAGE)
        world.sync()

    return inject


def flat(text: str) -> str:
    return text.replace("|---|---|\n", "").replace("| ", "\n").replace("|", "")


def mangled(text: str) -> str:
    return text.encode().decode("cp1252")


def tripled(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("a.md", PAGE)
    world.sync()
    [point], _ = world.store.scroll("faultline", limit=1, with_vectors=True)
    copy = models.PointStruct(id=1, payload=point.payload, vector=point.vector)
    world.store.upsert("faultline", [copy])


def tiny(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("a.md", PAGE)
    world.sync()
    pins.pin(world.store, "faultline", "good")
    world.sync(chunk_tokens=20, overlap_tokens=0)


def shell(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write("a.html", f"<h1>Hours</h1><p>{WORDS}")
    world.sync()
    pins.pin(world.store, "faultline", "good")
    world.write("a.html", f"<p>Loading</p><script>show('{WORDS}')</script>")
    world.sync()


@pytest.mark.parametrize(
    ("inject", "kind"),
    [
        (rewritten(lambda text: text[: len(text) * 2 // 3]), "text lost"),
        (rewritten(flat), "tables lost"),
        (rewritten(mangled), "mojibake"),
        (rewritten(lambda text: text * 3), "shape"),
        (tripled, "shape"),
        (tiny, "shape"),
        (shell, "shape"),
    ],
    ids=["cut", "flat tables", "wrong encoding", "repeated", "chunks twice", "tiny", "shell"],
)
def test_a_defect_of_the_index_is_found(
    world: Any, monkeypatch: pytest.MonkeyPatch, inject: Any, kind: str
) -> None:
    inject(world, monkeypatch)

    assert kind in {finding.kind for finding in audit(world, minutes_later=60).findings}


def test_a_finding_that_a_second_look_does_not_see_is_dropped(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("a.md", PAGE)
    world.write("b.md", PAGE)
    world.sync()
    chunks, calls = Auditor._chunks, []

    def swept_meanwhile(self: Any, manifest: Any) -> Any:
        calls.append(manifest.path)
        return [] if len(calls) in (1, 4) else chunks(self, manifest)

    monkeypatch.setattr(Auditor, "_chunks", swept_meanwhile)

    assert audit(world).findings == []
    assert calls[:2] == calls[2:]


def test_a_source_that_cannot_be_read_is_an_error_of_the_report(world: Any) -> None:
    file = world.write("a.md", PAGE)
    world.sync()
    file.unlink()

    assert "is its folder mounted?" in str(audit(world).error)
    world.folder.rmdir()
    assert "There is nothing at" in str(audit(world).error)


def test_a_run_dated_in_the_future_by_a_wrong_clock_makes_no_finding_of_a_new_document(
    world: Any,
) -> None:
    world.write("a.md", PAGE)
    report = world.sync()
    world.write("b.md", PAGE)
    to_come = report.started_at + timedelta(hours=1)
    Runs(world.state_dir).save(report.model_copy(update={"run_id": "9", "started_at": to_come}))

    assert audit(world).findings == []
    assert kinds(audit(world, minutes_later=90)) == [("docs/b.md", "missing")]


def test_raw_documents_come_from_the_sources_as_they_are_now(world: Any, tmp_path: Path) -> None:
    world.write("sub/a.md", "# A\n\nText.")
    world.write("b.pptx", "x")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"_id": "7", "title": "T", "text": "row"}\n')
    settings = Settings(sources={"docs": world.folder, "rows": {"path": rows}})

    [a, b, gone, row] = raw_documents(
        ["docs/sub/a.md", "docs/b.pptx", "docs/../a", "rows/7"], settings
    )

    assert (a.found, a.text, len(str(a.version))) == (True, "# A\n\nText.", 64)
    assert (b.found, b.text) == (True, "")
    assert (gone.found, gone.version) == (False, None)
    assert row.text == "T\nrow"
