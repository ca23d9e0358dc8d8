"""The watcher: runs a cycle, decides, writes card and ledger, tells whoever must know."""

import logging
import threading
import time
from collections.abc import Callable

from evals.errors import EvalsError, NotAccepted
from evals.settings import Settings
from evals.suite.ports import Each
from evals.watch import card as cards
from evals.watch import drift, first, workload
from evals.watch.accept import accept, candidates, drop_older
from evals.watch.accepted import Accepted, last
from evals.watch.alerts import Webhook
from evals.watch.cycle import Cycles, Seen
from evals.watch.decide import answered, decide, healed
from evals.watch.detector import shares
from evals.watch.facts import described, written_by_no_sync
from evals.watch.gate import Gate, judge
from evals.watch.ledger import Ledger
from evals.watch.model import LAYERS, Card, Indicator, Probe
from evals.watch.service import one_at_a_time

POLL_SECONDS = 30.0  # between looks at the fingerprints; a change triggers a cycle at once
AGAIN = 3  # cycles at once, where harm is suspected

_log = logging.getLogger(__name__)


class Watcher:
    """The watcher of one state folder; `once`, `accept` and `gate` take turns with each other."""

    def __init__(self, settings: Settings, each: Each) -> None:
        self._settings = settings
        self._each = each
        self._cycles = Cycles(settings, each)
        with Ledger(settings.ledger) as ledger:
            last = ledger.last()
        page = f"http://{settings.host}:{settings.port}"
        self._webhook = Webhook(settings.webhook_url, last[0].verdict if last else None, page)
        self._fingerprints: object = None
        self._last: tuple[Seen, Accepted, Card] | None = None
        self._reporting = threading.Lock()

    def once(self) -> Card:
        """One cycle to its card; `report` may add to it afterwards.

        Raises: NotAccepted before the first `evals accept`.
        """
        accepted = self._accepted()
        with one_at_a_time(self._settings), Ledger(self._settings.ledger) as ledger:
            seen = self._cycles.run(accepted)
            card = self._decide(seen, accepted, ledger)
        self._webhook.tell(card)
        self._last = (seen, accepted, card)
        return card

    def report(self) -> Card | None:
        """Write evidently's reports of the last cycle; what failed joins its card's indicators.

        It takes seconds, so it comes after the verdict and never before it. None where the last
        cycle has its reports already, or there was none.
        """
        with self._reporting:  # cycles that follow at once must not write into one workspace
            last, self._last = self._last, None
            return self._reported(*last) if last else None

    def _reported(self, seen: Seen, accepted: Accepted, card: Card) -> Card:
        if seen.pinned is None or seen.live is None:
            return card
        found = shares(accepted.baseline.scores, answered(seen.cycle))
        by_document = drift.by_document(seen.probes, found)
        question = {probe.id: probe.question for probe in seen.probes}
        events = self._settings.events
        now = drift.Side(
            seen.live.indexed(),
            drift.events_of(events, seen.cycle, seen.probes, "11"),
            {question[r.probe]: r.score for r in seen.cycle.replies if r.cell == "11"},
            {
                question[id]: {layer: getattr(share, layer) for layer in LAYERS}
                for id, share in found.items()
            },
            by_document,
            written_by_no_sync(seen.pinned, seen.live),
        )
        then = drift.Side(
            seen.pinned.indexed(),
            drift.events_of(events, accepted.cycle, seen.probes, "11"),
            {question[id]: accepted.baseline.scores[id] for id in question},
            data_share=dict.fromkeys(by_document, 0.0),
        )
        drifted: list[Indicator] = drift.indicators(
            self._settings.workspace, seen.cycle.id, then, now
        )
        card = card.model_copy(update={"indicators": [*card.indicators, *drifted]})
        with Ledger(self._settings.ledger) as ledger:
            ledger.amend(card)
        return card

    def watch(self, stop: threading.Event) -> None:
        """A cycle every so often, at once after a change, and again where harm is suspected."""
        due, again = time.monotonic(), 0
        while not stop.is_set():
            if time.monotonic() >= due or self._changed():
                due = time.monotonic() + self._settings.every_seconds
                suspected = self._guarded() == "SUSPECT"
                again = again + 1 if suspected else 0
                if suspected and again <= AGAIN:
                    due = time.monotonic()
                    continue
            stop.wait(min(POLL_SECONDS, max(0.0, due - time.monotonic())))

    def accept(self, reason: str | None = None) -> Accepted:
        """Today's stack becomes the baseline; a worse one than the last needs a reason.

        Raises: NotAccepted.
        """
        with Ledger(self._settings.ledger) as ledger:
            if ledger.accepts() and reason is None:
                card = self.once()
                if card.verdict.status in ("FAULT", "SUSPECT", "UNSURE"):
                    raise NotAccepted(f"{card.title} Heal it first, or accept it with --reason.")
            with one_at_a_time(self._settings):
                accepted = accept(self._settings, self._cycles, self._each, reason)
                self._keep(accepted, ledger)
        return accepted

    def accept_first(self, plan: Callable[[int], None]) -> Accepted | None:
        """Accept where nothing was accepted yet; None where something was.

        `plan` is told how many questions are left. Raises: NotAccepted.
        """
        with one_at_a_time(self._settings), Ledger(self._settings.ledger) as ledger:
            if ledger.accepts():
                return None
            accepted = accept(self._settings, self._cycles, self._each, None, plan)
            self._keep(accepted, ledger)
        return accepted

    def gate(self) -> Gate:
        """Compare each layer's change with the accepted state; a release asks for the result."""
        accepted = self._accepted()
        with one_at_a_time(self._settings):
            seen = self._cycles.run(accepted)
        if seen.cycle.error:
            raise NotAccepted(f"There is nothing to compare: {seen.cycle.error}")
        live = self._cycles.status(self._settings.application_url)
        result = judge(accepted.probes, seen.cycle.replies, live.bundle, live.build)
        self._settings.gates.mkdir(parents=True, exist_ok=True)
        path = self._settings.gates / f"{live.bundle}.json"
        written = path.with_suffix(".part")
        told = result.model_dump_json(indent=1, exclude={"rows"})  # as the contract has it
        written.write_text(told, encoding="utf-8")
        written.replace(path)
        return result

    def _keep(self, accepted: Accepted, ledger: Ledger) -> None:
        ledger.accept(accepted.at, accepted.model_dump_json())
        first.forget(self._settings.state_dir)
        records = [each.record for each in ledger.accepts()]
        drop_older(self._settings, [Accepted.model_validate_json(each).pin for each in records])

    def _decide(self, seen: Seen, accepted: Accepted, ledger: Ledger) -> Card:
        probes, baseline = self._ruler(accepted), accepted.baseline
        before, now = workload.read(self._settings.events, accepted.at)
        verdicts = ledger.since(before[0].at) if before else []
        moved = workload.told(before, now, verdicts)
        verdict, state = decide(seen.cycle, probes, baseline, ledger.state(), moved=moved)
        cycle = seen.cycle
        if not cycle.error:  # else nothing is known of what differs, and it began when it began
            changes = ledger.seen(cycle.changes, cycle.at)
            cycle = cycle.model_copy(update={"changes": changes})
        is_scored = bool(answered(cycle))
        card = cards.build(
            verdict,
            cycle,
            probes,
            baseline.scores,
            baseline.deltas,
            cards.owners(self._settings.codeowners),
            {
                layer: healed(verdict, cycle, probes, baseline, [layer])
                for layer in (verdict.layers or LAYERS)
                if is_scored
            },
            pin=accepted.pin.name,
            commands=self._settings.commands,
            accepted=accepted.replies,
        )
        ledger.append(cycle, verdict, card, state)
        if seen.facts and seen.live:
            ledger.describe(described(seen.facts, seen.live))
        return card

    def _ruler(self, accepted: Accepted) -> list[Probe]:
        """The accepted probes with today's questions and labels; one that is gone is left out."""
        now = {probe.id: probe for probe in candidates(self._settings)}
        return [
            now[probe.id].model_copy(update={"strata": probe.strata})
            for probe in accepted.probes.probes
            if probe.id in now
        ]

    def _accepted(self) -> Accepted:
        with Ledger(self._settings.ledger) as ledger:
            return last(ledger)

    def _guarded(self) -> str:
        """A cycle of the loop, which outlives whatever goes wrong in one."""
        try:
            card = self.once()
            threading.Thread(target=self.report, daemon=True).start()
        except EvalsError as error:
            _log.warning("No cycle: %s", error)
            return "NO DATA"
        except Exception:  # noqa: BLE001 - a watcher that died in silence would be the worst fault
            _log.exception("No cycle")
            return "NO DATA"
        _log.warning("%s: %s", card.verdict.status, card.title)
        return card.verdict.status

    def _changed(self) -> bool:
        """Whether a fingerprint is another one than at the last look."""
        now = self._cycles.fingerprints()
        changed = self._fingerprints is not None and now != self._fingerprints
        self._fingerprints = now
        return changed
