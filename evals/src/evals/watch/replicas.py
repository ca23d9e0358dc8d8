"""Every replica of the chat model asked on its own: one that is bad hides in the mean."""

import random
from collections.abc import Mapping

from evals.clients.models import Models
from evals.errors import Unavailable
from evals.suite.ports import Each
from evals.watch.accepted import Accepted
from evals.watch.facts import Facts
from evals.watch.model import Indicator

REPLICA_REQUESTS = 16


class Replicas:
    """The replicas, held against the model's own words to a few requests of the accept."""

    def __init__(self, models: Models, each: Each) -> None:
        self._models = models
        self._each = each

    def replies(self, requests: Mapping[str, dict[str, object]]) -> dict[str, str]:
        """What the first replica says to a few chat requests, by probe; kept by an accept."""
        url = self._models.replicas[0]
        few = random.Random(7).sample(sorted(requests), min(REPLICA_REQUESTS, len(requests)))  # noqa: S311
        replies = self._each(lambda probe: self._models.reply(url, requests[probe]), few, "replies")
        return dict(zip(few, replies, strict=True))

    def reply_as_accepted(self, accepted: Accepted) -> bool:
        """Whether every replica gives every one of the accepted replies."""
        return all(all(self._same(accepted, url)) for url in self._models.replicas)

    def indicators(self, accepted: Accepted, now: Facts) -> list[Indicator]:
        """One for each replica that gives fewer than half of them; a single one is in the cells."""
        if len(now.llms) < 2:
            return []
        found = []
        for url in now.llms:
            same = self._same(accepted, url)
            if sum(same) < len(same) / 2:
                detail = f"{url} gave {sum(same)} of {len(same)} of the accepted replies."
                found.append(
                    Indicator(layer="serving", source="contract", what="replica", detail=detail)
                )
        return found

    def _same(self, accepted: Accepted, url: str) -> list[bool]:
        """Whether a replica gives the accepted replies, one by one; False where it gives none."""

        def is_same(probe: str) -> bool:
            try:
                reply = self._models.reply(url, accepted.requests[probe])
            except Unavailable:
                return False
            return reply == accepted.replica_replies[probe]

        return self._each(is_same, sorted(accepted.replica_replies), f"replies of {url}")
