"""The application's ports, faked: equals of the adapters, in memory."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

from application.access import OPEN_SCOPE, Scope
from application.adapters.support import WordsAndValues
from application.answer import Answerer, Ask
from application.bundle import Bundle, Sampling, load_bundle
from application.errors import ModelUnavailable, NotFound
from application.ports import AnswerLog, Message, Query, Retrieved, Usage
from application.settings import PACKAGE
from application.upstream import Deadline
from contracts.answer import AnswerEvent, DocumentView, Passage, Turn

LEAVE = "Parental leave is 26 weeks at full pay. Ask your manager for form P-17 by 1 March."
BUNDLE = load_bundle(PACKAGE / "bundle.toml")
TINY = load_bundle(PACKAGE / "bundle.toml", "tiny")


def passage(
    text: str = LEAVE, document_id: str = "handbook/leave.md", **changes: object
) -> Passage:
    fields = {
        "chunk_id": f"chunk-of-{document_id}",
        "document_id": document_id,
        "version": "v1",
        "title": "Parental leave",
        "path": document_id.partition("/")[2],
        "source": "handbook",
        "headings": [],
        "text": text,
        "start": 100,
        "end": 100 + len(text),
        "score": 0.5,
        "run_id": "run-1",
    }
    return Passage.model_validate(fields | changes)


class FakeRetriever:
    """Finds the passages it was given, whatever is asked; raises `failure` where there is one."""

    def __init__(
        self,
        passages: Sequence[Passage] = (),
        lexical: float | None = 10.0,
        failure: Exception | None = None,
        dates: dict[str, datetime] | None = None,
    ) -> None:
        self.passages = list(passages)
        self.dates = dates or {}
        self.lexical = lexical
        self.failure = failure
        self.queries: list[Query] = []

    async def search(self, query: Query) -> Retrieved:
        self.queries.append(query)
        if self.failure:
            raise self.failure
        found = self.passages[: query.limit]
        return Retrieved(found, self.lexical, "faultline-abc", 1.0, 1.0, self.dates)

    async def document(
        self, document_id: str, scope: Scope, index: str, deadline: Deadline
    ) -> DocumentView:
        found = [p for p in self.passages if p.document_id == document_id]
        if not found:
            raise NotFound(f"There is no document {document_id!r} that this key may read.")
        shared = found[0].model_dump(include={"document_id", "version", "title", "path", "source"})
        return DocumentView(**shared, format="markdown", text=found[0].text)


class FakeSimilarity:
    """Finds everything equally near."""

    def __init__(self, cosine: float = 0.6) -> None:
        self.cosine = cosine

    async def similarities(
        self, question: str, sentences: Sequence[str], deadline: Deadline
    ) -> list[float]:
        return [self.cosine] * len(sentences)


class FakeChatModel:
    """Says its pieces; an exception among them is raised in its place."""

    endpoint = "http://llm"
    model = "fake-model"

    def __init__(
        self, *pieces: str | Exception, first_tokens: dict[str, float] | None = None
    ) -> None:
        self.pieces = pieces
        self.first_tokens = first_tokens or {}  # log probabilities
        self.requests: list[list[Message]] = []
        self.cycles: list[str | None] = []
        self.asked = asyncio.Event()
        self.closed = asyncio.Event()
        self.hold = asyncio.Event()  # set: never waits
        self.hold.set()

    def request(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        return {"model": self.model, "messages": list(messages), **sampling.model_dump()}

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        deadline: Deadline,
        cycle: str | None = None,
    ) -> AsyncGenerator[str | Usage, None]:
        self.requests.append(list(messages))
        self.cycles.append(cycle)
        self.asked.set()
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                await self.hold.wait()
            yield Usage("stop", 40, len(self.pieces), first_tokens=self.first_tokens)
        finally:
            self.closed.set()


class FakeManifests:
    """Knows both digests."""

    async def llm(self, deadline: Deadline) -> str:
        return "llm-digest"

    async def embedder(self, deadline: Deadline) -> str:
        return "embedder-digest"


class FakeAnswerLog:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[AnswerEvent] = []

    def append(self, event: AnswerEvent) -> None:
        self.events.append(event)


class FakePrompt:
    """One message that holds everything."""

    def render(self, bundle: Bundle, question: str, context: Sequence[object]) -> list[Message]:
        return [Message(role="user", content=question)]

    def render_rewrite(
        self, bundle: Bundle, question: str, history: Sequence[Turn]
    ) -> list[Message]:
        return [Message(role="user", content=f"rewrite: {question}")]

    def render_verification(
        self, bundle: Bundle, question: str, answer: str, blocks: Sequence[object]
    ) -> list[Message]:
        return [Message(role="user", content=f"verify: {answer}")]


DEAD = ModelUnavailable("The chat model did not answer; check that it is running.")


def answerer(
    model: FakeChatModel,
    *passages: Passage,
    log: FakeAnswerLog | None = None,
    log_texts: bool = False,
    retriever: FakeRetriever | None = None,
    cosine: float = 0.6,
    also_log: Sequence[AnswerLog] = (),
) -> Answerer:
    return Answerer(
        retriever=retriever or FakeRetriever(passages),
        similarity=FakeSimilarity(cosine),
        prompt=FakePrompt(),
        model=model,
        support=WordsAndValues(),
        manifests=FakeManifests(),
        logs=[log or FakeAnswerLog(), *also_log],
        build="0.1.0+test",
        log_texts=log_texts,
    )


def ask(question: str, scope: Scope = OPEN_SCOPE, bundle: Bundle = BUNDLE) -> Ask:
    return Ask(question, scope, "faultline", bundle, "request-1", Deadline(30))
