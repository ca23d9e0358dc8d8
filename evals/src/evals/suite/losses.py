"""Where a value is lost on its way from the index to the user, and what statements rest on. Pure.

Each step counts only the questions that passed the one before: the passage was retrieved, the
value was among what the model was sent, the model said it, the final text holds it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from evals.suite.answers import Reply
from evals.suite.labels import contains, found, words

STEPS = ("retrieved", "in the context", "answered", "kept")
MERGED = "answered and kept"  # where the model's own reply was not heard
_CITATION = re.compile(r"\[\d+\]")


@dataclass(frozen=True)
class Step:
    """One step: how many answerable questions passed it, and how many were lost at it."""

    name: str
    passed: int
    lost: int


def steps(replies: Sequence[Reply]) -> list[Step]:
    """The steps in order. The last two are one where any model's reply was not heard."""
    answerable = [reply for reply in replies if reply.question.gold[reply.revision].answerable]
    marks = [_marks(reply) for reply in answerable]
    names = STEPS if all(mark[2] is not None for mark in marks) else (*STEPS[:2], MERGED)
    if names[-1] == MERGED:
        marks = [(*mark[:2], mark[-1]) for mark in marks]
    left = len(marks)
    rows = []
    for position, name in enumerate(names, 1):
        passed = sum(all(mark[:position]) for mark in marks)
        rows.append(Step(name, passed, left - passed))
        left = passed
    return rows


def answer_words_p50(replies: Iterable[Reply]) -> float | None:
    """Median number of words in an answer, its citation marks aside; None without an answer."""
    counts = [
        len(words(_CITATION.sub("", reply.answer.text)))
        for reply in replies
        if reply.answer.status == "answered"
    ]
    return float(median(counts)) if counts else None


def support_shares(replies: Iterable[Reply]) -> dict[str, float]:
    """Share of the answers' statements by support; empty where the application tells none."""
    counts = Counter(
        statement.support
        for reply in replies
        if reply.answer.status == "answered"
        for statement in reply.answer.statements
    )
    return {support: count / counts.total() for support, count in sorted(counts.items())}


def _marks(reply: Reply) -> tuple[bool | None, ...]:
    gold, answer = reply.question.gold[reply.revision], reply.answer

    def holds(text: str) -> bool:
        return any(contains(text, value) for value in gold.values)

    return (
        found(gold.documents, [(passage.path, passage.text) for passage in answer.passages]),
        holds(_context(reply)),
        None if reply.own_words is None else holds(reply.own_words),
        answer.status == "answered" and holds(answer.text),
    )


def _context(reply: Reply) -> str:
    """What the model was sent besides the question: "" where it was not asked.

    An application that does not tell shows at least its passages.
    """
    answer = reply.answer
    if answer.chat_request is None:
        texts = [passage.text for passage in answer.passages]
        return "\n".join(texts) if answer.status == "answered" else ""
    users: list[dict[str, Any]] = [
        m for m in answer.chat_request["messages"] if m["role"] == "user"
    ]
    *_, last = (str(message["content"]) for message in users)
    before, _, after = last.rpartition(reply.question.question)
    return before + after
