"""The rounds of questions by which an accept chooses its probes and sees how steady they are."""

import random
from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from evals.probes import selection
from evals.watch.model import CellReply, Probe

ROUNDS = 4  # of the same questions, each in another order
ROUNDS_OF_NOISE = 20  # of those whose replies vary
BATCH = 12  # questions of a small baseline, until enough were right
EXPECTED = 50  # questions that a small baseline will have

T = TypeVar("T")

Ask = Callable[[Sequence[Probe], int], list[CellReply]]  # probes, and the number of the round
Rounds = list[Sequence[CellReply]]


def whole(every: Sequence[Probe], ask: Ask) -> tuple[list[Probe], Rounds]:
    """Every probe in ROUNDS rounds; those whose replies vary, in ROUNDS_OF_NOISE."""
    asked, rounds = list(every), Rounds()
    while asked and len(rounds) < ROUNDS_OF_NOISE:
        rounds.append(ask(_shuffled(asked, len(rounds)), len(rounds)))
        if len(rounds) >= ROUNDS:
            varying = _varying(rounds)
            asked = [probe for probe in every if probe.id in varying]
    return list(every), rounds


def small(
    every: Sequence[Probe], ask: Ask, plan: Callable[[int], None]
) -> tuple[list[Probe], Rounds]:
    """The fewest probes and rounds that can be accepted: those that a first round got right.

    `plan` is told how many questions are left once that is known.

    Raises: DatasetError where too few are right.
    """
    questions = _mixed(every)
    first: list[CellReply] = []
    right: list[Probe] = []
    for start in range(0, len(questions), BATCH):
        batch = [probe for twins in questions[start : start + BATCH] for probe in twins]
        replies = ask(batch, 0)
        scores = {reply.probe: reply.score for reply in replies}
        first += replies
        right += [probe for probe in batch if scores[probe.id] == 1]
        if selection.is_ample(right):
            break
    selection.check(right)
    plan(_left(len({probe.question for probe in right})))
    again = [ask(_shuffled(right, number), number) for number in range(1, selection.LEAST_ROUNDS)]
    ids = {probe.id for probe in right}
    return right, [[reply for reply in first if reply.probe in ids], *again]


def expected(every: Sequence[Probe]) -> int:
    """Questions of a small baseline, as far as is known before the first."""
    return len(_mixed(every)) + _left(EXPECTED)


def _left(questions: int) -> int:
    """After the first round: the other rounds, and the four cells."""
    return (selection.LEAST_ROUNDS - 1 + 4) * questions


def _mixed(every: Sequence[Probe]) -> list[list[Probe]]:
    """Probes by question, the three kinds that an accept needs in turn, else in no order."""
    questions: dict[str, list[Probe]] = {}
    for probe in every:
        questions.setdefault(probe.question, []).append(probe)
    kinds: dict[str, list[list[Probe]]] = {}
    for twins in _shuffled(list(questions.values()), 0):
        kind = twins[0].origin if twins[0].values else "abstain"
        kinds.setdefault(kind, []).append(twins)
    return [twins for twins in chain(*zip_longest(*kinds.values())) if twins]


def _shuffled(items: Sequence[T], seed: int) -> list[T]:
    return random.Random(seed).sample(items, len(items))  # noqa: S311


def _varying(rounds: Sequence[Sequence[CellReply]]) -> set[str]:
    """Probes whose replies were not all the same: only they need many rounds."""
    found: dict[str, set[str]] = {}
    for reply in (reply for each in rounds for reply in each):
        found.setdefault(reply.probe, set()).add(f"{reply.score} {reply.text}")
    return {probe for probe, different in found.items() if len(different) > 1}
