"""One cycle of the watcher: look at every layer, ask the four cells, and account for what was seen.

It reaches the layers by their URLs and commands only, and knows nothing of drills.
"""

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from contracts.status import AuditReport, BundleStatus, SourceStatus
from contracts.urls import without_credentials
from evals.clients import models, qdrant
from evals.clients.application import Application
from evals.clients.ingestion import Sources
from evals.clients.models import Models
from evals.clients.qdrant import IndexContent
from evals.errors import EvalsError, Unavailable
from evals.probes import canaries, goldens
from evals.settings import Settings
from evals.suite.ports import Each
from evals.watch import audit
from evals.watch import facts as known
from evals.watch.accepted import Accepted
from evals.watch.cells import ask_cells, asked_as_users, with_ladder
from evals.watch.facts import Facts
from evals.watch.memo import replaying
from evals.watch.model import CellReply, Change, Cycle, Indicator, Probe
from evals.watch.replicas import Replicas

AUDITED = 60  # documents of a source, each cycle
ASKED_AS_USERS = 3
T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """A cycle, and the large things that its card and its reports need."""

    cycle: Cycle
    probes: list[Probe]  # those that were asked; a retired golden is not
    pinned: IndexContent | None = None
    live: IndexContent | None = None
    facts: Facts | None = None


class Cycles:
    """Runs cycles against what was accepted."""

    def __init__(self, settings: Settings, each: Each) -> None:
        self._settings = settings
        self._each = each
        self._models = Models(settings)
        self.replicas = Replicas(self._models, each)
        self._sources = Sources(settings.ingestion_command, settings.index)
        self._pinned: tuple[str, IndexContent] | None = None  # it never changes

    def run(self, accepted: Accepted) -> Seen:
        """One cycle. It never raises for what a layer does: then there is no data, and why."""
        at, began = datetime.now(UTC), time.perf_counter()
        id = at.strftime("%Y%m%dT%H%M%SZ")
        try:
            return self._run(accepted, id, at, began)
        except EvalsError as error:
            nothing = empty(id, at, str(error))
            seconds = time.perf_counter() - began
            return Seen(nothing.model_copy(update={"seconds": seconds}), [])

    def facts(self, live: IndexContent) -> Facts:
        """What each layer is now."""
        llms = {url: _or_none(partial(self._models.llm, url)) for url in self._models.replicas}
        return Facts(
            embedder=_or_none(self._models.embedder),
            llms=llms,
            application=_or_none(partial(self.status, self._settings.application_url)),
            index=live.digest,
        )

    def fingerprints(self) -> list[str | None]:
        """What can change between two cycles and is cheap to ask; a change triggers a cycle."""
        status = _or_none(partial(self.status, self._settings.application_url))
        embedder = _or_none(self._models.embedder)
        llms = [_or_none(partial(self._models.llm, url)) for url in self._models.replicas]
        return [
            status.build if status else None,
            status.bundle if status else None,
            embedder.digest if embedder else None,
            *(llm.digest if llm else None for llm in llms),
        ]

    def status(self, url: str) -> BundleStatus:
        """Build and bundle of the application at a URL."""
        with Application(self._settings, self._settings.index, url=url) as application:
            return application.status()

    def audits(self, live: IndexContent, id: str) -> list[AuditReport]:
        """Every source's audit, of documents drawn by `id`."""
        seed = random.Random(id).randrange(10**6)  # noqa: S311  # no secret
        sources = sorted({manifest.source for manifest in live.documents.values()})
        return [self._sources.audit(source, AUDITED, seed) for source in sources]

    def _run(self, accepted: Accepted, id: str, at: datetime, began: float) -> Seen:
        settings = self._settings
        with ThreadPoolExecutor(2) as aside:
            before = self.fingerprints()
            beat = aside.submit(self._beat, id)
            live, pinned = qdrant.content(settings, settings.index), self._content_of(accepted)
            self._require_reference(accepted)
            now = self.facts(live)
            audits = aside.submit(self.audits, live, id)
            probes, vanished = self._current(accepted, live)
            changes = self._changes(accepted, now, pinned, live)
            name = replaying(id, accepted.cycle.id) if self._may_replay(accepted, changes) else id
            replies = ask_cells(settings, accepted.pin.index, probes, name, self._each)
            if self.fingerprints() != before:  # some cells had the old stack, and some the new one
                raise Unavailable(
                    "The stack was changed while it was asked, so its cells cannot be compared: "
                    "the next cycle asks it anew."
                )
            indicators = [
                *known.broken_contracts(now, live, changes),
                *_findings(audits.result()),
                *vanished,
                *self._users_way(probes, replies, id),
                *self.replicas.indicators(accepted, now),
                *_result(beat),
            ]
            freshness = self._sources.status()
        by_id = {probe.id: probe for probe in probes}
        cycle = Cycle(
            id=id,
            at=at,
            seconds=time.perf_counter() - began,
            replies=with_ladder(replies, by_id, {"0": pinned, "1": live}),
            replayed=_replayed(accepted, replies),
            changes=changes,
            indicators=[*indicators, *_stale(freshness, settings.freshness_seconds)],
            lag_seconds={each.source: each.lag_seconds for each in freshness},
            held=tuple(each.source for each in freshness if each.hold),
            generations=len({reply.prompt for reply in replies if reply.prompt}),
            audits=audit.by_stream(audits.result()),
        )
        return Seen(cycle, probes, pinned, live, now)

    def _content_of(self, accepted: Accepted) -> IndexContent:
        if self._pinned is None or self._pinned[0] != accepted.pin.index:
            content = qdrant.content(self._settings, accepted.pin.index)
            self._pinned = (accepted.pin.index, content)
        return self._pinned[1]

    def _require_reference(self, accepted: Accepted) -> None:
        """Without the accepted build nothing can be compared: that is no data, and no verdict."""
        status, was = self.status(self._settings.reference_url), accepted.application
        if (status.build, status.bundle) != (was.build, was.bundle):
            raise Unavailable(
                f"The application at {without_credentials(self._settings.reference_url)} is not "
                f"the accepted one (it is {status.build}, bundle {status.bundle}): start that one, "
                "or `evals accept`."
            )

    def _changes(
        self, accepted: Accepted, now: Facts, pinned: IndexContent, live: IndexContent
    ) -> list[Change]:
        def differences(before: models.Manifest, after: models.Manifest) -> list[str]:
            if before == after:
                return []
            return models.differences(self._settings.serving_command, before, after)

        return [
            *known.data_changes(pinned, live, {_heartbeat(self._settings)}),
            *known.serving_changes(accepted.facts, now, differences),
            *known.application_changes(accepted.application, now.application),
        ]

    def _current(
        self, accepted: Accepted, live: IndexContent
    ) -> tuple[list[Probe], list[Indicator]]:
        """The probes that are asked, and what there is to tell of those that might be retired."""
        suspects = [
            probe
            for probe in accepted.probes.probes
            if probe.origin == "golden"
            and any(_is_changed(document, live, accepted) for document in probe.documents)
        ]
        raw = self._sources.raw(sorted({d for probe in suspects for d in probe.documents}))
        every = accepted.probes.probes
        left, damage = goldens.without_retired(every, raw, accepted.versions)
        told = [Indicator(layer="data", source="audit", what="goldens", detail=d) for d in damage]
        return left, told

    def _users_way(
        self, probes: Sequence[Probe], replies: Sequence[CellReply], id: str
    ) -> list[Indicator]:
        """Whether users get what the probes got, who share their generations."""
        picked = random.Random(id).sample(list(probes), min(ASKED_AS_USERS, len(probes)))  # noqa: S311
        shared = {reply.probe: reply.text for reply in replies if reply.cell == "11"}
        asked = asked_as_users(self._settings, picked, self._each)
        differing = [
            probe.question
            for probe, answer in asked
            if (answer.text if answer else "") != shared[probe.id]
        ]
        if not differing:
            return []
        detail = f"Users get another answer than the probes do, e.g. to {differing[0]!r}."
        return [Indicator(layer="application", source="contract", what="users", detail=detail)]

    def _may_replay(self, accepted: Accepted, changes: Sequence[Change]) -> bool:
        """Whether the models are the accepted ones by all they say, and by some replies.

        Then what was generated at the accept would only be generated once more.
        """
        if not self._settings.replay or any(change.layer == "serving" for change in changes):
            return False
        return self.replicas.reply_as_accepted(accepted)

    def _beat(self, value: str) -> None:
        """One page through the real flow, end to end: written, triggered, and in the index."""
        canaries.heartbeat(self._settings.canaries, value)
        report = self._sources.run(self._settings.canary_source)
        if report.status == "failed":
            raise Unavailable(f"The canary source's run failed: {report.error}")


def _or_none(ask: Callable[[], T]) -> T | None:
    """None where it does not answer."""
    try:
        return ask()
    except Unavailable:
        return None


def _findings(reports: Sequence[AuditReport]) -> list[Indicator]:
    return [
        Indicator(layer="data", source="audit", what=report.source, detail=detail)
        for report in reports
        for detail in known.audit_failures(report) + ([report.error] if report.error else [])
    ]


def _result(beat: Future[None]) -> list[Indicator]:
    try:
        beat.result()
    except EvalsError as error:
        return [Indicator(layer="data", source="freshness", what="heartbeat", detail=str(error))]
    return []


def _stale(sources: Sequence[SourceStatus], limit_seconds: float) -> list[Indicator]:
    return [
        Indicator(
            layer="data",
            source="freshness",
            what=source.source,
            detail=f"{source.reason}: {source.detail}"
            if source.reason
            else f"{source.source} was never in sync."
            if source.lag_seconds is None
            else f"{source.source} was in sync {source.lag_seconds / 3600:.1f} hours ago.",
        )
        for source in sources
        if source.reason or source.lag_seconds is None or source.lag_seconds > limit_seconds
    ]


def _is_changed(document: str, live: IndexContent, accepted: Accepted) -> bool:
    manifest = live.documents.get(document)
    return manifest is None or manifest.version != accepted.versions.get(document)


def _heartbeat(settings: Settings) -> str:
    return f"{settings.canary_source}/{canaries.HEARTBEAT}"


def _replayed(accepted: Accepted, replies: Sequence[CellReply]) -> dict[str, float]:
    """Score of the accepted chat request, by probe, where the pinned cell sent it once more.

    Where it sent another, the embedder or the reranker had given it other passages: then the
    generator is not to blame, and the accepted score stands.
    """
    before, baseline = accepted.replies, accepted.baseline.scores
    return {
        reply.probe: reply.score
        if reply.prompt == before[reply.probe].prompt
        else baseline[reply.probe]
        for reply in replies
        if reply.cell == "00" and reply.probe in before
    }


def empty(id: str, at: datetime, error: str | None = None) -> Cycle:
    """A cycle that has seen nothing yet, or never will, for `error`."""
    return Cycle(
        id=id,
        at=at,
        seconds=0,
        replies=[],
        replayed={},
        changes=[],
        indicators=[],
        lag_seconds={},
        generations=0,
        error=error,
    )
