"""The conversations are true of the sample, and the figures count what they say."""

from pathlib import Path
from typing import Any

import pytest
from tests.unit.evals.test_sample_dataset import SAMPLE, as_words, text_of

from contracts.answer import Answer, Passage
from evals.errors import DatasetError
from evals.suite import conversations
from evals.suite.conversations import DEPENDENT, Conversation, Held, summary

KNOWN = conversations.load(SAMPLE / "conversations.jsonl")
EXAMPLE = Path(__file__).parents[2] / "contract" / "examples" / "Answer.json"


def test_there_are_60_of_five_kinds() -> None:
    assert len(KNOWN) == len({one.id for one in KNOWN}) == 60
    kinds = [one.kind for one in KNOWN]
    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "correction": 10,
        "follow-up": 22,
        "thanks": 8,
        "topic": 14,
        "why": 6,
    }


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.id)
def test_every_span_stands_in_its_document_and_holds_the_answer(known: Conversation) -> None:
    for label in known.documents:
        text = as_words(text_of(SAMPLE / "r2" / label.path))
        assert as_words(label.span) in text
    if known.kind != "thanks":
        assert known.documents
        spans = "".join(as_words(label.span) for label in known.documents)
        assert any(as_words(value) in spans for value in known.answer)


def passage(path: str, text: str) -> Passage:
    example = Answer.model_validate_json(EXAMPLE.read_bytes()).passages[0]
    return example.model_copy(update={"path": path, "text": text})


def held(known: Conversation, found_path: str, cited: str | None = None) -> Held:
    answer = Answer.model_validate_json(EXAMPLE.read_bytes())
    citations = [answer.citations[0].model_copy(update={"path": cited})] if cited else []
    span = known.documents[0].span if known.documents else "nothing"
    gold = known.documents[0].path if known.documents else ""
    return Held(
        conversation=known,
        last=answer.model_copy(update={"citations": citations}),
        rewritten=[passage(found_path or gold, span)],
        alone=[passage(gold, span)],
    )


def test_the_ratio_is_of_what_the_standalone_wording_finds() -> None:
    one, two = [known for known in KNOWN if known.kind in DEPENDENT][:2]
    figures = summary([held(one, ""), held(two, "elsewhere.md")])
    assert figures["followup_recall_ratio"].value == 0.5


def test_a_citation_of_the_old_topic_is_a_leak() -> None:
    known = next(one for one in KNOWN if one.kind == "topic" and one.old)
    assert summary([held(known, "", cited=known.old[0])])["topic_leaks"].value == 1
    assert summary([held(known, "", cited=known.documents[0].path)])["topic_leaks"].value == 0


def test_every_conversation_is_held_with_the_stacks_own_answers() -> None:
    asked: list[tuple[str, list[str]]] = []

    class Talker:
        def ask(self, question: str, history: Any = ()) -> Answer:
            asked.append((question, [turn.content for turn in history]))
            answer = Answer.model_validate_json(EXAMPLE.read_bytes())
            return answer.model_copy(update={"text": f"to {question}", "question": question})

        def search(self, question: str, limit: int, mode: Any = "hybrid") -> list[Passage]:
            return []

    known = next(one for one in KNOWN if len(one.turns) == 3)
    conversations.hold_all([known], Talker(), lambda hold, items, label: [hold(i) for i in items])
    first, second, third = known.turns
    assert asked[2] == (third, [first, f"to {first}", second, f"to {second}"])


def test_a_line_that_is_no_conversation_is_named(tmp_path: Path) -> None:
    path = tmp_path / "conversations.jsonl"
    path.write_text('{"id": "c01"}\n')
    with pytest.raises(DatasetError, match="line 1"):
        conversations.load(path)
