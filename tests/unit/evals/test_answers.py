import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.answer import Answer, Passage
from evals.errors import DatasetError
from evals.suite import answers
from evals.suite.answers import Gold, Outcome, Question, Reply
from evals.suite.labels import Label
from evals.suite.ports import Heard

SPAN = "Leave is requested ten working days before it starts"
GOLD = Gold(
    answerable=True,
    answer="ten working days",
    accept=["10 days"],
    documents=[Label("leave.md", SPAN)],
)
NONE = Gold(answerable=False)


@pytest.fixture
def reply(answer: Callable[..., Answer], passage: Callable[..., Passage]) -> Callable[..., Reply]:
    def build(gold: Gold = GOLD, retrieved: str = SPAN, **said: Any) -> Reply:
        passages = [passage("leave.md", retrieved)]
        return Reply(
            revision="r1",
            question=Question(id="q1", question="When?", kind="lookup", gold={"r1": gold}),
            retrieved=passages,
            bm25=[("other.md", SPAN)],
            answer=answer(passages=passages, **said),
        )

    return build


def test_a_right_answer_earns_every_mark(reply: Callable[..., Reply]) -> None:
    marks = answers.mark(reply(text="Ten  working days [1].", cites=("leave.md",)))
    assert marks == Outcome(
        question_id="q1",
        kind="lookup",
        answerable=True,
        abstained=False,
        answered=True,
        recalled=True,
        bm25_recalled=False,
        contained=True,
        citation_share=1.0,
    )


def test_an_accepted_wording_counts_as_the_value(reply: Callable[..., Reply]) -> None:
    assert answers.mark(reply(text="It takes 10 days.")).contained is True


def test_a_wrong_value_does_not_count(reply: Callable[..., Reply]) -> None:
    assert answers.mark(reply(text="It takes 110 days.")).contained is False


def test_containment_does_not_apply_where_the_passage_was_not_given(
    reply: Callable[..., Reply],
) -> None:
    marks = answers.mark(reply(text="ten working days", retrieved="Something else entirely."))
    assert (marks.recalled, marks.contained) == (False, None)


def test_an_abstention_in_vain_holds_no_value_and_cites_nothing(
    reply: Callable[..., Reply],
) -> None:
    marks = answers.mark(reply(text="I found nothing on ten working days.", status="abstained"))
    assert (marks.abstained, marks.contained, marks.citation_share) == (True, False, None)


def test_a_degraded_reply_is_neither_an_answer_nor_an_abstention(
    reply: Callable[..., Reply],
) -> None:
    marks = answers.mark(reply(status="degraded"))
    assert (marks.abstained, marks.answered) == (False, False)


def test_citations_of_other_documents_lower_the_share(reply: Callable[..., Reply]) -> None:
    marks = answers.mark(reply(text="x", cites=("leave.md", "other.md")))
    assert marks.citation_share == 0.5


def test_an_answer_without_a_citation_cites_nothing_rightly(reply: Callable[..., Reply]) -> None:
    assert answers.mark(reply(text="ten working days")).citation_share == 0.0


def test_retrieval_marks_do_not_apply_to_the_unanswerable(reply: Callable[..., Reply]) -> None:
    marks = answers.mark(reply(gold=NONE, text="made up", cites=("leave.md",)))
    assert (marks.recalled, marks.contained, marks.citation_share) == (None, None, None)


def test_a_second_wrong_citation_costs_correctness_but_the_gold_one_is_still_cited(
    reply: Callable[..., Reply],
) -> None:
    found = answers.summary([answers.mark(reply(text="x", cites=("leave.md", "other.md")))])
    assert (found["citation_correct"].value, found["gold_cited"].value) == (0.5, 1.0)


def test_the_summary_is_the_one_counted_by_hand(reply: Callable[..., Reply]) -> None:
    replies = [
        reply(text="ten working days", cites=("leave.md",)),
        reply(text="no idea", cites=("other.md",)),
        reply(status="abstained"),
        reply(gold=NONE, status="abstained"),
        reply(gold=NONE, text="made up"),
    ]
    found = answers.summary([answers.mark(said) for said in replies])
    assert {name: round(estimate.value, 3) for name, estimate in found.items()} == {
        "recall_at_5": 1.0,
        "bm25_recall_at_5": 0.0,
        "containment": 0.333,
        "abstention_precision": 0.5,
        "abstention_recall": 0.5,
        "abstention_f1": 0.5,
        "citation_correct": 0.5,
        "gold_cited": 0.5,
        "answered": 0.667,
    }


def test_every_question_of_a_revision_is_searched_and_asked_with_bm25_beside(
    answer: Callable[..., Answer], passage: Callable[..., Passage], in_order: Any
) -> None:
    class Stack:
        def search(self, question: str, limit: int, mode: str = "hybrid") -> list[Passage]:
            return [passage("leave.md", SPAN)]

        def listen(self, question: str) -> Heard:
            return Heard(answer(text=question), "so they say", 10.0, 20.0)

    known = Question(id="q1", question="leave requested?", kind="k", gold={"r1": GOLD})
    unknown = Question(id="q2", question="later", kind="k", gold={"r2": GOLD})
    chunks = [("leave.md", SPAN), ("badge.md", "lost badges")]
    (reply,) = answers.ask_all([known, unknown], "r1", Stack(), chunks, in_order)
    assert reply.question == known
    assert reply.bm25 == [("leave.md", SPAN)]
    assert reply.answer.text == "leave requested?"
    assert (reply.own_words, reply.first_token_ms, reply.total_ms) == ("so they say", 10.0, 20.0)


def test_a_golden_set_is_read_with_its_revisions(tmp_path: Path) -> None:
    row = {
        "id": "q1",
        "question": "When?",
        "kind": "lookup",
        "tags": ["table"],
        "gold": {"r2": {"answerable": False}, "r1": GOLD.model_dump(mode="json")},
    }
    (tmp_path / "golden.jsonl").write_text(json.dumps(row) + "\n")
    (question,) = answers.load(tmp_path / "golden.jsonl")
    assert question.gold["r1"] == GOLD
    assert answers.revisions([question]) == ["r1", "r2"]


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text('{"id": "q1"}\n')
    with pytest.raises(DatasetError, match="line 1"):
        answers.load(tmp_path / "golden.jsonl")
