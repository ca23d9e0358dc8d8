"""OpenAI's chat API as its clients write and read it: requests, replies, chunks and errors.

A chunk cannot be taken back, and an answer may differ from what the model said first. So the text
is sent when it has been checked, and comments keep the connection alive until then.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from application.errors import InvalidRequest, NotFound
from contracts.answer import Answer, Citation, Passage, Problem, Turn

MODEL = "faultline"  # the one model that the API lists: the whole stack
LONGEST_QUESTION = 4000  # characters, as in AskRequest
LONGEST_TURN, MOST_TURNS = 8000, 50  # characters and turns of the history, as in AskRequest
OPENAI_ROUTES = ("/v1/chat/", "/v1/models")
WAITING = b": the answer is being checked\n\n"
DONE = b"data: [DONE]\n\n"
LEFT_OUT = {"text", "passages", "citations"}  # of the answer: they stand elsewhere in the reply
CODES = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}
TYPES = {429: "rate_limit_error"}

JSON = "application/json"

UrlOf = Callable[[Citation], str]


class Part(BaseModel):
    """One part of a message; only text is read."""

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """One message of a chat."""

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """Its words, without pictures and other parts."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class ChatRequest(BaseModel):
    """Body of `POST /v1/chat/completions`; the bundle decides sampling, so it is ignored here."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None

    def check(self) -> None:
        """Raises NotFound or InvalidRequest for what this API does not do."""
        if self.model != MODEL:
            raise NotFound(f"There is no model {self.model!r}; this server has {MODEL!r}.")
        if self.n not in (None, 1):
            raise InvalidRequest("One question has one answer; leave `n` out.")
        if self.tool_choice not in (None, "auto", "none"):
            raise InvalidRequest("This model calls no tools; leave `tool_choice` out.")
        if (self.response_format or {}).get("type", "text") != "text":
            raise InvalidRequest("Answers are text; leave `response_format` out.")

    @property
    def turns(self) -> list[ChatMessage]:
        """What was said; the bundle's prompts stand in the place of a system message."""
        return [message for message in self.messages if message.role in ("user", "assistant")]

    @property
    def question(self) -> str:
        """The last thing that the user said; raises InvalidRequest where nothing was said last."""
        if not self.turns or self.turns[-1].role != "user":
            raise InvalidRequest("The last message is the user's question; send one.")
        question = self.turns[-1].text
        if len(question) > LONGEST_QUESTION:
            raise InvalidRequest(
                f"The last message is too long; send at most {LONGEST_QUESTION} characters."
            )
        return question

    @property
    def history(self) -> list[Turn]:
        """What was said before the question."""
        return [
            Turn(role="user" if m.role == "user" else "assistant", content=m.text[:LONGEST_TURN])
            for m in self.turns[-MOST_TURNS - 1 : -1]
        ]

    @property
    def stops(self) -> list[str]:
        """Texts at which the answer ends."""
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in stops if stop]

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with what the answer cost."""
        return bool((self.stream_options or {}).get("include_usage"))


def completion(answer: Answer, text: str, url_of: UrlOf) -> dict[str, Any]:
    """The reply to a request that is not streamed."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {
        "index": 0,
        "message": message | {"annotations": annotations(answer, url_of)},
        "finish_reason": _finish_reason(answer),
        "logprobs": None,
    }
    body = _head(answer.request_id, "chat.completion")
    return body | {"choices": [choice], "usage": usage(answer)} | ours(answer)


class Chunks:
    """`streaming.Form`: the answer as chunks of a chat completion, once it is whole."""

    def __init__(
        self,
        request: ChatRequest,
        request_id: str,
        text_of: Callable[[Answer], str],
        url_of: UrlOf,
    ) -> None:
        self._wants_usage = request.wants_usage
        self._head = _head(request_id, "chat.completion.chunk")
        self._text_of = text_of
        self._url_of = url_of

    def event(self, event: list[Passage] | str | Answer) -> bytes:
        """The role first, comments while the model writes, then the answer and its end."""
        if isinstance(event, str):
            return WAITING
        if not isinstance(event, Answer):
            return self._chunk({"role": "assistant", "content": ""})
        told = self._chunk({"content": self._text_of(event)})
        delta = {"annotations": annotations(event, self._url_of)}
        told += self._chunk(delta, _finish_reason(event), ours(event))
        if self._wants_usage:
            told += self._data({"choices": [], "usage": usage(event)})
        return told + DONE

    def error(self, problem: Problem) -> bytes:
        """The error in place of a chunk, as OpenAI's clients expect it."""
        return b"data: %b\n\n" % error_of(problem)[0].encode()

    def _chunk(
        self,
        delta: dict[str, Any],
        finish_reason: str | None = None,
        more: dict[str, Any] | None = None,
    ) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return self._data({"choices": [choice]} | (more or {}))

    def _data(self, fields: dict[str, Any]) -> bytes:
        return b"data: %b\n\n" % json.dumps(self._head | fields, ensure_ascii=False).encode()


def cut_at(text: str, stops: Sequence[str]) -> str:
    """`text` up to the first of `stops`."""
    return text[: min((text.find(stop) for stop in stops if stop in text), default=len(text))]


def source_list(answer: Answer, url_of: UrlOf) -> str:
    """What `[n]` in the text stands for, a line each; empty where nothing is cited."""
    if not answer.citations:
        return ""
    lines = [f"[{c.number}] {c.title or c.path}: {url_of(c)}" for c in answer.citations]
    return "\n\nSources:\n" + "\n".join(lines)


def annotations(answer: Answer, url_of: UrlOf) -> list[dict[str, Any]]:
    """Where each `[n]` stands in the text and what it cites, as OpenAI writes it of web pages."""
    found = []
    for citation in answer.citations:
        mark = f"[{citation.number}]"
        start = max(answer.text.find(mark), 0)
        cited = {
            "url": url_of(citation),
            "title": citation.title or citation.path,
            "start_index": start,
            "end_index": start + len(mark),
        }
        found.append({"type": "url_citation", "url_citation": cited})
    return found


def ours(answer: Answer) -> dict[str, Any]:
    """The fields that OpenAI's form lacks: citations, and the rest of the answer."""
    fields = answer.model_dump(mode="json", exclude=LEFT_OUT)
    return {"citations": [c.model_dump(mode="json") for c in answer.citations], "answer": fields}


def usage(answer: Answer) -> dict[str, int]:
    """Tokens that the model read and wrote; none where it was not asked or did not say."""
    prompt, completion = answer.tokens.prompt or 0, answer.tokens.completion or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def models(created: int) -> dict[str, Any]:
    """The reply of `GET /v1/models`."""
    model = {"id": MODEL, "object": "model", "created": created, "owned_by": MODEL}
    return {"object": "list", "data": [model]}


def openai_refusals(reasons: Mapping[int | str, dict[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """The same refusals as OpenAPI documents them, with bodies in OpenAI's form."""
    error = {"type": "object", "required": ["message", "type"]}
    schema = {"type": "object", "required": ["error"], "properties": {"error": error}}
    return {
        status: {"description": told["description"], "content": {JSON: {"schema": schema}}}
        for status, told in reasons.items()
    }


def error_of(problem: Problem) -> tuple[str, int]:
    """The body of an error, and its status: OpenAI says 400 where we say 422."""
    status = 400 if problem.status == 422 else problem.status
    kind = TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    error = {"message": problem.detail, "type": kind, "param": None, "code": CODES.get(status)}
    return json.dumps({"error": error, "request_id": problem.request_id}), status


def _finish_reason(answer: Answer) -> Literal["stop", "length"]:
    return "length" if answer.tokens.finish_reason == "length" else "stop"


def _head(request_id: str, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request_id}",
        "object": kind,
        "created": int(time.time()),
        "model": MODEL,
    }
