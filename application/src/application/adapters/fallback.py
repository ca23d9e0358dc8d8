"""The chain of chat models: the second answers where the first fails before its first word."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from application.bundle import Sampling
from application.errors import ModelUnavailable
from application.ports import AnsweredBy, ChatModel, Message, Usage
from application.upstream import Deadline


class FallbackChatModel:
    """`ports.ChatModel`: `first`, then `second`; both failing is the failure that the caller gets.

    The usage names the second model where it answered. A reply that has begun is never begun
    again. A probe's cycle asks the first alone, since evals compare one model with itself.
    """

    def __init__(self, first: ChatModel, second: ChatModel) -> None:
        self.endpoint = first.endpoint
        self.model = first.model
        self._first = first
        self._second = second

    def request(self, messages: Sequence[Message], sampling: Sampling) -> dict[str, Any]:
        """The body that the first model is sent."""
        return self._first.request(messages, sampling)

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        deadline: Deadline,
        cycle: str | None = None,
    ) -> AsyncGenerator[str | Usage, None]:
        """Pieces of the reply as they come, then its usage."""
        begun = False
        try:
            async with aclosing(
                self._first.stream(messages, sampling, deadline, cycle)
            ) as generation:
                async for piece in generation:
                    begun = begun or not isinstance(piece, Usage)
                    yield piece
            return
        except ModelUnavailable as error:
            if begun or cycle or not deadline.remaining():
                raise
            failure = error
        by = AnsweredBy(self._second.model, self._second.endpoint)
        try:
            async with aclosing(self._second.stream(messages, sampling, deadline)) as generation:
                async for piece in generation:
                    yield piece._replace(answered_by=by) if isinstance(piece, Usage) else piece
        except ModelUnavailable as error:
            raise ModelUnavailable(f"{failure} The second model: {error}") from error
