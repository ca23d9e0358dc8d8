"""The use case: a question becomes passages, then an answer that they support, or an honest no.

Find -> choose the context -> ask the model -> check each statement -> answer, or abstain. It knows
no web framework, database or model library, only the ports.
"""

import math
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from application.access import Scope
from application.bundle import Bundle
from application.citations import Checked, check, quote
from application.context import Block, blocks
from application.errors import ModelUnavailable
from application.evidence import evidence, features, reply_features
from application.excerpts import Excerpt, ranked_excerpts, reranked
from application.language import language_of
from application.phrases import phrase
from application.ports import (
    AnswerLog,
    ChatModel,
    Manifests,
    Message,
    PromptRenderer,
    Query,
    Retrieved,
    Retriever,
    Similarity,
    Support,
    Usage,
)
from application.upstream import Deadline
from application.verification import Verifier
from contracts.answer import (
    Answer,
    AnswerEvent,
    AnswerFeatures,
    Citation,
    Passage,
    Provenance,
    Rewriting,
    Statement,
    Status,
    Timings,
    Tokens,
)
from contracts.filters import Filters

UNKNOWN = "unknown"
NO_PASSAGE = "No document matches the question."
NO_PASSAGE_LEFT = "No document that the filters allow matches the question."
LITTLE_EVIDENCE = "The passages found do not seem to hold the answer."
REFUSED = "The model found no answer in the passages."
NO_SUPPORT = "The passages found do not support what the model replied."
QUOTED = "The model's own words had no support, so this quotes what matches best."
COURTESY = "Nothing was asked, so nothing was searched."
MOST_NOTES = 2  # of older documents
DEGRADED_EXCERPTS = 3  # quoted where no model answers
REFUSAL = "not found in the documents"  # what the prompts ask the model to say


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, and all that was decided about it before the use case runs."""

    question: str
    scope: Scope
    index: str
    bundle: Bundle
    request_id: str
    deadline: Deadline
    cycle: str | None = None  # the probe's, see contracts.probe
    filters: Filters | None = None  # of documents
    rewriting: Rewriting = "none"  # how the question came to stand alone, see conversation.py
    began: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True, slots=True)
class Found:
    """What the index holds on a question, and the chance that it holds the answer."""

    ask: Ask
    retrieved: Retrieved
    excerpts: list[Excerpt]  # best first
    superseded: list[tuple[Excerpt, Excerpt]]  # the older, and the newer that stands in its place
    context: list[Block]  # what the model sees, best first
    observed: dict[str, float]  # features of the passages
    evidence: float  # with the best reply that one could wish for
    compare_ms: float  # spent on the excerpts' meaning

    @property
    def shown(self) -> list[Block]:
        """The context in the order in which the model reads it."""
        return self.context[::-1] if self.ask.bundle.retrieval.best_last else self.context

    @property
    def quotable(self) -> list[Excerpt]:
        """What is quoted where the model fails: the best, and what its document has near it."""
        settings = self.ask.bundle.support
        best, *others = self.excerpts
        own = [e for e in others if e.passage.document_id == best.passage.document_id]
        near = [e for e in own if e.rank >= best.rank * settings.quoted_from]
        return [best, *near][: settings.quoted]

    @property
    def is_enough(self) -> bool:
        """Whether the model is asked at all."""
        least = self.ask.bundle.evidence.least_evidence
        return bool(self.excerpts) and self.evidence >= least


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said, or why it did not."""

    text: str = ""
    usage: Usage = field(default_factory=Usage)
    failure: str | None = None
    first_token_ms: float | None = None
    generate_ms: float | None = None
    verified: float | None = None  # see verification.py

    @property
    def is_refusal(self) -> bool:
        """Whether the model says that it found nothing."""
        return REFUSAL in self.text.lower()

    @property
    def refusal(self) -> float | None:
        """Chance that the reply would have begun as a refusal; None where the model tells none."""
        first = self.usage.first_tokens
        if not first:
            return None
        return sum(math.exp(p) for token, p in first.items() if _begins_refusal(token))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a reply."""

    status: Status
    text: str
    reason: str | None
    evidence: float
    statements: list[Statement] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)


class Answerer:
    """Answers questions; the only state is its collaborators'."""

    def __init__(
        self,
        retriever: Retriever,
        similarity: Similarity,
        prompt: PromptRenderer,
        model: ChatModel,
        support: Support,
        manifests: Manifests,
        logs: Sequence[AnswerLog],
        build: str,
        log_texts: bool = False,
    ) -> None:
        self._retriever = retriever
        self._similarity = similarity
        self._prompt = prompt
        self._model = model
        self._verifier = Verifier(prompt, model)
        self._support = support
        self._manifests = manifests
        self._logs = logs
        self._build = build
        self._log_texts = log_texts

    async def stream(self, ask: Ask) -> AsyncGenerator[list[Passage] | str | Answer, None]:
        """The passages, then pieces of the model's reply, then the answer that replaces them."""
        found = await self.find(ask)
        yield found.retrieved.passages
        if not found.is_enough:
            yield await self.conclude(found, Reply())
            return
        async with aclosing(self.reply(found)) as said:
            async for piece in said:
                if isinstance(piece, Reply):
                    yield await self.conclude(found, await self.verified(found, piece))
                else:
                    yield piece

    async def reply(self, found: Found) -> AsyncGenerator[str | Reply, None]:
        """Third step: pieces of what the model says, then the whole."""
        ask, began, first_token_ms = found.ask, time.perf_counter(), None
        pieces, usage, failure = [], Usage(), None
        try:
            async with aclosing(
                self._model.stream(
                    self.messages(found), ask.bundle.sampling, ask.deadline, ask.cycle
                )
            ) as generation:
                async for piece in generation:
                    if isinstance(piece, Usage):
                        usage = piece
                        continue
                    first_token_ms = first_token_ms or _ms_since(began)
                    pieces.append(piece)
                    yield piece
        except ModelUnavailable as error:
            failure = str(error)
        yield Reply("".join(pieces), usage, failure, first_token_ms, _ms_since(began))

    async def observe(self, ask: Ask) -> dict[str, float] | None:
        """Features of one answer, for calibration; the model is asked whatever the evidence.

        None where the model refuses, which is an abstention whatever the features say. Raises
        ModelUnavailable where the model fails.
        """
        found = await self.find(ask)
        async with aclosing(self.reply(found)) as said:
            reply = [piece async for piece in said if isinstance(piece, Reply)][-1]
        if reply.failure:
            raise ModelUnavailable(reply.failure)
        if reply.is_refusal:
            return None
        return observed_of(found, await self.verified(found, reply))

    async def find(self, ask: Ask) -> Found:
        """First step: the passages for the prompt, and the evidence in them."""
        retrieval = ask.bundle.retrieval
        retrieved = await self._retriever.search(
            Query(
                text=ask.question,
                scope=ask.scope,
                index=ask.index,
                mode=retrieval.mode,
                limit=retrieval.top_k,
                bundle=ask.bundle,
                deadline=ask.deadline,
                filters=ask.filters,
            )
        )
        every = ranked_excerpts(ask.question, retrieved.passages)
        nearest = every[: retrieval.compared]
        began = time.perf_counter()
        similarities = await self._similarity.similarities(
            ask.question, [excerpt.shown for excerpt in nearest], ask.deadline
        )
        compare_ms = _ms_since(began)
        ranking = reranked(ask.question, nearest, similarities, retrieved.dates)
        excerpts = ranking.excerpts
        observed = features(excerpts, retrieved.lexical)
        return Found(
            ask=ask,
            retrieved=retrieved,
            excerpts=excerpts,
            superseded=ranking.superseded,
            context=blocks(
                excerpts,
                every,
                tokens=retrieval.context_tokens,
                most=retrieval.excerpts,
                window=retrieval.window,
                dates=retrieved.dates,
            ),
            observed=observed,
            evidence=evidence(ask.bundle.evidence, observed),
            compare_ms=compare_ms,
        )

    def messages(self, found: Found) -> list[Message]:
        """Second step: what the model is sent."""
        return self._prompt.render(found.ask.bundle, found.ask.question, found.shown)

    async def conclude(self, found: Found, reply: Reply) -> Answer:
        """Last step: the answer as far as the passages support it, recorded."""
        checked = await self.checked(found, reply)
        verdict = judged(found, reply, checked)
        ask = found.ask
        answer = Answer(
            request_id=ask.request_id,
            status=verdict.status,
            question=ask.question,
            text=verdict.text,
            reason=verdict.reason,
            evidence=verdict.evidence,
            statements=verdict.statements,
            citations=verdict.citations,
            notes=conflicts(found, verdict.citations),
            passages=found.retrieved.passages,
            provenance=await self._provenance(found, reply),
            timings=Timings(
                embed_ms=found.retrieved.embed_ms + found.compare_ms,
                search_ms=found.retrieved.search_ms,
                first_token_ms=reply.first_token_ms,
                generate_ms=reply.generate_ms,
                total_ms=_ms_since(ask.began),
            ),
            tokens=Tokens(
                prompt=reply.usage.prompt_tokens,
                completion=reply.usage.completion_tokens,
                finish_reason=reply.usage.finish_reason,
            ),
            chat_request=self._chat_request(found),
        )
        event = self._event(ask, answer, reply.usage)
        for log in self._logs:
            log.append(event)
        return answer

    async def verified(self, found: Found, reply: Reply) -> Reply:
        """`reply` with what the model says of it when asked again, where the bundle asks."""
        if reply.failure or reply.is_refusal:
            return reply
        ask = found.ask
        odds = await self._verifier.odds(
            ask.bundle, ask.question, reply.text, found.shown, ask.deadline, ask.cycle
        )
        return replace(reply, verified=odds)

    async def checked(self, found: Found, reply: Reply) -> Checked:
        """The statements of `reply`, each held against the context."""
        return await check(
            "" if reply.is_refusal else reply.text,
            found.ask.question,
            found.shown,
            [excerpt for block in found.context for excerpt in block.excerpts],
            found.ask.bundle.support.sources,
            self._support,
            found.ask.deadline,
        )

    def _chat_request(self, found: Found) -> dict[str, Any] | None:
        if not (found.ask.scope.probe and found.is_enough):
            return None
        return self._model.request(self.messages(found), found.ask.bundle.sampling)

    async def _provenance(self, found: Found, reply: Reply) -> Provenance:
        ask, answered, by = found.ask, reply.failure is None, reply.usage.answered_by
        return Provenance(
            request_id=ask.request_id,
            ingestion_runs=sorted({passage.run_id for passage in found.retrieved.passages}),
            index=found.retrieved.collection,
            embedder=await self._manifests.embedder(ask.deadline),
            reranker=found.retrieved.reranker,
            model=by.model if by else self._model.model,
            model_manifest=await self._manifests.llm(ask.deadline)
            if answered and not by
            else UNKNOWN,
            endpoint=by.endpoint if by else self._model.endpoint,
            application_build=self._build,
            bundle=ask.bundle.digest,
            profile=ask.bundle.profile,
            rewriting=ask.rewriting,
            sampling=ask.bundle.sampling.model_dump(),
        )

    def _event(self, ask: Ask, answer: Answer, usage: Usage) -> AnswerEvent:
        with_texts = self._log_texts or ask.scope.probe
        return AnswerEvent(
            at=datetime.now(UTC),
            tenant=ask.scope.tenant,
            namespace="+".join(sorted(ask.scope.namespaces)),
            probe=ask.scope.probe,
            status=answer.status,
            features=AnswerFeatures(
                question_characters=len(ask.question),
                answer_characters=len(answer.text),
                passages=len(answer.passages),
                citations=len(answer.citations),
                top_score=max((passage.score for passage in answer.passages), default=None),
                evidence=answer.evidence,
                statements=len(answer.statements),
                supported=sum(s.support == "supported" for s in answer.statements),
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                finish_reason=usage.finish_reason,
            ),
            documents=_distinct(passage.document_id for passage in answer.passages),
            cited_documents=_distinct(citation.document_id for citation in answer.citations),
            provenance=answer.provenance,
            timings=answer.timings,
            question=ask.question if with_texts else None,
            answer=answer.text if with_texts else None,
        )


def observed_of(found: Found, reply: Reply) -> dict[str, float]:
    """Every feature of an answer: the passages' and the reply's."""
    return found.observed | reply_features(reply.refusal, reply.verified)


def judged(found: Found, reply: Reply, checked: Checked) -> Verdict:
    """What becomes of the reply: an answer, a quotation, an abstention, or passages alone."""
    bundle = found.ask.bundle
    language = language_of(found.ask.question)
    if found.ask.rewriting == "courtesy":
        return Verdict("answered", phrase("welcome", language), COURTESY, found.evidence)
    abstained = phrase("abstained", language)
    if not found.retrieved.passages:
        limited = found.ask.filters not in (None, Filters())
        reason = NO_PASSAGE_LEFT if limited else NO_PASSAGE
        return Verdict("abstained", abstained, reason, found.evidence)
    if not found.is_enough:
        return Verdict("abstained", abstained, LITTLE_EVIDENCE, found.evidence)
    if reply.failure:
        shown = [excerpt for block in found.context for excerpt in block.excerpts]
        text, citations = quote(shown[:DEGRADED_EXCERPTS])
        return Verdict(
            "degraded",
            f"{phrase('degraded', language)} {text}",
            reply.failure,
            found.evidence,
            [],
            citations,
        )
    score = evidence(bundle.evidence, observed_of(found, reply))
    if reply.is_refusal:
        return Verdict("abstained", abstained, REFUSED, score)
    kept = checked if bundle.support.unsupported == "mark" else checked.kept()
    if not kept.statements and bundle.support.unsupported == "quote" and bundle.support.quoted:
        text, citations = quote(found.quotable)
        return Verdict("answered", text, QUOTED, score, [], citations)
    if not kept.statements:
        return Verdict("abstained", abstained, NO_SUPPORT, score)
    if score < bundle.evidence.least_evidence:
        return Verdict("abstained", abstained, LITTLE_EVIDENCE, score)
    return Verdict("answered", kept.text, None, score, kept.statements, kept.citations)


def conflicts(found: Found, citations: Sequence[Citation]) -> list[str]:
    """What older documents say otherwise than the cited ones, a sentence each."""
    cited = {(citation.document_id, citation.quote) for citation in citations}
    said = phrase("conflict_note", language_of(found.ask.question))
    return [
        f"{said} {old.passage.title} ({found.retrieved.dates[old.passage.document_id]:%Y-%m-%d}): "
        f"“{old.shown}”"
        for old, new in found.superseded
        if (new.passage.document_id, new.text) in cited
    ][:MOST_NOTES]


def _begins_refusal(token: str) -> bool:
    begun = token.strip().lower()
    return len(begun) > len("no") and REFUSAL.startswith(begun)  # `No, ...` may be an answer


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
