"""A golden set asked of each revision of its corpus: retrieval, answers, abstention, citations.

`golden.jsonl` lies beside one folder a revision (`r1/`, `r2/`); every row has a gold answer for
each. Every metric is deterministic: no model judges another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.answer import Answer, Passage
from evals.errors import DatasetError
from evals.suite.bm25 import BM25
from evals.suite.labels import Label, contains, found
from evals.suite.metrics import Estimate, Part, f1_part, ratio
from evals.suite.ports import Each, Listener

TOP = 5


class Gold(BaseModel):
    """The truth in one revision: a short value, other ways to write it, and where it stands."""

    model_config = ConfigDict(frozen=True)

    answerable: bool
    answer: str | None = None
    accept: list[str] = []
    documents: list[Label] = []

    @property
    def values(self) -> list[str]:
        """Every accepted way to write the answer."""
        return [self.answer, *self.accept] if self.answer else self.accept


class Question(BaseModel):
    """A golden question with its truth by revision."""

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    kind: str
    tags: list[str] = []
    gold: dict[str, Gold]


class Reply(BaseModel):
    """What the stack, and plain BM25, said to one question; kept for inspection."""

    revision: str
    question: Question
    retrieved: list[Passage]  # the top 5 of a search
    bm25: list[tuple[str, str]]  # path and text of plain BM25's top 5, over the same chunks
    answer: Answer
    own_words: str | None = None  # the model's reply as streamed; None where it was not heard
    first_token_ms: float | None = None  # both as the client measured them
    total_ms: float | None = None


@dataclass(frozen=True)
class Outcome:
    """One reply, marked; None where a mark does not apply."""

    question_id: str
    kind: str
    answerable: bool
    abstained: bool
    answered: bool
    recalled: bool | None  # a gold span is among the top 5
    bm25_recalled: bool | None
    contained: bool | None  # the value is in the answer, where the model was given its passage
    citation_share: float | None  # citations of a gold document, where it answered


def load(path: Path) -> list[Question]:
    """Read a golden set.

    Raises: DatasetError naming the line that is not in the form.
    """
    if not path.is_file():
        raise DatasetError(f"There is no file {path}; name a golden set, such as golden.jsonl.")
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            questions.append(Question.model_validate_json(line))
        except ValidationError as error:
            raise DatasetError(f"{path}, line {number}: {error}") from error
    return questions


def revisions(questions: Iterable[Question]) -> list[str]:
    """Names of the revisions that the questions know, in order."""
    return sorted({revision for question in questions for revision in question.gold})


def ask_all(
    questions: Sequence[Question],
    revision: str,
    asker: Listener,
    chunks: Sequence[tuple[str, str]],
    each: Each,
) -> list[Reply]:
    """Search, ask, and search by plain BM25 over `chunks` (path and text) for every question."""
    baseline = BM25([text for _, text in chunks])

    def reply(question: Question) -> Reply:
        retrieved = asker.search(question.question, TOP)
        heard = asker.listen(question.question)
        return Reply(
            revision=revision,
            question=question,
            retrieved=retrieved,
            bm25=[chunks[position] for position in baseline.search(question.question, TOP)],
            answer=heard.answer,
            own_words=heard.own_words,
            first_token_ms=heard.first_token_ms,
            total_ms=heard.total_ms,
        )

    known = [question for question in questions if revision in question.gold]
    return each(reply, known, f"{revision}: {len(known)} questions")


def mark(reply: Reply) -> Outcome:
    """Compare one reply with the truth of its revision."""
    gold, answer = reply.question.gold[reply.revision], reply.answer
    given = found(gold.documents, _texts(answer.passages))
    answered = answer.status == "answered"
    gold_paths = {label.path for label in gold.documents}
    cited = [citation.path in gold_paths for citation in answer.citations]
    return Outcome(
        question_id=reply.question.id,
        kind=reply.question.kind,
        answerable=gold.answerable,
        abstained=answer.status == "abstained",
        answered=answered,
        recalled=found(gold.documents, _texts(reply.retrieved)) if gold.answerable else None,
        bm25_recalled=found(gold.documents, reply.bm25) if gold.answerable else None,
        contained=answered and any(contains(answer.text, value) for value in gold.values)
        if gold.answerable and given
        else None,
        citation_share=(sum(cited) / len(cited) if cited else 0.0)
        if gold.answerable and answered
        else None,
    )


def summary(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Estimates by metric; a question's revisions are resampled together."""

    def share(values: Iterable[tuple[str, float | None]]) -> Estimate | None:
        return ratio(Part(unit, value) for unit, value in values if value is not None)

    estimates = {
        "recall_at_5": share((o.question_id, o.recalled) for o in outcomes),
        "bm25_recall_at_5": share((o.question_id, o.bm25_recalled) for o in outcomes),
        "containment": share((o.question_id, o.contained) for o in outcomes),
        "abstention_precision": share(
            (o.question_id, not o.answerable) for o in outcomes if o.abstained
        ),
        "abstention_recall": share(
            (o.question_id, o.abstained) for o in outcomes if not o.answerable
        ),
        "abstention_f1": ratio(
            f1_part(o.question_id, predicted=o.abstained, actual=not o.answerable) for o in outcomes
        ),
        "citation_correct": share((o.question_id, o.citation_share) for o in outcomes),
        "gold_cited": share(
            (o.question_id, o.citation_share > 0) for o in outcomes if o.citation_share is not None
        ),
        "answered": share((o.question_id, o.answered) for o in outcomes if o.answerable),
    }
    return {name: estimate for name, estimate in estimates.items() if estimate}


def answered_p50_ms(replies: Sequence[Reply]) -> tuple[float, float] | None:
    """Median times until the first token and the whole answer, as clients waited; None if unheard.

    Only replies for which the model was asked count: a refusal before it takes no time.
    """
    heard = [
        (reply.first_token_ms, reply.total_ms)
        for reply in replies
        if reply.first_token_ms is not None and reply.total_ms is not None
    ]
    if not heard:
        return None
    return median(first for first, _ in heard), median(total for _, total in heard)


def latency_p50_ms(replies: Sequence[Reply]) -> float:
    """Median time of an answer in the application, in milliseconds, at the suite's parallelism."""
    return median(reply.answer.timings.total_ms for reply in replies)


def _texts(passages: Iterable[Passage]) -> list[tuple[str, str]]:
    return [(passage.path, passage.text) for passage in passages]
