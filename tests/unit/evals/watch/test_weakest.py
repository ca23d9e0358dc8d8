"""The layer that gets least time is named from commits, incidents and overdue limits."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evals.watch.model import Change, Cycle, Indicator, Layer, Status, Verdict
from evals.watch.weakest import commits_by_layer, weakest

AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
COMMITS: dict[Layer, int] = {"data": 12, "serving": 4, "application": 25}


def verdict(status: Status, *layers: Layer) -> Verdict:
    return Verdict(cycle="c", at=AT, status=status, layers=layers)


def cycle(changes: list[Change] | None = None, indicators: list[Indicator] | None = None) -> Cycle:
    return Cycle(
        id="c",
        at=AT,
        seconds=1,
        replies=[],
        replayed={},
        changes=changes or [],
        indicators=indicators or [],
        lag_seconds={},
        generations=0,
    )


def bundle(age: timedelta) -> Change:
    return Change(layer="application", what="bundle", before="a", after="b", since=AT - age)


def test_with_nothing_else_the_layer_with_fewest_commits_is_weakest() -> None:
    found = weakest(COMMITS, [], cycle(), chosen="serving")
    assert [row.layer for row in found.rows] == ["serving", "data", "application"]
    assert found.sentence == (
        "You spend least time on serving (last 30 days: commits 4 of 41, incidents 0, "
        "overdue limits 0); you chose serving."
    )


def test_incidents_count_once_however_many_cycles_they_last() -> None:
    fault, ok = verdict("FAULT", "data"), verdict("OK")
    lasting = [fault, fault, verdict("UNSURE"), verdict("NO DATA"), fault, ok, fault]
    found = weakest(COMMITS, lasting, None)
    assert {row.layer: row.incidents for row in found.rows}["data"] == 2
    assert found.layer == "data"


def test_a_broken_contract_is_overdue() -> None:
    broken = Indicator(layer="serving", source="contract", what="manifest", detail="no template")
    found = weakest(None, [], cycle(indicators=[broken]))
    assert {row.layer: row.overdue for row in found.rows}["serving"] == ("manifest: no template",)


def test_overdue_limits_come_from_the_last_cycle_and_drift_is_none() -> None:
    limits = [
        Indicator(layer="data", source="freshness", what="handbook", detail="3 h, limit 1 h"),
        Indicator(layer="data", source="drift", what="chunk length", detail="moved"),
    ]
    found = weakest(None, [], cycle(indicators=limits))
    assert found.rows[0].overdue == ("handbook: 3 h, limit 1 h",)
    assert found.layer == "data"


def test_a_change_is_overdue_after_a_day_without_accept() -> None:
    fresh, old = bundle(timedelta(hours=3)), bundle(timedelta(days=3))
    assert weakest(None, [], cycle([fresh])).layer is None
    found = weakest(None, [], cycle([old]))
    assert found.rows[0].overdue == ("bundle changed 3 d ago and is not accepted",)


def test_index_content_is_meant_to_change() -> None:
    synced = bundle(timedelta(days=9)).model_copy(update={"layer": "data", "what": "index content"})
    assert weakest(None, [], cycle([synced])).layer is None


def test_between_equals_fewer_commits_decide() -> None:
    often = [verdict("FAULT", "data", "application"), verdict("OK")] * 2
    commits: dict[Layer, int] = {"data": 9, "serving": 5, "application": 7}
    assert weakest(commits, often, None).layer == "application"


def test_between_equals_in_everything_nobody_stands_out() -> None:
    level: dict[Layer, int] = {"data": 5, "serving": 5, "application": 9}
    found = weakest(level, [], None)
    assert (found.layer, [row.points for row in found.rows]) == (None, [0, 0, 0])
    assert found.sentence.startswith("No layer stands out in the last 30 days;")


def test_without_git_the_sentence_says_that_commits_are_not_counted() -> None:
    found = weakest(None, [verdict("FAULT", "data", "application")], None)
    assert found.layer is None
    assert "no git history" in found.sentence


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("", "the worst choice is none"),
        ("frontend", "the worst choice is none"),
        ("serving", "you chose serving."),
        ("data", "you chose data, so choose again or shift the work."),
    ],
)
def test_the_teams_own_choice_is_held_against_the_figures(chosen: str, said: str) -> None:
    assert said in weakest(COMMITS, [], None, chosen=chosen).sentence


def commit(root: Path, folder: str, at: datetime) -> None:
    (root / folder).mkdir(exist_ok=True)
    (root / folder / "file").write_text(at.isoformat())
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    when = {"GIT_COMMITTER_DATE": at.isoformat(), "GIT_AUTHOR_DATE": at.isoformat()}
    for words in (["add", "."], [*who, "commit", "-q", "-m", "m"]):
        subprocess.run(["git", *words], cwd=root, check=True, env={"PATH": "/usr/bin:/bin"} | when)


def test_commits_are_counted_by_folder_and_only_recent_ones(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    now = datetime.now(UTC)
    commit(tmp_path, "ingestion", now - timedelta(days=90))
    commit(tmp_path, "ingestion", now - timedelta(days=2))
    commit(tmp_path, "application", now - timedelta(days=1))
    assert commits_by_layer(tmp_path) == {"data": 1, "serving": 0, "application": 1}


def test_without_git_commits_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commits_by_layer(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert commits_by_layer(tmp_path) is None
