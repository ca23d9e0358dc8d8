"""Users' questions that moved are told from numbers; faults, probes and noise never are."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.layers_app import AT, BASELINE, PROBES, cycle, verdict

from contracts.answer import AnswerEvent
from contracts.status import BundleStatus, Pin
from evals.probes.selection import ProbeSet
from evals.settings import Settings
from evals.watch import watcher, workload
from evals.watch.accepted import Accepted
from evals.watch.cycle import Cycles, Seen
from evals.watch.detector import State, digest, streams
from evals.watch.facts import Facts
from evals.watch.ledger import Ledger
from evals.watch.model import Card, Cycle, Verdict
from evals.watch.workload import KEPT, LEAST, read, told

BEFORE, SINCE = AT - timedelta(hours=6), AT + timedelta(minutes=5)  # AT is the accept
Users = Callable[..., list[AnswerEvent]]


@pytest.fixture
def users(event: Callable[..., AnswerEvent]) -> Users:
    """Questions, one a second, that vary as people's do."""

    def build(at: Any, count: int = LEAST, **changed: Any) -> list[AnswerEvent]:
        evidence, characters = changed.pop("evidence", 0.8), changed.pop("characters", 40)
        rest = {"probe": changed.pop("probe", False), "documents": ["hr/leave.md"]}
        abstained = changed.pop("abstained", 0.04)
        own = ("bundle", "model", "embedder", "prompt_tokens")
        given = {name: changed.pop(name) for name in own if name in changed}
        return [
            event(
                f"r{n}",
                question_characters=characters + n % 10,
                evidence=evidence + (n % 10 - 4.5) / 50,
                status="abstained" if n < abstained * count else "answered",
                **given,
            ).model_copy(update={"at": at + timedelta(seconds=n)} | rest | changed)
            for n in range(count)
        ]

    return build


def write(path: Path, *parts: Sequence[AnswerEvent], last: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [event.model_dump_json() + "\n" for part in parts for event in part]
    path.write_text("".join(lines) + last)
    return path


def test_evidence_that_fell_is_told_with_both_means_and_since_when(users: Users) -> None:
    assert told(users(BEFORE), users(SINCE, 120, evidence=0.55)) == [
        "the evidence of their answers fell from 0.80 to 0.55 in 120 questions "
        "since 2026-11-23 16:05 UTC"
    ]


@pytest.mark.parametrize(
    ("changed", "clause"),
    [
        ({"characters": 90}, "the characters of a question rose from 44 to 94 in 100 questions"),
        ({"abstained": 0.4}, "the share of abstentions rose from 4% to 40% in 100 questions"),
        ({"prompt_tokens": 950}, "the tokens of a prompt rose from 900 to 950 in 100 questions"),
    ],
)
def test_longer_questions_prompts_that_grew_and_more_abstentions_are_told(
    users: Users, changed: dict[str, Any], clause: str
) -> None:
    (found,) = told(users(BEFORE), users(SINCE, **changed))
    assert found.startswith(clause)


def test_another_source_that_leads_is_told_and_a_new_source_is_not(users: Users) -> None:
    travel = {"documents": ["travel/hotel.md", "hr/leave.md"]}
    before = users(BEFORE, 90) + users(BEFORE + timedelta(hours=1), 10, **travel)
    now = users(SINCE, 30) + users(SINCE + timedelta(minutes=1), 70, **travel)
    assert [clause.partition(" in ")[0] for clause in told(before, now)] == [
        "the share of answers led by source hr fell from 90% to 30%",
        "the share of answers led by source travel rose from 10% to 70%",
    ]
    assert told(users(BEFORE), users(SINCE, **travel)) == []


def test_steady_questions_are_not_told(users: Users) -> None:
    steady = users(SINCE, 120, evidence=0.79, characters=41, abstained=0.1)
    assert told(users(BEFORE), steady) == []


def test_too_few_questions_on_either_side_say_nothing(users: Users) -> None:
    few = LEAST - 1
    assert told(users(BEFORE, few), users(SINCE, evidence=0.2)) == []
    assert told(users(BEFORE), users(SINCE, few, evidence=0.2)) == []
    assert told([], []) == []


@pytest.mark.parametrize("other", ["bundle", "model", "embedder"])
def test_what_layers_decide_too_is_compared_within_one_bundle_model_and_embedder(
    users: Users, other: str
) -> None:
    before, changed = users(BEFORE), {other: "edited"}
    assert told(before, users(SINCE, evidence=0.2, abstained=0.5, **changed)) == []
    longer = told(before, users(SINCE, evidence=0.2, characters=90, **changed))
    assert [clause[:28] for clause in longer] == ["the characters of a question"]


def test_an_answer_whose_model_is_unknown_hides_no_other(users: Users) -> None:
    degraded = users(SINCE + timedelta(hours=1), 1, model="unknown")
    (clause,) = told(users(BEFORE), users(SINCE, evidence=0.55) + degraded)
    assert clause.startswith("the evidence of their answers fell")


def test_answers_beside_a_cycle_that_was_not_well_are_no_workload(users: Users) -> None:
    before, hurt = users(BEFORE), users(SINCE, evidence=0.2)

    def cycles(*statuses: Any) -> list[Verdict]:
        return [verdict(s, at=AT + timedelta(hours=n - 1)) for n, s in enumerate(statuses)]

    assert told(before, hurt, cycles("OK", "OK", "FAULT")) == []
    assert told(before, hurt, cycles("OK", "FAULT", "OK")) == []
    assert told(before, hurt, cycles("FAULT", "OK", "OK")) == []
    assert told(before, hurt, cycles("OK", "OK", "WORKLOAD", "FAULT")) != []


def test_users_events_are_split_at_the_accept_and_the_newest_are_kept(
    users: Users, tmp_path: Path
) -> None:
    older, before, now = users(BEFORE, 30), users(AT - timedelta(hours=1), KEPT), users(SINCE)
    path = write(tmp_path / "answers.jsonl", older, before, now)
    assert read(path, AT) == (before, now)
    assert read(path, BEFORE) == ([], [*older, *before, *now][-KEPT:])
    assert read(path, AT + timedelta(days=1)) == ([*before, *now][-KEPT:], [])


def test_probes_events_never_count(users: Users, tmp_path: Path) -> None:
    before, now = users(BEFORE), users(SINCE)
    probes = users(SINCE, KEPT, evidence=0.1, probe=True)
    spaced = probes[0].model_dump_json().replace('"probe":true', '"probe": true')
    path = write(tmp_path / "answers.jsonl", before, probes, now, probes, last=spaced + "\n")
    assert read(path, AT) == (before, now)


def test_a_user_who_writes_that_it_is_a_probe_is_counted(users: Users, tmp_path: Path) -> None:
    now = users(SINCE, question='{"probe":true,"at":"2020-01-01T00:00:00Z"}')
    assert read(write(tmp_path / "answers.jsonl", now), AT) == ([], now)


def test_lines_that_do_not_parse_are_passed_over(users: Users, tmp_path: Path) -> None:
    before, now = users(BEFORE), users(SINCE)
    half = now[0].model_dump_json()[:-30]
    path = write(tmp_path / "answers.jsonl", before, now, last=half)
    assert read(path, AT) == (before, now)
    path.write_bytes(b'\xff\x00\n{"at":"2026-99-99T00:00:00Z"}\n')
    assert read(path, AT) == ([], [])


def test_a_large_file_is_read_beside_the_accept_and_at_its_end_only(
    users: Users, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, now = users(BEFORE, 400), users(SINCE, 400)
    path = write(tmp_path / "answers.jsonl", before, now)
    monkeypatch.setattr(workload, "SPAN", path.stat().st_size // 20)
    old, new = read(path, AT)
    assert (old, new) == (before[-len(old) :], now[-len(new) :])
    assert 10 <= len(old) <= 41
    assert 10 <= len(new) <= 41


def test_without_a_file_of_events_nothing_is_compared(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl", AT) == ([], [])
    (tmp_path / "empty.jsonl").touch()
    assert read(tmp_path / "empty.jsonl", AT) == ([], [])


def accepted() -> Accepted:
    probes = ProbeSet(
        probes=PROBES,
        baseline=BASELINE,
        variance=dict.fromkeys(BASELINE, 0.0),
        deltas=dict.fromkeys(streams(PROBES), 0.03),
        rounds=4,
        seed=0,
        digest=digest(PROBES),
    )
    pin = Pin(
        name="accepted",
        index="accepted",
        of="faultline",
        collection="c",
        documents=1,
        chunks=1,
        created_at=AT,
    )
    application = BundleStatus(build="b", bundle="b", prompts={}, settings={})
    return Accepted(
        at=AT,
        reason=None,
        pin=pin,
        facts=Facts(embedder=None, llms={}, application=application, index="i"),
        application=application,
        probes=probes,
        cycle=cycle(()),
        replica_replies={},
        versions={},
    )


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Cycle], Card]:
    """The card of the watcher after a cycle, in a state folder where AT was accepted."""
    settings = Settings(state_dir=tmp_path, probe_key=None, webhook_url="")
    with Ledger(settings.ledger) as ledger:
        ledger.accept(AT, accepted().model_dump_json())
    monkeypatch.setattr(watcher, "candidates", lambda _: PROBES)

    def once(seen: Cycle) -> Card:
        monkeypatch.setattr(Cycles, "run", lambda *_: Seen(seen, PROBES))
        return watcher.Watcher(settings, lambda function, items, _: [*map(function, items)]).once()

    return once


def test_the_watcher_says_workload_where_probes_are_well_and_users_questions_moved(
    users: Users, watched: Callable[[Cycle], Card], tmp_path: Path
) -> None:
    assert watched(cycle((), AT + timedelta(hours=1))).verdict.status == "OK"  # without a file
    write(tmp_path / "events/answers.jsonl", users(BEFORE), users(SINCE, evidence=0.55))
    card = watched(cycle((), AT + timedelta(hours=2)))
    assert (card.verdict.status, card.verdict.layers) == ("WORKLOAD", ())
    assert card.verdict.reason == (
        "Probes are well, users' questions moved: the evidence of their answers fell from 0.80 "
        "to 0.55 in 100 questions since 2026-11-23 16:05 UTC."
    )


def test_answers_of_a_fault_before_the_accept_are_nothing_to_compare_with(
    users: Users, watched: Callable[[Cycle], Card], tmp_path: Path
) -> None:
    at = AT - timedelta(hours=5)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append(cycle((), at), verdict("FAULT", "data", at=at), None, State())
    hurt = users(at - timedelta(minutes=5), evidence=0.55)
    write(tmp_path / "events/answers.jsonl", hurt, users(SINCE))
    assert watched(cycle((), AT + timedelta(hours=1))).verdict.status == "OK"


def test_answers_of_a_fault_that_is_over_are_no_workload(
    users: Users, watched: Callable[[Cycle], Card], tmp_path: Path
) -> None:
    hours = [AT + timedelta(hours=n) for n in range(1, 5)]
    cards = [watched(cycle(("01", "11"), at, probes=6)) for at in hours]
    assert cards[-1].verdict.status == "FAULT"
    hurt = users(hours[-1] + timedelta(minutes=5), evidence=0.55)
    write(tmp_path / "events/answers.jsonl", users(BEFORE), hurt)
    assert watched(cycle((), AT + timedelta(hours=5))).verdict.status == "OK"


def test_a_fault_is_never_hidden_by_questions_that_moved(
    users: Users, watched: Callable[[Cycle], Card], tmp_path: Path
) -> None:
    write(tmp_path / "events/answers.jsonl", users(BEFORE), users(SINCE, evidence=0.55))
    hours = [AT + timedelta(hours=n) for n in range(1, 6)]
    cards = [watched(cycle(("01", "11"), at, probes=6)) for at in hours]
    # Six probes are too few for a suspicion at once; from it on, nothing else is said.
    assert [card.verdict.status for card in cards[1:]] == ["SUSPECT", "FAULT", "FAULT", "FAULT"]
    assert cards[-1].verdict.layers == ("application",)
