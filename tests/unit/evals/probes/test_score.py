from collections.abc import Callable
from typing import Any

import pytest

from contracts.answer import Answer, Passage
from contracts.index import ChunkPayload
from evals.clients.qdrant import IndexedChunk
from evals.probes import score
from evals.watch.model import CellReply, Probe

SPAN = "The drawbridge of Tarn castle wears the mark SN-8500."
PROBE = Probe(
    id="canary/castle.md#head",
    question="Which mark?",
    origin="canary",
    strata=("fact",),
    values=("SN-8500",),
    documents=("source/castle.md",),
    spans=(SPAN,),
)
REFUSE = PROBE.model_copy(update={"values": (), "documents": (), "spans": ()})


@pytest.fixture
def reply(
    answer: Callable[..., Answer], passage: Callable[..., Passage]
) -> Callable[..., CellReply]:
    def build(
        probe: Probe = PROBE,
        path: str = "castle.md",
        held: str = SPAN,
        reason: str | None = None,
        shown: str | None = None,
        **said: Any,
    ) -> CellReply:
        given = answer(passages=[passage(path, held)], **said)
        messages = [{"role": "user", "content": "SN-8500"}, {"role": "user", "content": shown}]
        request = {"messages": messages} if shown is not None else None
        given = given.model_copy(update={"reason": reason, "chat_request": request})
        return score.mark(probe, "11", given, None)

    return build


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"text": "SN-8500 [1]", "cites": ("castle.md",)}, 1.0),
        ({"text": "“… SN-8500” [1]", "cites": ("castle.md",), "reason": "quoted"}, 1.0),
        ({"text": "SN-85001 [1]", "cites": ("castle.md",)}, 0.5),
        ({"text": "SN-8500 [1]", "cites": ()}, 0.5),
        ({"text": "SN-8500 [1]", "cites": ("castle.md",), "status": "degraded"}, 0.5),
        ({"text": "no SN-8500", "cites": (), "status": "abstained"}, 0.0),
        ({"text": "QX-1", "held": "other", "cites": ("other.md",)}, 0.0),
    ],
)
def test_a_reply_earns_half_for_the_value_and_half_for_its_page(
    reply: Callable[..., CellReply], said: dict[str, Any], expected: float
) -> None:
    assert reply(**said).score == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"text": "SN-8500 [1]", "cites": ()}, 1.0),
        ({"text": "“… SN-8500” [1]", "cites": ("castle.md",), "reason": "quoted"}, 0.0),
        ({"text": "SN-8500", "cites": ("castle.md",), "status": "degraded"}, 0.0),
        ({"text": "SN-85001", "cites": ("castle.md",)}, 0.0),
    ],
)
def test_a_twin_marks_the_models_own_words_alone(
    reply: Callable[..., CellReply], said: dict[str, Any], expected: float
) -> None:
    probe, twin = score.with_own_words([PROBE])
    assert (probe, twin.question, twin.strata) == (PROBE, PROBE.question, ("own words",))
    assert reply(probe=twin, **said).score == expected


def test_a_question_without_an_answer_has_no_twin() -> None:
    unanswerable = PROBE.model_copy(update={"values": ()})
    assert score.with_own_words([unanswerable]) == [unanswerable]


def test_a_page_that_was_moved_is_cited_rightly(reply: Callable[..., CellReply]) -> None:
    assert reply(text="SN-8500", path="moved.md", cites=("moved.md",)).score == 1.0
    twin = SPAN.replace("SN-8500", "QX-1111")
    assert reply(text="SN-8500", path="moved.md", held=twin, cites=("moved.md",)).score == 0.5


@pytest.mark.parametrize(
    ("status", "expected"), [("abstained", 1.0), ("answered", 0.0), ("degraded", 0.0)]
)
def test_where_nothing_holds_the_answer_only_abstaining_is_right(
    reply: Callable[..., CellReply], status: str, expected: float
) -> None:
    marked = reply(REFUSE, status=status)
    assert (marked.score, marked.retrieved, marked.in_prompt) == (expected, None, None)


def test_any_of_the_ways_to_write_the_answer_is_right(reply: Callable[..., CellReply]) -> None:
    several = PROBE.model_copy(update={"values": ("SN-8500", "eighty-five hundred")})
    assert reply(several, text="Eighty-five hundred.", cites=("castle.md",)).score == 1.0


def test_a_citation_of_its_page_is_right_whichever_chunk_it_names(
    reply: Callable[..., CellReply],
) -> None:
    assert reply(text="SN-8500", held="Another chunk.", cites=("castle.md",)).score == 1.0


def test_a_reply_keeps_what_the_card_shows(reply: Callable[..., CellReply]) -> None:
    marked = reply(
        text="Ä", cites=("castle.md", "castle.md"), shown="Maravić", reason="quoted", held="other"
    )
    assert (marked.probe, marked.cell, marked.status) == (PROBE.id, "11", "answered")
    assert (marked.text, marked.reason) == ("Ä", "quoted")
    assert (marked.cited, marked.passages) == (("source/castle.md",), ("source/castle.md",))
    assert marked.prompt is not None
    assert "Maravić" in marked.prompt
    assert marked.retrieved is False
    assert reply(held=SPAN).retrieved is True


def test_a_request_without_messages_showed_the_model_nothing(
    answer: Callable[..., Answer],
) -> None:
    empty = answer().model_copy(update={"chat_request": {"messages": []}})
    assert score.mark(PROBE, "11", empty, None).in_prompt is False


def test_a_prompt_for_a_question_without_an_answer_holds_no_value(
    reply: Callable[..., CellReply],
) -> None:
    assert reply(REFUSE, shown="Context: SN-8500").in_prompt is None


def test_an_error_scores_nothing_even_where_silence_is_right() -> None:
    marked = score.mark(REFUSE, "00", None, "timed out")
    assert (marked.score, marked.status, marked.reason) == (0.0, "error", "timed out")


def test_a_value_in_the_prompts_examples_is_not_in_the_prompt(
    reply: Callable[..., CellReply],
) -> None:
    assert reply(shown="Context: SN-8500").in_prompt is True
    assert reply(shown="Context: none").in_prompt is False
    assert reply().in_prompt is None


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("source/castle.md", SPAN, True),
        ("source/castle.md", "… the mark SN-8500", True),
        ("source/castle.md", "The drawbridge of Tarn castle wears", True),  # cut by a chunk's edge
        ("source/castle.md", "The drawbridge of Tarn", False),
        ("source/moved.md", "… the mark SN-8500", False),
        ("source/moved.md", SPAN, True),
        ("source/twin.md", SPAN.replace("SN-8500", "QX-1111"), False),
        ("source/castle.md", "Something else entirely.", False),
    ],
)
def test_a_value_is_in_the_index_where_a_chunk_holds_it(
    document: str, text: str, expected: bool
) -> None:
    payload = ChunkPayload(
        tenant="default",
        source="source",
        document_id=document,
        version="v",
        ordinal=0,
        text=text,
        start=0,
        end=len(text),
        headings=[],
        run_id="run",
    )
    chunks = [IndexedChunk(path="p", format="markdown", chunk=payload)]
    assert score.in_index(PROBE, chunks) is expected
    assert score.in_index(REFUSE, chunks) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"score": 1.0}, "nothing was lost"),
        ({"status": "error"}, "gave no answer"),
        ({"in_index": False, "retrieved": False}, "not in the index"),
        ({"in_index": True, "retrieved": False}, "not retrieved"),
        ({"retrieved": None}, "what no document holds"),
        ({"status": "abstained"}, "but it abstained"),
        ({"in_prompt": False}, "not in the prompt"),
        ({"status": "degraded", "score": 0.5}, "no model answered"),
        ({"probe": "p#own"}, "not in the model's own words"),
        ({"score": 0.5}, "lacks the value or its citation"),
        ({}, "in the prompt, but is not in the answer"),
    ],
)
def test_the_ladder_names_the_step_at_which_the_value_was_lost(
    changes: dict[str, Any], words: str
) -> None:
    lost = CellReply(
        probe="p", cell="11", score=0.0, status="answered", text="", retrieved=True, in_prompt=True
    )
    assert words in score.ladder(lost.model_copy(update=changes))


OTHER_SPAN = "Castle marks are kept on another page: SN-8500 is one of them."
TWICE = PROBE.model_copy(
    update={"documents": ("source/castle.md", "source/marks.md"), "spans": (SPAN, OTHER_SPAN)}
)


def test_what_stands_on_two_pages_is_found_on_either(reply: Callable[..., CellReply]) -> None:
    assert reply(TWICE, text="SN-8500").retrieved is True
    moved = reply(TWICE, text="SN-8500", path="moved.md", held=OTHER_SPAN, cites=("moved.md",))
    assert (moved.retrieved, moved.score) == (True, 1.0)


def test_one_passage_of_several_is_enough(
    answer: Callable[..., Answer], passage: Callable[..., Passage]
) -> None:
    passages = [passage("other.md", "other"), passage("castle.md", SPAN)]
    marked = score.mark(PROBE, "11", answer(passages=passages), None)
    assert marked.retrieved is True


def test_a_reply_that_asked_no_model_has_no_prompt(reply: Callable[..., CellReply]) -> None:
    assert reply(text="SN-8500").prompt is None
