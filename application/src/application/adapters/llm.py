"""The one client of the chat model: a thin reader of OpenAI's event stream.

Thin on purpose: of all clients measured it adds least to the first token (1.1 ms) and costs least
per token (33 us of CPU); see docs/adr.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import aiohttp

from application.bundle import Sampling
from application.errors import ModelUnavailable
from application.ports import Message, Usage
from application.settings import openai_base
from application.upstream import Deadline, Upstream
from contracts.probe import PROBE_CYCLE

FAULTS = (aiohttp.ClientError, TimeoutError, OSError, ValueError, LookupError, TypeError)
LONGEST_LINE = 1 << 20  # bytes; an upstream that sends no line end is broken


class StreamingChatModel:
    """`ports.ChatModel` over `{url}/v1/chat/completions`.

    Generations of a probe's cycle go by `probes`, another base URL and its own breaker, if set.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        model: str,
        api_key: str | None,
        upstream: Upstream,
        probes: tuple[str, Upstream] | None = None,
    ) -> None:
        self.endpoint = openai_base(url)
        self.model = model
        self._session = session
        self._upstream = upstream
        self._probes = probes
        self._headers = {"Content-Type": "application/json"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def request(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        """The body: equal questions and passages give equal ones, in the same order."""
        return {
            "model": self.model,
            "messages": list(messages),
            **sampling.model_dump(),
            "stream": True,
            "stream_options": {"include_usage": True},
        }

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        deadline: Deadline,
        cycle: str | None = None,
    ) -> AsyncGenerator[str | Usage, None]:
        """Pieces of the reply, one for each read from the network, then its usage."""
        url, upstream, headers = self.endpoint, self._upstream, self._headers
        if cycle and self._probes:
            url, upstream = self._probes
            headers = headers | {PROBE_CYCLE: cycle}
        body = json.dumps(self.request(messages, sampling), ensure_ascii=False).encode()
        response, received = await upstream.call(
            lambda: self._open(url, headers, body, deadline), deadline
        )
        usage = Usage()
        rest = b""
        try:
            while received:
                *lines, rest = (rest + received).split(b"\n")
                piece = ""
                for line in lines:
                    if line.startswith(b"data: {"):
                        event = json.loads(line[6:])
                        piece += _text_of(event)
                        usage = _usage_of(event, usage)
                if piece:
                    yield piece
                if len(rest) > LONGEST_LINE:
                    raise ModelUnavailable("The chat model sent something that is no stream.")
                received = await response.content.readany()
            if usage.finish_reason is None:
                raise ModelUnavailable("The chat model stopped in the middle of its answer.")
            yield usage
        except ModelUnavailable:
            upstream.breaker.record(ok=False)
            raise
        except FAULTS as fault:
            upstream.breaker.record(ok=False)
            raise upstream.failed(fault) from fault
        finally:
            response.close()  # an unfinished generation ends with its connection

    async def _open(
        self, url: str, headers: dict[str, str], body: bytes, deadline: Deadline
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """The response and its first bytes; up to here a failure may be tried again."""
        response = await self._session.post(
            f"{openai_base(url)}/v1/chat/completions",
            data=body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=deadline.remaining(), sock_connect=3),
        )
        try:
            response.raise_for_status()
            return response, await response.content.readany()
        except BaseException:
            response.close()
            raise


def _text_of(event: dict[str, Any]) -> str:
    choices = event["choices"]
    if not choices:
        return ""
    return choices[0]["delta"].get("content") or ""


def _usage_of(event: dict[str, Any], usage: Usage) -> Usage:
    finish = next((c["finish_reason"] for c in event["choices"] if c.get("finish_reason")), None)
    counted = event.get("usage") or {}
    if not finish and not counted:
        return usage
    return Usage(
        finish or usage.finish_reason,
        counted.get("prompt_tokens", usage.prompt_tokens),
        counted.get("completion_tokens", usage.completion_tokens),
    )
