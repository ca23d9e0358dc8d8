"""A question within a conversation: made to stand alone, then answered as any other.

Only the rewritten question is searched, judged and answered, so abstention and citations mean the
same as without a history.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from application.answer import Answerer, Ask, Found, Reply
from application.errors import ModelUnavailable
from application.follow_ups import depends, is_courtesy, is_sound, joined, own_words
from application.ports import ChatModel, PromptRenderer, Retrieved, Usage
from application.upstream import Deadline
from contracts.answer import Answer, Passage, Turn

SHARE_OF_TIME = 1 / 3  # of what is left, for rewriting

log = logging.getLogger("application")


class Conversations:
    """Answers questions that may depend on what was said before."""

    def __init__(self, answerer: Answerer, prompt: PromptRenderer, model: ChatModel) -> None:
        self._answerer = answerer
        self._prompt = prompt
        self._model = model

    async def stream(
        self, ask: Ask, history: Sequence[Turn]
    ) -> AsyncGenerator[list[Passage] | str | Answer, None]:
        """As `Answerer.stream`; where nothing is asked, nothing is searched."""
        ask = await self.standalone(ask, history)
        if ask.rewriting == "courtesy":
            yield []
            yield await self._answerer.conclude(_nothing(ask), Reply())
            return
        async with aclosing(self._answerer.stream(ask)) as events:
            async for event in events:
                yield event

    async def standalone(self, ask: Ask, history: Sequence[Turn]) -> Ask:
        """`ask` with a question that needs no history, and who wrote it."""
        settings = ask.bundle.conversation
        if settings is None or not settings.rewrite:
            return ask
        if is_courtesy(ask.question):
            return replace(ask, rewriting="courtesy")
        if not history:
            return ask
        if not depends(ask.question):
            words = own_words(ask.question)
            return ask if words == ask.question else replace(ask, question=words, rewriting="rule")
        recent = history[-settings.turns :]
        rewritten = await self._rewritten(ask, recent)
        if is_sound(rewritten, ask.question, recent):
            return replace(ask, question=rewritten, rewriting="model")
        return replace(ask, question=joined(ask.question, history), rewriting="rule")

    async def _rewritten(self, ask: Ask, history: Sequence[Turn]) -> str:
        """The first line that the model writes; empty where it fails."""
        settings = ask.bundle.conversation
        assert settings is not None  # noqa: S101 - `standalone` has looked
        sampling = ask.bundle.sampling.model_copy(
            update={"max_tokens": settings.max_tokens, "top_logprobs": 0}
        )
        messages = self._prompt.render_rewrite(ask.bundle, ask.question, history)
        deadline = Deadline(ask.deadline.remaining() * SHARE_OF_TIME)
        text = ""
        try:
            async with aclosing(
                self._model.stream(messages, sampling, deadline, ask.cycle)
            ) as generation:
                async for piece in generation:
                    if isinstance(piece, Usage):
                        continue
                    text += piece
                    if "\n" in text.strip():
                        break
        except ModelUnavailable as error:
            log.info("request %s: not rewritten by the model: %s", ask.request_id, error)
            return ""
        return " ".join(text.strip().partition("\n")[0].split()).strip('"')


def _nothing(ask: Ask) -> Found:
    """Nothing was searched, so nothing was found."""
    return Found(
        ask=ask,
        retrieved=Retrieved([], None, ask.index, 0.0, 0.0),
        excerpts=[],
        superseded=[],
        context=[],
        observed={},
        evidence=1.0,
        compare_ms=0.0,
    )
