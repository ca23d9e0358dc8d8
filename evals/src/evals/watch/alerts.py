"""Tells a webhook of every change of verdict; Prometheus' rules lie in infra/prometheus/."""

import logging
import time
from collections.abc import Callable

import httpx

from evals.watch.model import Card, Layer, Status, Verdict

PAUSES = (1.0, 5.0)  # seconds between attempts
TIMEOUT_SECONDS = 10.0

_log = logging.getLogger(__name__)
_Told = tuple[Status, frozenset[Layer]]


class Webhook:
    """Posts a card's summary once a verdict is another; the watcher goes on whatever becomes of it.

    What could not be delivered is tried again after the next cycle.
    """

    def __init__(
        self,
        url: str,
        last: Verdict | None = None,
        page_url: str = "",
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """`last` is the ledger's newest verdict, taken as told; without one, OK goes untold."""
        self._url = url
        self._told: _Told = _key(last) if last else ("OK", frozenset())
        self._page_url = page_url.rstrip("/")
        self._transport = transport
        self._wait = wait

    def tell(self, card: Card) -> bool:
        """Post the card if its verdict is not the one told last; whether it was delivered."""
        key = _key(card.verdict)
        if not self._url or key == self._told or not self._post(summary(card, self._page_url)):
            return False
        self._told = key
        return True

    def _post(self, body: dict[str, object]) -> bool:
        reason = ""
        for pause in (0.0, *PAUSES):
            self._wait(pause)
            try:
                with httpx.Client(transport=self._transport, timeout=TIMEOUT_SECONDS) as http:
                    reply = http.post(self._url, json=body)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = type(error).__name__  # its text may hold the address, which is a secret
                continue
            if reply.is_success:
                return True
            reason = f"status {reply.status_code}"
        _log.warning("The webhook was not told (%s): check EVALS_WEBHOOK_URL.", reason)
        return False


def summary(card: Card, page_url: str = "") -> dict[str, object]:
    """What is posted: no question, no answer, no prompt. `text` is what chat services show."""
    verdict = card.verdict
    return {
        "text": f"{verdict.status}: {card.title}",
        "status": verdict.status,
        "layers": list(verdict.layers),
        "cycle": verdict.cycle,
        "at": verdict.at.isoformat(),
        "reason": verdict.reason,
        "shares": {layer: share.model_dump() for layer, share in verdict.shares.items()},
        "owners": {layer: card.owners[layer] for layer in verdict.layers if layer in card.owners},
        "reverts": [revert.model_dump() for revert in card.reverts],
        "url": f"{page_url}/history/{verdict.cycle}" if page_url else None,
    }


def _key(verdict: Verdict) -> _Told:
    return verdict.status, frozenset(verdict.layers)
