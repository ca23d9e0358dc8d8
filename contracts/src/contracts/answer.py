"""Contract 3, answers: what the application returns, streams, and reports to evals."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from contracts import Contract, Record

Status = Literal["answered", "abstained", "degraded"]  # degraded: passages, but no model to answer
SupportLabel = Literal["supported", "unsupported", "contradicted"]


Rewriting = Literal["none", "model", "rule", "courtesy"]


class Turn(Contract):
    """One thing that was said earlier in a conversation."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=8000)


class AskRequest(Contract):
    """Body of `POST /v1/ask`."""

    question: str = Field(min_length=1, max_length=4000)
    stream: bool = False
    history: list[Turn] = Field(default=[], max_length=50)  # what was said before, oldest first


class Passage(Record):
    """A retrieved chunk with its score; `start` and `end` are characters in the document's text."""

    chunk_id: str
    document_id: str
    version: str
    title: str
    path: str
    source: str
    headings: list[str]
    table_header: str = ""  # of the table that the text goes on with, if it opens inside of one
    text: str
    start: int
    end: int
    page: int | None = None
    score: float  # fused rank score; comparable within one response only
    run_id: str


class Citation(Record):
    """`[number]` in an answer: the passage, and within it the span that supports the answer."""

    number: int = Field(ge=1)
    chunk_id: str
    document_id: str
    version: str
    title: str
    path: str
    start: int
    end: int
    quote: str


class Statement(Record):
    """One statement of an answer, and whether the passages say so."""

    text: str  # without marks
    support: SupportLabel
    citations: list[int]  # numbers of the answer's citations; empty where nothing supports it


class Provenance(Record):
    """Which versions of everything gave an answer; "unknown" never equals anything."""

    request_id: str
    ingestion_runs: list[str]  # distinct, of the passages used
    index: str  # the collection behind the alias
    embedder: str  # digest of the embedder's fingerprint
    reranker: str = "none"  # the model that ordered the passages, or "unavailable"
    model: str
    model_manifest: str  # digest
    endpoint: str  # the base URL that answered, without credentials
    application_build: str
    bundle: str  # digest of prompts and retrieval settings
    profile: str = "unknown"  # the answer profile: tiny, small or standard
    rewriting: Rewriting = "none"  # who made the question stand alone; courtesy: nothing was asked
    sampling: dict[str, float | int]  # parameters sent explicitly


class Timings(Record):
    """Milliseconds by span; absent spans are None."""

    embed_ms: float | None = None
    search_ms: float | None = None
    first_token_ms: float | None = None
    generate_ms: float | None = None
    total_ms: float


class Tokens(Record):
    """What one generation cost, as the model's server counts it."""

    prompt: int | None = None
    completion: int | None = None
    finish_reason: str | None = None  # "length" where the reply was cut off


class Answer(Record):
    """Reply of `POST /v1/ask`; the last event of a stream."""

    contract: Literal["answer/1"] = "answer/1"
    request_id: str
    status: Status
    question: str = ""  # as it was searched: rewritten to stand alone, where it did not
    text: str
    reason: str | None = None  # why it abstained or is degraded, in words for a person
    evidence: float = Field(ge=0, le=1)  # calibrated chance that the answer is right
    statements: list[Statement] = Field(default=[])  # in order; none where it abstained
    citations: list[Citation]
    notes: list[str] = Field(default=[])  # for the reader: older documents that say otherwise
    passages: list[Passage]
    provenance: Provenance
    timings: Timings
    tokens: Tokens = Tokens()  # nothing where no model was asked
    chat_request: dict[str, Any] | None = None  # what the model was sent; for probes only


class SearchResponse(Record):
    """Reply of `GET /v1/search`: passages, best first."""

    contract: Literal["answer/1"] = "answer/1"
    passages: list[Passage]
    index: str
    embedder: str
    bundle: str


class DocumentView(Record):
    """Reply of `GET /v1/documents/{document_id}`: the committed text that citations point into."""

    document_id: str
    version: str
    title: str
    path: str
    source: str
    format: str
    text: str


class AnswerFeatures(Record):
    """Numbers about one answer that say nothing of its content: always in the event."""

    question_characters: int
    answer_characters: int
    passages: int
    citations: int
    top_score: float | None
    evidence: float
    statements: int = 0
    supported: int = 0  # of the statements
    prompt_tokens: int | None
    completion_tokens: int | None
    finish_reason: str | None


class AnswerEvent(Record):
    """One line of `events/answers.jsonl`; texts only where set, and always for probes."""

    contract: Literal["answer/1"] = "answer/1"
    at: datetime
    tenant: str
    namespace: str
    probe: bool
    status: Status
    features: AnswerFeatures
    documents: list[str]  # document ids of the passages, best first
    cited_documents: list[str]
    provenance: Provenance
    timings: Timings
    question: str | None = None
    answer: str | None = None


class Place(Contract):
    """A span of a document's text, in characters."""

    document_id: str = Field(max_length=2000)
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class FeedbackRequest(Contract):
    """Body of `POST /v1/feedback`: what a person thinks of an answer."""

    request_id: str = Field(min_length=1, max_length=64)  # of the answer
    vote: Literal["up", "down"] | None = None
    comment: str = Field(default="", max_length=2000)
    passage: Place | None = None  # where the right answer stands
    question: str = Field(default="", max_length=4000)  # kept only if it is sent, for goldens


class FeedbackEvent(Record):
    """One line of `events/feedback.jsonl`: feedback with the provenance of the answer."""

    contract: Literal["answer/1"] = "answer/1"
    at: datetime
    tenant: str
    vote: Literal["up", "down"] | None = None
    comment: str = ""
    question: str = ""
    document_id: str = ""  # of the right passage, with its path and words
    path: str = ""
    span: str = ""
    status: Status  # of the answer
    provenance: Provenance  # of the answer


class Problem(Record):
    """Error body, RFC 9457 (`application/problem+json`); in a stream, the `error` event."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str  # what to do next, in a sentence
    request_id: str | None = None


PROBLEM_TYPE = "application/problem+json"


def problems(reasons: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Errors of a route as OpenAPI documents them, from each status and what it means."""
    content = {PROBLEM_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": reason, "content": content} for status, reason in reasons.items()
    }


STREAM_EVENTS = {
    "passages": "a JSON list of Passage, once, before the first token",
    "token": 'JSON {"text": str}, a piece of the answer',
    "answer": "the whole Answer, last; its text replaces the pieces",
    "error": "a Problem, last, instead of an answer",
}
