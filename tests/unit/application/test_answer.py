from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.fakes.application import (
    BUNDLE,
    DEAD,
    TINY,
    FakeAnswerLog,
    FakeChatModel,
    FakeRetriever,
    answerer,
    ask,
    passage,
)

from application.access import Scope
from application.answer import NO_SUPPORT, QUOTED, REFUSED, Reply
from application.bundle import Bundle
from application.errors import ModelUnavailable, RetrievalUnavailable
from application.ports import Usage
from contracts.answer import Answer, Passage

QUESTION = "How long is parental leave?"
OFF_TOPIC = "What does the Zürich garage charge per hour?"


async def events(use_case, question):  # type: ignore[no-untyped-def]  # a test's shorthand
    return [event async for event in use_case.stream(question)]


async def answer_of(use_case, question) -> Answer:  # type: ignore[no-untyped-def]  # as above
    return (await events(use_case, question))[-1]


async def test_a_question_gets_its_passages_then_the_pieces_then_the_answer() -> None:
    model = FakeChatModel("26 weeks ", "at full pay.")
    first, *pieces, last = await events(answerer(model, passage()), ask(QUESTION))
    assert first == [passage()]
    assert pieces == ["26 weeks ", "at full pay."]
    assert isinstance(last, Answer)
    assert (last.status, last.text) == ("answered", "26 weeks at full pay. [1]")


async def test_no_passages_abstain_without_asking_the_model() -> None:
    model = FakeChatModel("anything")
    answer = await answer_of(answerer(model), ask(QUESTION))
    assert (answer.status, answer.citations, model.requests) == ("abstained", [], [])


async def test_little_evidence_abstains_without_asking_the_model() -> None:
    model = FakeChatModel("4 euros")
    retriever = FakeRetriever([passage()], lexical=0.0)
    asked = ask(OFF_TOPIC, bundle=TINY)
    answer = await answer_of(answerer(model, retriever=retriever, cosine=0.1), asked)
    assert (answer.status, model.requests) == ("abstained", [])
    assert answer.evidence < TINY.evidence.least_evidence


async def test_a_tiny_models_unsupported_reply_is_replaced_by_a_quotation_that_says_so() -> None:
    asked = ask(QUESTION, bundle=TINY)
    answer = await answer_of(answerer(FakeChatModel("52 weeks."), passage()), asked)
    assert answer.text.startswith("“Parental leave is 26 weeks at full pay.” [1]")
    assert (answer.status, answer.reason) == ("answered", QUOTED)


async def test_a_quotation_is_of_one_document() -> None:
    near = [passage("Parental leave is 26 weeks.", name) for name in ("hr/one.md", "hr/other.md")]
    asked = ask(QUESTION, bundle=TINY)
    answer = await answer_of(answerer(FakeChatModel("52 weeks."), *near), asked)
    assert [citation.document_id for citation in answer.citations] == ["hr/one.md"]


async def test_a_quotation_leaves_out_what_is_far_behind_the_best() -> None:
    text = passage("Parental leave is 26 weeks. The canteen opens at noon.")
    asked = ask(QUESTION, bundle=TINY)
    answer = await answer_of(answerer(FakeChatModel("52 weeks."), text), asked)
    assert [citation.quote for citation in answer.citations] == ["Parental leave is 26 weeks."]


async def test_an_unsupported_reply_abstains_where_the_bundle_forbids_quotations() -> None:
    strict = TINY.model_copy(update={"support": TINY.support.model_copy(update={"quoted": 0})})
    use_case = answerer(FakeChatModel("52 weeks."), passage())
    answer = await answer_of(use_case, ask(QUESTION, bundle=strict))
    assert answer.status == "abstained"


UNSUPPORTED = "26 weeks. Everyone gets a pony."


def with_unsupported(policy: str) -> Bundle:
    return BUNDLE.model_copy(
        update={"support": BUNDLE.support.model_copy(update={"unsupported": policy})}
    )


@pytest.mark.parametrize(
    ("policy", "text", "labels"),
    [
        ("mark", "26 weeks. [1] Everyone gets a pony.", ["supported", "unsupported"]),
        ("drop", "26 weeks. [1]", ["supported"]),
    ],
)
async def test_the_bundle_says_what_becomes_of_an_unsupported_statement(
    policy: str, text: str, labels: list[str]
) -> None:
    use_case = answerer(FakeChatModel(UNSUPPORTED), passage())
    answer = await answer_of(use_case, ask(QUESTION, bundle=with_unsupported(policy)))
    assert (answer.status, answer.text) == ("answered", text)
    assert [statement.support for statement in answer.statements] == labels


async def test_nothing_supported_and_nothing_kept_is_an_abstention() -> None:
    use_case = answerer(FakeChatModel("Everyone gets a pony."), passage())
    answer = await answer_of(use_case, ask(QUESTION, bundle=with_unsupported("drop")))
    assert (answer.status, answer.reason, answer.statements) == ("abstained", NO_SUPPORT, [])


@pytest.mark.parametrize("said", ["Not found in the documents.", "not found in the documents"])
@pytest.mark.parametrize("bundle", [BUNDLE, TINY])
async def test_a_model_that_refuses_is_never_overruled(said: str, bundle: Bundle) -> None:
    answer = await answer_of(answerer(FakeChatModel(said), passage()), ask(QUESTION, bundle=bundle))
    assert (answer.status, answer.reason, answer.citations) == ("abstained", REFUSED, [])


async def test_a_model_that_nearly_refused_weighs_against_its_answer() -> None:
    sure, unsure = [
        await answer_of(answerer(model, passage()), ask(QUESTION))
        for model in (
            FakeChatModel("26 weeks.", first_tokens={"26": -0.01, "Not": -9.0}),
            FakeChatModel("26 weeks.", first_tokens={"26": -0.7, "Not": -0.7}),
        )
    ]
    assert unsure.evidence < sure.evidence


def test_an_answer_that_begins_with_no_is_no_refusal() -> None:
    assert Reply("No, it is not.", Usage(first_tokens={"No": -0.01})).refusal == 0
    assert Reply("Not found", Usage(first_tokens={"Not": -0.01})).refusal == pytest.approx(0.99, abs=0.001)


@pytest.mark.parametrize("pieces", [(DEAD,), ("26 ", DEAD)])
async def test_a_dead_model_degrades_to_passages_and_citations(
    pieces: tuple[str | ModelUnavailable, ...],
) -> None:
    answer = await answer_of(answerer(FakeChatModel(*pieces), passage()), ask(QUESTION))
    assert answer.status == "degraded"
    assert answer.reason == str(DEAD)
    assert answer.provenance.model_manifest == "unknown"
    assert [citation.document_id for citation in answer.citations][:1] == ["handbook/leave.md"]


async def test_a_dead_index_is_an_error_and_never_an_ungrounded_answer() -> None:
    retriever = FakeRetriever(failure=RetrievalUnavailable("The index is away."))
    with pytest.raises(RetrievalUnavailable):
        await events(answerer(FakeChatModel("26"), retriever=retriever), ask(QUESTION))


async def test_a_reader_who_leaves_ends_the_generation() -> None:
    model = FakeChatModel("26 ", "weeks")
    stream = answerer(model, passage()).stream(ask(QUESTION))
    await anext(stream)
    await anext(stream)
    await stream.aclose()
    assert model.closed.is_set()


async def test_an_answer_says_what_gave_it() -> None:
    found: list[Passage] = [passage(), passage(document_id="handbook/b.md", run_id="run-2")]
    answer = await answer_of(answerer(FakeChatModel("26 weeks."), *found), ask(QUESTION))
    made = answer.provenance
    assert made.ingestion_runs == ["run-1", "run-2"]
    assert (made.index, made.embedder) == ("faultline-abc", "embedder-digest")
    assert (made.model, made.model_manifest, made.endpoint) == (
        "fake-model",
        "llm-digest",
        "http://llm",
    )
    assert (made.bundle, made.sampling) == (BUNDLE.digest, BUNDLE.sampling.model_dump())


async def test_an_event_holds_numbers_but_no_texts() -> None:
    log = FakeAnswerLog()
    await answer_of(answerer(FakeChatModel("26 weeks."), passage(), log=log), ask(QUESTION))
    event = log.events[0]
    assert (event.question, event.answer, event.probe) == (None, None, False)
    assert event.documents == event.cited_documents == ["handbook/leave.md"]
    assert (event.features.prompt_tokens, event.features.finish_reason) == (40, "stop")


async def test_an_event_of_a_probe_holds_the_texts() -> None:
    log = FakeAnswerLog()
    probe = Scope("default", frozenset({"default", "canary"}), probe=True)
    use_case = answerer(FakeChatModel("26 weeks."), passage(), log=log)
    await answer_of(use_case, replace(ask(QUESTION), scope=probe))
    event = log.events[0]
    assert (event.probe, event.namespace) == (True, "canary+default")
    assert (event.question, event.answer) == (QUESTION, "26 weeks. [1]")


async def test_an_event_holds_the_texts_where_the_settings_say_so() -> None:
    log = FakeAnswerLog()
    use_case = answerer(FakeChatModel("26 weeks."), passage(), log=log, log_texts=True)
    await answer_of(use_case, ask(QUESTION))
    assert log.events[0].question == QUESTION


@pytest.mark.parametrize("pieces", [("26 weeks.",), (DEAD,)])
async def test_a_probe_is_told_the_request_that_the_model_got(
    pieces: tuple[str | ModelUnavailable, ...],
) -> None:
    model = FakeChatModel(*pieces)
    scope = Scope("default", frozenset({"default"}), probe=True)
    answer = await answer_of(answerer(model, passage()), ask(QUESTION, scope))
    assert answer.chat_request == model.request(model.requests[0], BUNDLE.sampling)


async def test_a_probe_is_told_of_no_request_where_no_model_was_asked() -> None:
    scope = Scope("default", frozenset({"default"}), probe=True)
    answer = await answer_of(answerer(FakeChatModel("x")), ask(QUESTION, scope))
    assert answer.chat_request is None


async def test_an_older_document_that_says_otherwise_is_told_with_its_date_and_not_shown() -> None:
    old = passage("You may carry up to 10 days into the next year.", "hr/old.md", title="Old leave")
    new = passage("You may carry up to 5 days into the next year.", "hr/new.md", title="New leave")
    dates = {
        "hr/old.md": datetime(2024, 1, 15, tzinfo=UTC),
        "hr/new.md": datetime(2026, 7, 1, tzinfo=UTC),
    }
    model = FakeChatModel("5 days. [1]")
    retriever = FakeRetriever([old, new], dates=dates)
    scope = Scope("default", frozenset({"default"}), probe=True)
    asked = ask("How many days may I carry over?", scope)
    answer = await answer_of(answerer(model, retriever=retriever), asked)
    assert [citation.document_id for citation in answer.citations] == ["hr/new.md"]
    (note,) = answer.notes
    assert "Old leave (2024-01-15)" in note
    assert "10 days" in note
