import os
from pathlib import Path

import pytest
from tests.fakes.application import FakeAnswerLog, FakeChatModel, answerer, ask, passage

from application.adapters.events import KEPT_FILES, AnswerEvents
from contracts.answer import AnswerEvent


@pytest.fixture
async def event() -> AnswerEvent:
    log = FakeAnswerLog()
    use_case = answerer(FakeChatModel("26 weeks."), passage(), log=log)
    [_ async for _ in use_case.stream(ask("How long is parental leave?"))]
    return log.events[0]


def events_in(path: Path) -> list[AnswerEvent]:
    return [AnswerEvent.model_validate_json(line) for line in path.read_text().splitlines()]


def test_a_full_disk_loses_events_and_no_answer(
    tmp_path: Path, event: AnswerEvent, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "answers.jsonl"
    path.symlink_to("/dev/full")
    events = AnswerEvents(path)
    events.append(event)
    events.append(event)
    assert (events.lost, len(caplog.records)) == (2, 1)  # said once, not for each answer
    assert "make room" in (events.problem or "")
    path.unlink()
    events.append(event)
    assert (events.problem, events_in(path)) == (None, [event])
    events.close()


def test_a_folder_that_cannot_be_made_loses_no_answer(tmp_path: Path, event: AnswerEvent) -> None:
    (tmp_path / "events").write_text("a file is in the way")
    events = AnswerEvents(tmp_path / "events" / "answers.jsonl")
    events.append(event)
    assert events.problem


def test_a_line_that_was_written_by_half_spoils_only_itself(
    tmp_path: Path, event: AnswerEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "answers.jsonl"
    events = AnswerEvents(path)
    with monkeypatch.context() as short:
        write = os.write
        short.setattr("os.write", lambda file, data: write(file, data[:40]))
        events.append(event)
    assert events.lost == 1
    events.append(event)
    half, whole = path.read_text().splitlines()
    assert len(half) == 40
    assert AnswerEvent.model_validate_json(whole) == event
    events.close()


def test_the_file_is_set_aside_when_it_is_full_and_old_ones_go(
    tmp_path: Path, event: AnswerEvent
) -> None:
    path = tmp_path / "answers.jsonl"
    events = AnswerEvents(path, largest_bytes=1)
    for _ in range(KEPT_FILES + 4):
        events.append(event)
    events.close()
    assert events_in(path) == [event]
    assert len(list(tmp_path.glob("answers.*.jsonl"))) == KEPT_FILES


def test_a_file_that_was_moved_away_is_made_again(tmp_path: Path, event: AnswerEvent) -> None:
    path = tmp_path / "answers.jsonl"
    events = AnswerEvents(path)
    events.append(event)
    path.rename(tmp_path / "answers.old")
    events.append(event)
    events.close()
    assert events_in(path) == events_in(tmp_path / "answers.old") == [event]


def test_two_processes_share_a_file_through_its_rotation(
    tmp_path: Path, event: AnswerEvent
) -> None:
    path = tmp_path / "answers.jsonl"
    size = len(event.model_dump_json()) + 1
    both = [AnswerEvents(path, largest_bytes=size * 3) for _ in range(2)]
    for turn in range(10):
        both[turn % 2].append(event)
    for events in both:
        events.close()
    kept = [path, *tmp_path.glob("answers.*.jsonl")]
    assert sum(len(events_in(file)) for file in kept) == 10


def test_only_the_owner_may_read_events(tmp_path: Path, event: AnswerEvent) -> None:
    events = AnswerEvents(tmp_path / "answers.jsonl")
    events.append(event)
    events.close()
    assert (tmp_path / "answers.jsonl").stat().st_mode & 0o077 == 0
