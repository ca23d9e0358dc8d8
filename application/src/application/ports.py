"""What the use case needs from outside: seven protocols that the adapters fulfil."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypedDict

from application.access import Scope
from application.bundle import Bundle, Mode, Sampling
from application.context import Block
from application.excerpts import Excerpt
from application.upstream import Deadline
from contracts.answer import AnswerEvent, DocumentView, Passage, SupportLabel, Turn


class Message(TypedDict):
    """One chat message, as OpenAI's API takes it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the index, with all that decides what comes back."""

    text: str
    scope: Scope
    index: str  # alias or collection
    mode: Mode
    limit: int  # passages
    bundle: Bundle
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Passages, best first, and what evidence and provenance need to know of the search."""

    passages: list[Passage]
    lexical: float | None  # BM25 score of the best hit; None where no terms were searched
    collection: str
    embed_ms: float
    search_ms: float
    dates: Mapping[str, datetime] = field(default_factory=dict)  # stated, by document id
    reranker: str = "none"  # the model that put them in order; "unavailable" where it failed


class AnsweredBy(NamedTuple):
    """Which model answered, for the provenance."""

    model: str
    endpoint: str  # base URL without credentials


class Usage(NamedTuple):
    """What the model says of a finished generation; None where it does not."""

    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None  # with those of its thoughts
    reasoning_tokens: int | None = None
    answered_by: AnsweredBy | None = None  # where it was not the first model of a chain
    first_tokens: Mapping[str, float] = MappingProxyType({})  # log probability of each


@dataclass(frozen=True, slots=True)
class Judged:
    """What excerpts say of a statement, and the places of those that decide it."""

    label: SupportLabel
    sources: Sequence[int] = ()


class Retriever(Protocol):
    """Reads the index; raises RetrievalUnavailable, NotFound or InvalidRequest."""

    async def search(self, query: Query) -> Retrieved:
        """Passages of committed versions inside the query's scope."""
        ...

    async def document(
        self, document_id: str, scope: Scope, index: str, deadline: Deadline
    ) -> DocumentView:
        """The committed text of one document."""
        ...


class Similarity(Protocol):
    """Compares meanings; raises RetrievalUnavailable."""

    async def similarities(
        self, question: str, sentences: Sequence[str], deadline: Deadline
    ) -> list[float]:
        """Cosine of the question with each sentence, in [-1, 1]."""
        ...


class Support(Protocol):
    """Says whether excerpts support a statement; never raises."""

    async def judge(
        self,
        statement: str,
        question: str,
        excerpts: Sequence[Excerpt],
        named: int,
        deadline: Deadline,
    ) -> Judged:
        """The label of `statement`, which answers `question`; the model named the first `named`."""
        ...


class PromptRenderer(Protocol):
    """Turns a question and the context that speaks of it into chat messages."""

    def render(self, bundle: Bundle, question: str, context: Sequence[Block]) -> list[Message]:
        """The messages; the same input gives the same messages."""
        ...

    def render_rewrite(
        self, bundle: Bundle, question: str, history: Sequence[Turn]
    ) -> list[Message]:
        """The messages that ask for `question` in words that need no history."""
        ...

    def render_verification(
        self, bundle: Bundle, question: str, answer: str, blocks: Sequence[Block]
    ) -> list[Message]:
        """The messages that ask whether `blocks` say `answer` to `question`: Yes or No."""
        ...


class ChatModel(Protocol):
    """Generates; raises ModelUnavailable, before the first piece or between two."""

    endpoint: str  # base URL without credentials
    model: str

    def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        deadline: Deadline,
        cycle: str | None = None,
    ) -> AsyncGenerator[str | Usage, None]:
        """Pieces of the reply as they come, then its usage; `cycle` names a probe's."""
        ...

    def request(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        """The body that `stream` sends, whatever the cycle."""
        ...


class Manifests(Protocol):
    """Digests of what serves us, "unknown" where it cannot be seen; never raises."""

    async def llm(self, deadline: Deadline) -> str:
        """Digest of the chat model's manifest."""
        ...

    async def embedder(self, deadline: Deadline) -> str:
        """Digest of the embedder's fingerprint."""
        ...


class AnswerLog(Protocol):
    """Where answer events go."""

    def append(self, event: AnswerEvent) -> None:
        """Writes one event."""
        ...
