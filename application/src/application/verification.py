"""Verification: a second question to the chat model, whether the cited excerpt says the answer.

A small model tends to answer from any passage on the subject. When it is asked to check, it notices
more often that the passage is about something else. Its Yes or No is one feature of the evidence.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import aclosing

from application.bundle import Bundle
from application.citations import MARK, NUMBER
from application.context import Block
from application.errors import ModelUnavailable
from application.ports import ChatModel, PromptRenderer, Usage
from application.upstream import Deadline

SHARE_OF_TIME = 1 / 3  # of what is left, for this second question
MOST_BLOCKS = 2  # of those that the reply names
LEAST_CHANCE = 1e-6  # keeps the odds finite
LEAST_SAID = 0.05  # chance of Yes and No together
LIKELY_TOKENS = 20  # the most that OpenAI's API gives

log = logging.getLogger("application")


class Verifier:
    """Asks the model that answered, where the bundle has a prompt for it."""

    def __init__(self, prompt: PromptRenderer, model: ChatModel) -> None:
        self._prompt = prompt
        self._model = model

    async def odds(
        self,
        bundle: Bundle,
        question: str,
        reply: str,
        shown: Sequence[Block],
        deadline: Deadline,
        cycle: str | None = None,
    ) -> float | None:
        """Natural log odds of Yes against No.

        None where the bundle has no prompt for it, the model fails, or it says neither.

        The marks in `reply` count the blocks in `shown`, from 1. A reply that names none of them is
        held against the last one, which fits the question best.
        """
        if not (bundle.verifies and shown and reply):
            return None
        messages = self._prompt.render_verification(
            bundle, question, MARK.sub("", reply), named(reply, shown)
        )
        sampling = bundle.sampling.model_copy(
            update={
                "max_tokens": 1,
                "top_logprobs": LIKELY_TOKENS if bundle.sampling.top_logprobs else 0,
            }
        )
        text, usage = "", Usage()
        try:
            async with aclosing(
                self._model.stream(
                    messages, sampling, Deadline(deadline.remaining() * SHARE_OF_TIME), cycle
                )
            ) as generation:
                async for piece in generation:
                    if isinstance(piece, Usage):
                        usage = piece
                    else:
                        text += piece
        except ModelUnavailable as error:
            log.info("an answer was not verified: %s", error)
            return None
        return log_odds(usage.first_tokens or {text: 0.0})


def named(reply: str, shown: Sequence[Block]) -> list[Block]:
    """The blocks that the marks in `reply` name, each once."""
    numbers = [int(n) for mark in MARK.finditer(reply) for n in NUMBER.findall(mark[0])]
    valid = [n for n in dict.fromkeys(numbers) if 0 < n <= len(shown)]
    return [shown[n - 1] for n in valid[:MOST_BLOCKS]] or [shown[-1]]


def log_odds(tokens: Mapping[str, float]) -> float | None:
    """Of Yes against No, given the log probability of each first token; None if it is neither."""
    yes, no = _chance(tokens, "yes"), _chance(tokens, "no")
    if yes + no < LEAST_SAID:
        return None
    return math.log((yes + LEAST_CHANCE) / (no + LEAST_CHANCE))


def _chance(tokens: Mapping[str, float], word: str) -> float:
    return sum(math.exp(p) for token, p in tokens.items() if token.strip(" .").lower() == word)
