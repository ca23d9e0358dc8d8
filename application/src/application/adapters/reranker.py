"""The reranker's client: puts passages in the order of a cross-encoder's scores."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import aiohttp

from application.adapters.proxy import proxy_of
from application.adapters.replies import Wording, checked
from application.errors import ApplicationError
from application.upstream import Deadline, Upstream
from contracts.answer import Passage
from contracts.urls import authorization, openai_url

log = logging.getLogger("application")

UNAVAILABLE = "unavailable"
WORDING = Wording("reranker", key="APPLICATION_RERANK_API_KEY", url="APPLICATION_RERANK_URL")


class Reranker:
    """Asks `{url}/v1/rerank`, in the shape of Cohere's and vLLM's."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        model: str,
        api_key: str | None,
        upstream: Upstream,
        candidates: int,
    ) -> None:
        self.candidates = candidates  # passages that it reads for a question
        self._session = session
        self._url = openai_url(url, "rerank")
        self._headers = authorization(url, api_key)
        self._model = model
        self._key = api_key
        self._upstream = upstream

    async def ordered(
        self, question: str, passages: Sequence[Passage], deadline: Deadline
    ) -> tuple[list[Passage], str]:
        """The passages, best first, and the model that says so.

        Passages keep the index's scores, by which evidence is calibrated. Where the reranker fails
        they keep the index's order too, and the second value is "unavailable".
        """
        if not passages:
            return [], self._model or "none"
        try:
            reply = await self._ask(question, [passage.text for passage in passages], deadline)
            order = order_of(reply["results"], len(passages))
        except (ApplicationError, LookupError, TypeError, ValueError) as error:
            log.warning("The reranker did not answer; the index's order stays: %s", error)
            return list(passages), UNAVAILABLE
        return [passages[place] for place in order], str(reply.get("model") or self._model or "?")

    async def _ask(self, question: str, texts: list[str], deadline: Deadline) -> dict[str, Any]:
        body: dict[str, Any] = {"query": question, "documents": texts, "top_n": len(texts)}
        if self._model:
            body["model"] = self._model
        private = [question, *texts, *([self._key] if self._key else [])]

        async def attempt() -> dict[str, Any]:
            async with self._session.post(
                self._url, json=body, headers=self._headers, proxy=proxy_of(self._url)
            ) as response:
                await checked(response, WORDING, private)
                reply: dict[str, Any] = await response.json()
                if not isinstance(reply, dict):
                    raise ValueError("its reply is no JSON object")
                return reply

        return await self._upstream.call(attempt, deadline)


def order_of(results: Sequence[dict[str, Any]], count: int) -> list[int]:
    """Places of the passages, best first; those that the reply leaves out come last.

    Raises LookupError, TypeError or ValueError where the reply names no such places and scores.
    """
    scores: dict[int, float] = {}
    for result in results:
        place, score = int(result["index"]), float(result["relevance_score"])
        if not 0 <= place < count or place in scores or not math.isfinite(score):
            raise ValueError(f"it gave place {place} of {count} the score {score}")
        scores[place] = score
    return sorted(range(count), key=lambda place: -scores.get(place, -math.inf))
