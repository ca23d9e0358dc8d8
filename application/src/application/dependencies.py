"""What routes take, named once as types: the verified caller and the objects of this process."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from application.access import KeyRing, Principal, Scope, probing
from application.adapters.readiness import ReadinessChecks
from application.answer import Answerer, Ask
from application.bundle import Bundle, Mode
from application.bundle_store import BundleStore
from application.conversation import Conversations
from application.doors.feedback_box import FeedbackBox
from application.errors import InvalidRequest, ProbeRefused
from application.metrics import Metrics
from application.ports import Manifests, Query, Retriever
from application.releases import Releases
from application.settings import Settings
from application.upstream import Deadline
from contracts.probe import PROBE_BUNDLE, PROBE_CYCLE, PROBE_INDEX, PROBE_KEY

CYCLE = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Services:
    """What `bootstrap` builds and the routes use."""

    settings: Settings
    build: str
    keys: KeyRing
    bundles: BundleStore
    releases: Releases
    retriever: Retriever
    manifests: Manifests
    answerer: Answerer
    conversations: Conversations
    feedback: FeedbackBox
    readiness: ReadinessChecks
    metrics: Metrics


def services(request: Request) -> Services:
    """The objects of this process."""
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller, and what the request reads and answers with."""

    scope: Scope
    index: str
    bundle: Bundle
    request_id: str
    deadline: Deadline
    cycle: str | None

    def ask(self, question: str) -> Ask:
        """`question` on behalf of this caller."""
        if not question.strip():
            raise InvalidRequest("The question is empty; write one.")
        return Ask(
            question.strip(),
            self.scope,
            self.index,
            self.bundle,
            self.request_id,
            self.deadline,
            self.cycle,
        )

    def query(self, text: str, mode: Mode, limit: int) -> Query:
        """A search on behalf of this caller."""
        return Query(text, self.scope, self.index, mode, limit, self.bundle, self.deadline)


def caller(request: Request, services: ServicesDep) -> Caller:
    """The verified principal, and the probe headers checked: the only way to a `Scope`."""
    headers, settings = request.headers, services.settings
    principal: Principal = request.state.principal  # admission verified the key
    scope = principal.scope
    steered = [name for name in (PROBE_INDEX, PROBE_BUNDLE, PROBE_CYCLE) if name in headers]
    if PROBE_KEY in headers:
        scope = probing(scope, headers[PROBE_KEY], settings.probe_key_sha256)
    elif steered:
        raise ProbeRefused(f"{steered[0]} needs X-Probe-Key beside it.")
    digest, cycle = headers.get(PROBE_BUNDLE), headers.get(PROBE_CYCLE)
    if cycle is not None and not CYCLE.fullmatch(cycle):
        raise InvalidRequest(f"{PROBE_CYCLE} takes 1 to 64 letters, digits and dashes.")
    return Caller(
        scope=scope,
        index=headers.get(PROBE_INDEX, settings.index),
        bundle=services.bundles.get(digest) if digest else services.bundles.live,
        request_id=request.state.request_id,
        deadline=Deadline(settings.deadline_seconds),
        cycle=cycle,
    )


CallerDep = Annotated[Caller, Depends(caller)]
