"""Reads one reply of a chat model: its text, its thoughts apart, how it ended, what it cost."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from application.adapters.replies import sanitised, told_in
from application.adapters.sse import Event, EventParser
from application.adapters.thoughts import ThoughtFilter
from application.errors import ModelUnavailable
from application.ports import Usage
from application.upstream import Refused

DONE = b"[DONE]"
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
EMPTY = {
    "length": "used all of its {max_tokens} tokens before it wrote an answer (finish_reason "
    "length); raise max_tokens in bundle.toml, or use a model that does not reason.",
    "content_filter": "wrote nothing because its provider's content filter stopped it "
    "(finish_reason content_filter); ask in other words.",
    "": "wrote its thoughts and no answer; ask again, or use a model that does not reason.",
}


class Generation:
    """Fed with the bytes of a reply, a stream of events or (`whole`) one JSON document.

    Chunks without text, choices or delta are skipped. Raises Refused or ModelUnavailable where the
    server tells an error, and ValueError where it sends no reply at all.
    """

    def __init__(
        self, *, whole: bool, starts_thinking: bool, max_tokens: int, private: Sequence[str]
    ) -> None:
        self.done = False  # the server said so
        self._whole = whole
        self._body = b""
        self._events = EventParser()
        self._thoughts = ThoughtFilter(starts_thinking=starts_thinking)
        self._max_tokens = max_tokens
        self._private = private
        self._said = False
        self._thought = False
        self._usage = Usage()
        self._first_tokens: dict[str, float] = {}

    def feed(self, received: bytes) -> str:
        """The text in `received`; empty where it holds none yet."""
        if self._whole:
            self._body += received
            return ""
        return self._text_of(self._events.feed(received))

    def end(self) -> str:
        """The rest of the text. Raises ModelUnavailable where the reply broke off."""
        events = [Event("", self._body)] if self._whole else self._events.end()
        text = self._text_of(iter(events))
        if not (self.done or self._usage.finish_reason):
            raise ModelUnavailable("The chat model stopped in the middle of its answer.")
        rest = self._thoughts.end()
        self._said = self._said or bool(rest.strip())
        return text + rest

    @property
    def usage(self) -> Usage:
        """How the reply ended, its tokens, and what the first one could have been, where told."""
        return self._usage._replace(first_tokens=self._first_tokens)

    @property
    def emptiness(self) -> str | None:
        """Why the reply has no text, as a sentence; None where it has, or nothing says why."""
        if self._said:
            return None
        reason = self._usage.finish_reason or ""
        if reason not in EMPTY:
            reason = "" if self._thought or self._thoughts.characters else "stop"
        if reason == "stop":
            return None
        return "The chat model " + EMPTY[reason].format(max_tokens=self._max_tokens)

    def _text_of(self, events: Iterator[Event]) -> str:
        text = ""
        for event in events:
            if self.done:
                break
            for data in self._documents(event):
                text += self._take(event.name, data)
        return text

    def _documents(self, event: Event) -> Iterator[Any]:
        data = event.data.strip()
        if data == DONE:
            self.done = True
            return
        if not self._whole and not data.startswith(b"{"):
            return  # a heartbeat
        try:
            yield json.loads(data)
        except ValueError:
            lines = data.split(b"\n")  # from servers that leave out the blank line between events
            if len(lines) < 2:
                raise
            for line in lines:
                yield from self._documents(Event(event.name, line))

    def _take(self, name: str, chunk: Any) -> str:
        if not isinstance(chunk, dict):
            raise ValueError("no reply of a chat model")
        if chunk.get("error") or name == "error":
            self._fail(chunk)
        self._count(chunk.get("usage"))
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return ""
        text = ""
        for choice in choices:
            if not isinstance(choice, dict) or choice.get("index") not in (0, None):
                continue
            finish = choice.get("finish_reason")
            if finish == "error":
                self._fail(choice)
            if isinstance(finish, str) and finish:
                self._usage = self._usage._replace(finish_reason=finish)
            if isinstance(choice.get("logprobs"), dict):
                self._weigh(choice["logprobs"].get("content") or [])
            delta = choice.get("message") if self._whole else choice.get("delta")
            if isinstance(delta, dict):
                self._thought = self._thought or any(delta.get(field) for field in THOUGHTS)
                text += self._spoken(delta.get("content"))
        return text

    def _weigh(self, tokens: Sequence[dict[str, Any]]) -> None:
        if tokens and not self._first_tokens:
            likely = tokens[0].get("top_logprobs") or []
            self._first_tokens = {each["token"]: each["logprob"] for each in likely}

    def _spoken(self, content: Any) -> str:
        if isinstance(content, list):  # parts, as some servers send them
            self._thought = self._thought or len(content) > 0
            content = "".join(
                part["text"]
                for part in content
                if isinstance(part, dict)
                and part.get("type") in ("text", "output_text")
                and isinstance(part.get("text"), str)
            )
        if not isinstance(content, str) or not content:
            return ""
        try:
            shown = self._thoughts.feed(content)
        except ValueError as error:
            raise ModelUnavailable(
                "The chat model's reply began inside its thoughts; set "
                "APPLICATION_LLM_QUIRKS=starts_thinking."
            ) from error
        self._said = self._said or bool(shown.strip())
        return shown

    def _count(self, counted: Any) -> None:
        if not isinstance(counted, dict):
            return
        details = counted.get("completion_tokens_details")
        before = self._usage
        self._usage = before._replace(
            prompt_tokens=_count_in(counted, "prompt_tokens", before.prompt_tokens),
            completion_tokens=_count_in(counted, "completion_tokens", before.completion_tokens),
            reasoning_tokens=_count_in(details, "reasoning_tokens", before.reasoning_tokens),
        )

    def _fail(self, chunk: dict[str, Any]) -> None:
        told = told_in(chunk)
        said = sanitised(told.reason, self._private) or "it does not say why"
        sentence = f"The chat model stopped with an error: {said}"
        code = chunk.get("error")
        code = code.get("code", code.get("status")) if isinstance(code, dict) else None
        if isinstance(code, int) and 400 <= code < 500:
            raise Refused(sentence, code)
        raise ModelUnavailable(sentence)


def _count_in(counted: Any, name: str, before: int | None) -> int | None:
    found = counted.get(name) if isinstance(counted, dict) else None
    return found if isinstance(found, int) else before
