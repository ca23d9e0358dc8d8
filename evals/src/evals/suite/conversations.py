"""Conversations of two and three turns: does the last question find what it would find alone?

Each line has the questions in order (`turns`), the last one in words that need no history
(`standalone`), its accepted answers and gold spans, and the documents of a topic that was left
(`old`). Every metric is deterministic.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.answer import Answer, Passage, Turn
from evals.errors import DatasetError
from evals.suite.labels import Label, found
from evals.suite.metrics import Estimate, Part, ratio
from evals.suite.ports import Each, Talker

REVISION = "r2"  # of the sample, which the conversations are written for
TOP = 5
DEPENDENT = ("follow-up", "correction", "why")
WHAT = {
    "followup_recall_ratio": "conversations: gold spans in the top 5 of the rewritten question, "
    "as a share of those that the stand-alone wording finds",
    "topic_leaks": "conversations: answers from the old topic after a change of topic",
    "thanks_searched": "conversations: thanks that were searched for",
}

Kind = Literal["follow-up", "correction", "topic", "why", "thanks"]


class Conversation(BaseModel):
    """One conversation, and the truth about its last question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: Kind
    turns: list[str] = Field(min_length=2, max_length=3)
    standalone: str
    answer: list[str]
    documents: list[Label]
    old: list[str] = []  # paths of the topic that was left, apart from gold ones


class Held(BaseModel):
    """What the stack said to the last question, and what a search finds for it."""

    conversation: Conversation
    last: Answer
    rewritten: list[Passage]  # the top 5 of a search for the question as the stack wrote it
    alone: list[Passage]  # and for the stand-alone wording


def load(path: Path) -> list[Conversation]:
    """Read conversations, one a line; raises DatasetError naming a line that is none."""
    if not path.is_file():
        raise DatasetError(f"There is no file {path}; name one, such as conversations.jsonl.")
    read = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            read.append(Conversation.model_validate_json(line))
        except ValidationError as error:
            raise DatasetError(f"{path}, line {number}: {error}") from error
    return read


def hold_all(known: Sequence[Conversation], talker: Talker, each: Each) -> list[Held]:
    """Every conversation, with the stack's own answers as its history."""

    def hold(conversation: Conversation) -> Held:
        history: list[Turn] = []
        for question in conversation.turns:
            answer = talker.ask(question, history)
            history += [
                Turn(role="user", content=question),
                Turn(role="assistant", content=answer.text[:8000]),
            ]
        is_search = answer.provenance.rewriting != "courtesy"
        return Held(
            conversation=conversation,
            last=answer,
            rewritten=talker.search(answer.question, TOP) if is_search else [],
            alone=talker.search(conversation.standalone, TOP) if is_search else [],
        )

    return each(hold, known, f"{len(known)} conversations")


def summary(held: Sequence[Held]) -> dict[str, Estimate]:
    """The figures, by id."""
    dependent = [one for one in held if one.conversation.kind in DEPENDENT]
    parts = (
        Part(one.conversation.id, _finds(one, one.rewritten), _finds(one, one.alone))
        for one in dependent
    )
    changed = [one for one in held if one.conversation.kind == "topic"]
    thanked = [one for one in held if one.conversation.kind == "thanks"]
    figures = {
        "followup_recall_ratio": ratio(parts),
        "topic_leaks": _count(sum(map(leaks, changed)), len(changed)),
        "thanks_searched": _count(sum(bool(one.last.passages) for one in thanked), len(thanked)),
    }
    return {id: estimate for id, estimate in figures.items() if estimate}


def leaks(held: Held) -> bool:
    """Whether an answer after a change of topic cites a document of the old one."""
    cited = {citation.path for citation in held.last.citations}
    return bool(cited & set(held.conversation.old))


def rewriters(held: Sequence[Held]) -> dict[str, dict[str, int]]:
    """Who wrote the question that was searched, by kind."""
    kinds = sorted({one.conversation.kind for one in held})
    return {
        kind: dict(
            Counter(o.last.provenance.rewriting for o in held if o.conversation.kind == kind)
        )
        for kind in kinds
    }


def lost(held: Sequence[Held]) -> list[str]:
    """Conversations whose stand-alone wording finds its gold span and whose own does not."""
    return [
        f"{one.conversation.id} {one.conversation.turns[-1]!r} was searched as "
        f"{one.last.question!r}"
        for one in held
        if one.conversation.kind in DEPENDENT
        and _finds(one, one.alone)
        and not _finds(one, one.rewritten)
    ]


def _finds(held: Held, passages: Sequence[Passage]) -> bool:
    return found(held.conversation.documents, [(p.path, p.text) for p in passages])


def _count(value: float, n: int) -> Estimate | None:
    return Estimate(float(value), float(value), float(value), n) if n else None
