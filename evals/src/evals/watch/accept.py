"""`evals accept`: today's healthy stack becomes what later answers are held against.

Nothing else moves the baseline. It pins the index and the application's build, chooses the probes
that the stack gets right, measures how steadily, and proves that all four cells agree.
"""

import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from shlex import split as shell_split

from contracts.status import BundleStatus, Pin
from contracts.urls import without_credentials
from evals.clients import qdrant
from evals.clients.ingestion import Sources
from evals.errors import NotAccepted, Unavailable
from evals.probes import canaries, goldens, selection
from evals.probes.score import with_own_words
from evals.probes.selection import ProbeSet
from evals.settings import Settings
from evals.suite.ports import Each
from evals.watch import audit
from evals.watch.accepted import Accepted
from evals.watch.cells import ask_cells, chat_requests, scores
from evals.watch.cycle import Cycles, empty
from evals.watch.detector import Shares, shares
from evals.watch.memo import accept_name
from evals.watch.model import LAYERS, POOLED, CellReply, Probe

ROUNDS = 4  # of the same questions, each in another order
ROUNDS_OF_NOISE = 20  # of those whose replies vary
PINS_KEPT = 2
# Share of the probes that equal indexes may answer differently, since passages that fit almost
# equally change places; those probes are dropped. Seen: up to .032 with the small model.
NEAR_TIES = 0.06
PROBES_TOLD = 3  # of those that a refusal is due to


def accept(settings: Settings, cycles: Cycles, each: Each, reason: str | None) -> Accepted:
    """Pin, choose, measure and prove; `reason` is that of a person who accepts a worse state.

    Raises: NotAccepted where the cells disagree, so that a fault never becomes the baseline.
    """
    sources = Sources(settings.ingestion_command, settings.index)
    at = datetime.now(UTC)
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    _sync_canaries(settings, sources)
    asked = every = candidates(settings)
    with ExitStack() as undone:
        application = _pin_application(settings, cycles, undone)
        pin = sources.pin(f"accepted-{stamp}")
        undone.callback(sources.unpin, pin.name)
        live = qdrant.content(settings, settings.index)
        rounds: list[Sequence[CellReply]] = []
        while asked and len(rounds) < ROUNDS_OF_NOISE:
            shuffled = random.Random(len(rounds)).sample(asked, len(asked))  # noqa: S311
            id = f"{stamp}-{len(rounds)}"
            rounds.append(ask_cells(settings, pin.index, shuffled, id, each, ("11",)))
            if len(rounds) >= ROUNDS:
                varying = _varying(rounds)
                asked = [probe for probe in every if probe.id in varying]
        chosen = selection.select(every, rounds)
        asked_at, began = datetime.now(UTC), time.perf_counter()
        replies = ask_cells(settings, pin.index, chosen.probes, accept_name(stamp), each)
        _require_same_requests(replies)
        _require_agreement(chosen, replies)
        chosen = _agreeing(chosen, every, rounds, replies)
        cycle = empty(stamp, asked_at).model_copy(
            update={
                "replies": replies,
                "seconds": time.perf_counter() - began,
                "audits": audit.by_stream(cycles.audits(live, stamp)),
            }
        )
        accepted = Accepted(
            at=at,
            reason=reason,
            pin=pin,
            facts=cycles.facts(live),
            application=application,
            probes=chosen,
            cycle=cycle,
            replica_replies=cycles.replicas.replies(chat_requests(replies, "11")),
            versions={id: manifest.version for id, manifest in live.documents.items()},
        )
        undone.pop_all()  # it stands
    return accepted


def candidates(settings: Settings) -> list[Probe]:
    """Every probe that could be asked: the canaries, and the watcher's half of the goldens."""
    watched, _ = goldens.halves(
        goldens.probes(settings.golden, settings.golden_revision, settings.golden_source)
    )
    return with_own_words([*canaries.probes(), *watched])


def drop_older(settings: Settings, pins: Sequence[Pin]) -> None:
    """Remove all but the first pins, the newest first; the one before is kept for a rollback."""
    sources = Sources(settings.ingestion_command, settings.index)
    for pin in pins[PINS_KEPT : PINS_KEPT + 1]:  # those before are gone already
        sources.unpin(pin.name)


def _sync_canaries(settings: Settings, sources: Sources) -> None:
    """The canary pages through their real deployment, the deleted ones put in and taken out."""
    canaries.write(settings.canaries, before_deletion=True)
    sources.run(settings.canary_source)
    canaries.write(settings.canaries)
    sources.run(settings.canary_source)


def _pin_application(settings: Settings, cycles: Cycles, undone: ExitStack) -> BundleStatus:
    """The live build as the accepted one; done by a command here, by an image in compose."""
    if pinning := settings.pin_application_command:
        if subprocess.run(shell_split(pinning), check=False, stdout=sys.stderr).returncode != 0:
            raise Unavailable("The application could not be pinned; the lines above say why.")
        undo = [*shell_split(pinning), "--undo"]  # fails where nothing was accepted before
        undone.callback(subprocess.run, undo, check=False, capture_output=True)
    live, reference = cycles.status(settings.application_url), cycles.status(settings.reference_url)
    if (live.build, live.bundle) != (reference.build, reference.bundle):
        raise Unavailable(
            f"The application at {without_credentials(settings.reference_url)} is not the live "
            f"one ({reference.build}, bundle {reference.bundle}, for {live.build}, bundle "
            f"{live.bundle}): start it with the live build, or set EVALS_PIN_APPLICATION_COMMAND."
        )
    return live


def _varying(rounds: Sequence[Sequence[CellReply]]) -> set[str]:
    """Probes whose replies were not all the same: only they need many rounds."""
    found: dict[str, set[str]] = {}
    for reply in (reply for each in rounds for reply in each):
        found.setdefault(reply.probe, set()).add(f"{reply.score} {reply.text}")
    return {probe for probe, different in found.items() if len(different) > 1}


def _agreeing(
    chosen: ProbeSet,
    candidates: Sequence[Probe],
    rounds: Sequence[Sequence[CellReply]],
    replies: Sequence[CellReply],
) -> ProbeSet:
    """The same without probes that the cells of the healthy stack mark differently.

    A copy of an index has other statistics than one that many syncs have written, so that two
    passages may change places: such a probe would tell of that for ever.
    """
    marks = scores(replies)
    steady = {probe for probe, cells in marks.items() if len(set(cells.values())) == 1}
    left = [p for p in candidates if p.id in steady or p.id not in marks]
    ids = {probe.id for probe in left}
    return selection.select(left, [[r for r in each if r.probe in ids] for each in rounds])


def _require_same_requests(replies: Sequence[CellReply]) -> None:
    """One build with one bundle sends the model one request for one question and index.

    Where it does not, no generation is shared, and the model's noise is taken for harm of a layer.
    """
    reference, live = chat_requests(replies, "10"), chat_requests(replies, "11")
    if live and all(reference.get(probe) != request for probe, request in live.items()):
        raise Unavailable(
            "The accepted application sends the model other requests than the live one, though "
            "build and bundle are the same: give both the same APPLICATION_MARKER_KEY."
        )


def _require_agreement(chosen: ProbeSet, replies: Sequence[CellReply]) -> None:
    split = shares(chosen.baseline, scores(replies))
    means = {layer: _mean(split, layer) for layer in LAYERS}
    worst = max(means, key=lambda layer: abs(means[layer]))
    if abs(means[worst]) > max(chosen.deltas[POOLED], NEAR_TIES):
        raise NotAccepted(
            f"The cells disagree by {means[worst]:+.3f} for {worst} on a stack that should be "
            "healthy: see that nothing was changed meanwhile, and accept again. The most by: "
            f"{_told(split, worst, replies)}."
        )


def _told(split: Mapping[str, Shares], layer: str, replies: Sequence[CellReply]) -> str:
    """The probes that disagree the most, and what the cells answered to each."""
    most = sorted(split, key=lambda probe: -abs(_share(split[probe], layer)))[:PROBES_TOLD]
    return "; ".join(f"{probe} ({_answers(probe, replies)})" for probe in most)


def _answers(probe: str, replies: Sequence[CellReply]) -> str:
    """Each answer once, with the cells that gave it."""
    cells: dict[str, list[str]] = {}
    for reply in replies:
        if reply.probe == probe:
            told = f"{reply.status}: {reply.reason or reply.text[:60]}"
            cells.setdefault(told, []).append(reply.cell)
    return ", ".join(f"{'+'.join(names)} {told}" for told, names in cells.items())


def _share(shares: Shares, layer: str) -> float:
    return float(getattr(shares, layer))


def _mean(split: Mapping[str, Shares], layer: str) -> float:
    return sum(_share(each, layer) for each in split.values()) / len(split)
