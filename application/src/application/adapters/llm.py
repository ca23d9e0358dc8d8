"""The one client of the chat model: a thin reader of OpenAI's event stream.

Thin on purpose: of all clients measured it adds least to the first token and costs least per
token; see docs/adr/0004.
"""

import json
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any

import aiohttp

from application.adapters.generation import Generation
from application.adapters.proxy import proxy_of
from application.adapters.replies import Wording, checked
from application.bundle import Sampling
from application.errors import ModelUnavailable
from application.ports import Message, Usage
from application.settings import Quirk
from application.upstream import Deadline, Refused, Upstream
from contracts.probe import PROBE_CYCLE
from contracts.urls import authorization, openai_url, service_root

FAULTS = (aiohttp.ClientError, TimeoutError, OSError, ValueError, LookupError, TypeError)
ROUTE = "chat/completions"
WORDING = Wording(
    "chat model",
    key="LLM_KEY (APPLICATION_LLM_API_KEY)",
    url="LLM_URL (APPLICATION_LLM_URL) and the model's name",
    tuning="APPLICATION_LLM_QUIRKS can leave out or rename what it does not take.",
)
SECOND = Wording(
    "second chat model",
    key="APPLICATION_SECONDARY_LLM_KEY",
    url="APPLICATION_SECONDARY_LLM_URL and _MODEL",
    tuning="APPLICATION_SECONDARY_LLM_QUIRKS can leave out or rename what it does not take.",
)
LEFT_OUT = {"no_temperature": "temperature", "no_top_p": "top_p", "no_seed": "seed"}


class StreamingChatModel:
    """`ports.ChatModel` over `chat/completions` below the base URL.

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
        quirks: Collection[Quirk] = (),
        wording: Wording = WORDING,
    ) -> None:
        self.endpoint = service_root(url)
        self.model = model
        self._session = session
        self._url = openai_url(url, ROUTE)
        self._upstream = upstream
        self._probes = (openai_url(probes[0], ROUTE), probes[1]) if probes else None
        self._quirks = frozenset(quirks)
        self._wording = wording
        self._key = api_key
        self._headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if api_key and "api_key_header" in self._quirks:
            self._headers["api-key"] = api_key
        else:
            self._headers |= authorization(url, api_key)

    def request(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        """The body: equal questions and passages give equal ones, in the same order."""
        parameters: dict[str, Any] = sampling.model_dump()
        for quirk, parameter in LEFT_OUT.items():
            if quirk in self._quirks:
                del parameters[parameter]
        if parameters["top_logprobs"] and "no_logprobs" not in self._quirks:
            parameters["logprobs"] = True
        else:
            del parameters["top_logprobs"]
        if "max_completion_tokens" in self._quirks:
            parameters["max_completion_tokens"] = parameters.pop("max_tokens")
        if "no_system_role" in self._quirks:
            messages = _without_system_role(messages)
        body = {"model": self.model, "messages": list(messages), **parameters, "stream": True}
        if "no_stream_options" not in self._quirks:
            body["stream_options"] = {"include_usage": True}
        return body

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        deadline: Deadline,
        cycle: str | None = None,
    ) -> AsyncGenerator[str | Usage, None]:
        """Pieces of the reply, one for each read from the network, then its usage."""
        url, upstream, headers = self._url, self._upstream, self._headers
        if cycle and self._probes:
            url, upstream = self._probes
            headers = headers | {PROBE_CYCLE: cycle}
        body = json.dumps(self.request(messages, sampling), ensure_ascii=False).encode()
        private = [message["content"] for message in messages] + ([self._key] if self._key else [])
        (response, received), attempt = await upstream.begin(
            lambda: self._open(url, headers, body, deadline, private), deadline
        )
        generation = Generation(
            whole=response.content_type == "application/json",
            starts_thinking="starts_thinking" in self._quirks,
            max_tokens=sampling.max_tokens,
            private=private,
        )
        try:
            while received:
                attempt.heard()
                if piece := generation.feed(received):
                    yield piece
                if generation.done:
                    break
                received = await response.content.readany()
            if piece := generation.end():
                yield piece
            attempt.end()
            yield generation.usage
            if generation.emptiness:
                raise ModelUnavailable(generation.emptiness)
        except ModelUnavailable:
            attempt.end(ConnectionError())
            raise
        except (Refused, *FAULTS) as fault:
            attempt.end(fault)
            raise upstream.failed(fault) from fault
        finally:
            attempt.end(GeneratorExit())  # the reader left, which says nothing of the model
            response.close()  # an unfinished generation ends with its connection

    async def _open(
        self,
        url: str,
        headers: dict[str, str],
        body: bytes,
        deadline: Deadline,
        private: Sequence[str],
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """The response and its first bytes; up to here a failure may be tried again."""
        response = await self._session.post(
            url,
            data=body,
            headers=headers,
            proxy=proxy_of(url),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=deadline.remaining(), sock_connect=3),
        )
        try:
            await checked(response, self._wording, private)
            return response, await response.content.readany()
        except BaseException:
            response.close()
            raise


def _without_system_role(messages: Sequence[Message]) -> list[Message]:
    """The system's text at the head of the first user message, for models without that role."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    others = [m for m in messages if m["role"] != "system"]
    if not system:
        return others
    if not others or others[0]["role"] != "user":
        return [Message(role="user", content=system), *others]
    first = Message(role="user", content=f"{system}\n\n{others[0]['content']}")
    return [first, *others[1:]]
