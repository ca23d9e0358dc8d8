"""A small baseline asks the fewest probes in the fewest rounds that can be accepted."""

from collections import Counter

import pytest

from evals.errors import DatasetError
from evals.probes import selection
from evals.watch.model import CellReply, Probe
from evals.watch.rounds import BATCH, expected, small


def probe(kind: str, number: int, twin: str = "") -> Probe:
    return Probe(
        id=f"{kind}{number}{twin}",
        question=f"{kind} {number}?",
        origin="canary" if kind == "canary" else "golden",
        strata=(),
        values=() if kind == "abstain" else ("28 days",),
    )


EVERY = [
    *(probe("canary", n, twin) for n in range(50) for twin in ("", "#own")),
    *(probe("golden", n, twin) for n in range(29) for twin in ("", "#own")),
    *(probe("abstain", n) for n in range(17)),
]
QUESTIONS = 50 + 29 + 17


class Stack:
    """Answers every probe rightly but those in `wrong`, and remembers what it was asked."""

    def __init__(self, wrong=lambda probe, number: False):
        self.wrong, self.rounds, self.plans = wrong, [], []

    def ask(self, probes, number):
        self.rounds.append((number, list(probes)))
        return [
            CellReply(
                probe=p.id, cell="11", score=float(not self.wrong(p, number)), status="", text=""
            )
            for p in probes
        ]

    def questions(self, number):
        return Counter(p.question for n, probes in self.rounds if n == number for p in probes)


def test_it_stops_as_soon_as_enough_are_right_of_each_kind():
    stack = Stack()
    right, rounds = small(EVERY, stack.ask, stack.plans.append)
    assert len(stack.questions(0)) <= 4 * BATCH < QUESTIONS
    assert len(rounds) == selection.LEAST_ROUNDS
    assert {reply.probe for reply in rounds[0]} == {p.id for p in right}
    chosen = selection.select(right, rounds, drawn=False)
    assert chosen.probes == right
    assert chosen.rounds == selection.LEAST_ROUNDS - 1


def test_a_question_and_its_twin_are_asked_together():
    stack = Stack()
    small(EVERY, stack.ask, stack.plans.append)
    batches = [{p.question for p in probes} for number, probes in stack.rounds if number == 0]
    assert [len(batch) for batch in batches] == [BATCH] * len(batches)
    assert sum(map(len, batches)) == len(set().union(*batches))


def test_only_what_was_right_is_asked_again_and_how_much_is_left_is_told():
    stack = Stack(lambda probe, number: probe.id.endswith("#own"))
    right, _ = small(EVERY, stack.ask, stack.plans.append)
    assert not any(p.id.endswith("#own") for p in right)
    again = set(stack.questions(1))
    assert again == {p.question for p in right} == set(stack.questions(2))
    assert stack.plans == [6 * len(again)]  # two rounds, and the four cells
    assert expected(EVERY) >= QUESTIONS


def test_a_weak_model_is_asked_everything():
    stack = Stack(lambda probe, number: probe.id.endswith("#own") or "7" in probe.id)
    right, _ = small(EVERY, stack.ask, stack.plans.append)
    assert len(right) >= 60
    assert len(stack.questions(0)) > QUESTIONS - 2 * BATCH


def test_too_few_right_ones_are_refused_after_the_first_round():
    stack = Stack(lambda probe, number: not probe.values)
    with pytest.raises(DatasetError, match="0 of 10 probes whose answer is to abstain"):
        small(EVERY, stack.ask, stack.plans.append)
    assert {number for number, _ in stack.rounds} == {0}
    assert stack.plans == []


def test_the_round_that_chose_them_is_not_in_the_baseline():
    """A probe that was right by luck would make it too good."""
    lucky = small(EVERY, Stack().ask, lambda left: None)[0][0].id
    stack = Stack(lambda probe, number: probe.id == lucky and number > 0)
    right, rounds = small(EVERY, stack.ask, stack.plans.append)
    chosen = selection.select(right, rounds, drawn=False)
    assert chosen.baseline[lucky] == 0.0
