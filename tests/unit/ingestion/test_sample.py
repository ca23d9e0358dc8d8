"""Chunks of a run beside their raw source."""

from pathlib import Path
from typing import Any

import pytest

from ingestion.errors import DocumentError
from ingestion.parse import Parsed
from ingestion.sync.sample import RUNS_KEPT, Sample, Samples

PAGE = "# {title}\n\nThe {title} is kept in the cupboard next to the door.\n"


def newest(world: Any, source: str | None = None) -> Sample:
    found = Samples(world.state_dir).newest("faultline", source)
    assert found
    return found


def test_a_run_samples_twenty_of_the_chunks_that_it_wrote_from_as_many_documents(
    world: Any,
) -> None:
    world.write("long.md", PAGE.format(title="key") * 300)
    for i in range(15):
        world.write(f"{i}.md", PAGE.format(title=f"lamp {i}"))

    report = world.sync()

    sample = newest(world)
    assert (sample.run_id, sample.chunks_written) == (report.run_id, report.chunks_written)
    assert len(sample.chunks) == 20
    assert len({each.document_id for each in sample.chunks}) == 16
    chunks = world.chunks()
    assert all(chunks[each.chunk_id]["text"] == each.text for each in sample.chunks)
    assert len({each.chunk_id for each in sample.chunks}) == 20


def test_a_run_that_wrote_fewer_samples_all_and_one_that_wrote_none_leaves_the_last(
    world: Any,
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.write("lamp.md", PAGE.format(title="lamp"))
    world.sync()
    world.write("lamp.md", PAGE.format(title="new lamp"))
    written = world.sync()

    world.sync()

    sample = newest(world)
    assert sample.run_id == written.run_id
    assert [each.document_id for each in sample.chunks] == ["docs/lamp.md"]


def test_the_raw_source_is_shown_markup_and_all_around_the_chunk(world: Any) -> None:
    filler = "".join(f"<p>Paragraph {i} says that thing number {i} is blue.</p>" for i in range(15))
    cells = "<tr><td class='a'>Monday morning</td><td>nine to ten o'clock</td></tr>"
    world.write(
        "page.html",
        f"<html><body><main>{filler}<table>{cells}</table>{filler}</main></body></html>",
    )
    world.sync(chunk_tokens=50)

    sampled = next(each for each in newest(world).chunks if "Monday" in each.text)

    assert cells in sampled.raw
    assert len(sampled.raw) < 3 * len(sampled.text) + 600
    assert sampled.note == ""


def test_what_cannot_be_shown_says_why(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Parsed("Notice", "The lamp is kept in the cupboard next to the door.", pages=(0,))
    monkeypatch.setattr("ingestion.parsers.pdf.parse", lambda raw, name: said)
    world.write("notice.pdf", b"%PDF")
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()
    notes = {each.document_id: each.note for each in newest(world).chunks}
    world.write("keys.md", PAGE.format(title="badge"))
    monkeypatch.setattr("ingestion.sync.sample.decoded", refusing)
    world.sync()

    assert notes["docs/notice.pdf"] == (
        "a pdf file is not plain text: open notice.pdf beside it, at page 1"
    )
    assert newest(world).chunks[0].note == "the raw document: its encoding cannot be told"
    assert newest(world).chunks[0].raw == ""


def refusing(raw: bytes) -> str:
    raise DocumentError("its encoding cannot be told")


def test_a_chunk_that_says_what_its_source_does_not_is_told(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    monkeypatch.setattr("ingestion.sync.sample.decoded", lambda raw: "Something else, as said")

    world.sync()

    assert "is its parser right?" in newest(world).chunks[0].note


def test_a_sample_that_fails_is_a_note_and_not_a_failed_run(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.state_dir.mkdir()
    (world.state_dir / "samples").write_text("a file where a folder should be")

    assert world.sync().status == "complete"
    assert any(note.startswith("no chunks were sampled: ") for note in world.notes)


def test_only_the_newest_samples_are_kept(world: Any) -> None:
    for i in range(RUNS_KEPT + 2):
        world.write("keys.md", PAGE.format(title=f"key {i}"))
        report = world.sync()

    files = sorted((world.state_dir / "samples").rglob("*.*"))
    assert len(files) == RUNS_KEPT
    assert files[-1].stem == report.run_id


def test_the_command_shows_both_sides_and_writes_a_page_that_runs_nothing(
    world: Any, ingestion: Any, tmp_path: Path
) -> None:
    attack = "<script>alert(1)</script> The lamp is in the hall next to the door.\x1b[31m [red]x"
    world.write("keys.txt", attack)
    missing = ingestion("sample")
    world.sync()
    page = tmp_path / "sample.html"

    text = ingestion("sample", "docs").stdout
    written = ingestion("sample", "--page", page)
    told = ingestion("sample", "docs", "--json", "--page", page)

    assert missing.exit_code == 2
    assert "`ingestion sync <folder>` samples" in " ".join(missing.stderr.split())
    assert "docs/keys.txt#0" in text
    assert "[red]x" in text
    assert "\x1b" not in text
    assert r"\x1b[31m" in text
    assert f"Wrote {page}" in written.stdout
    html = page.read_text()
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert Sample.model_validate_json(told.stdout).chunks[0].raw == attack
    assert ingestion("sample", "other").exit_code == 2


def test_a_page_that_cannot_be_written_is_told_by_its_name(world: Any, ingestion: Any) -> None:
    world.write("keys.md", PAGE.format(title="key"))
    world.sync()

    result = ingestion("sample", "--page", world.folder)

    assert result.exit_code == 2
    assert f"{world.folder} cannot be written (Is a directory): name another" in result.stderr
