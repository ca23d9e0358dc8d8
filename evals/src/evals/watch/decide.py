"""From one cycle to a verdict: who made answers worse, and what would heal them. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import sqrt
from typing import Any

from evals.suite.metrics import Part, ratio
from evals.watch import audit, reasons
from evals.watch.detector import (
    ARL,
    DETECTORS,
    Baseline,
    Heard,
    Shares,
    State,
    digest,
    evidence,
    mean,
    observe,
    restarted,
    shares,
    streams,
    threshold,
    typical,
)
from evals.watch.model import (
    CELLS,
    LAYERS,
    POOLED,
    Cell,
    CellReply,
    Cycle,
    Estimate,
    Layer,
    Probe,
    Verdict,
)

WINDOW = 4  # cycles; see `_blame`
UNREACHABLE = "unreachable"  # in the reason of an error: the reply is missing, not wrong
PINNED: dict[frozenset[Layer], Cell] = {
    frozenset(): "11",
    frozenset({"data"}): "01",
    frozenset({"application"}): "10",
    frozenset({"data", "application"}): "00",
}


def decide(
    cycle: Cycle,
    probes: Sequence[Probe],
    baseline: Baseline,
    state: State,
    *,
    moved: Sequence[str] = (),
    arl: float = ARL,
) -> tuple[Verdict, State]:
    """The verdict on a cycle, and the state for the next one.

    `probes` is the whole ruler; a probe whose truth is retired has no replies in the cycle. `moved`
    are sentences on how users' own questions drifted. `arl` is in cycles. NO DATA and RULER leave
    the state as it was.
    """
    limit = threshold(arl)

    def verdict(**update: Any) -> Verdict:
        return Verdict(cycle=cycle.id, at=cycle.at, threshold=limit, **update)

    if cycle.error:
        return verdict(status="NO DATA", reason=cycle.error), state
    if digest(probes) != baseline.digest:
        reason = "The probes or their labels are not the accepted ones: run `evals accept`."
        return verdict(status="RULER", reason=reason), state
    scores = answered(cycle)
    if not scores or 2 * len(scores) < len(probes):
        missed = filter(is_missing, cycle.replies)
        reason = reasons.missing(missed, len(scores), len(probes))
        return verdict(status="NO DATA", reason=reason), state

    found = shares(baseline.scores, scores)
    state = observe(state, found, probes, baseline.deltas, cycle.audits)
    damaged = audit.damaged(cycle, baseline.deltas)
    seen = _Seen(state, (*state.recent, found)[-WINDOW:], probes, baseline, damaged)
    heard = [seen.hear(name, limit) for name in DETECTORS]
    # Past the threshold and yet no harm in this cycle: it was put back. Waiting until the evidence
    # has melted would keep the verdict red for hours; a detector may start anew at any time.
    over = [h.detector for h in heard if h.evidence >= limit and not h.worse]
    if over:
        seen = _Seen(restarted(state, over), (found,), probes, baseline, damaged)
        heard = [seen.hear(name, limit) for name in DETECTORS]
    known: dict[str, Any] = {"evidence": {h.detector: h.evidence for h in heard[: len(LAYERS)]}}
    suspects = [h for h in heard if h.evidence >= sqrt(limit) and h.worse]
    state = seen.state.model_copy(update={"recent": seen.window if suspects else ()})
    alarms = [h for h in suspects if h.evidence >= limit]
    if alarms:
        return verdict(**known, **_blame(alarms, seen)), state

    known |= {
        "shares": {layer: estimate(getattr(s, layer) for s in found.values()) for layer in LAYERS},
        "interaction": mean("interaction", found, found),
    }
    if suspects:
        most = max(suspects, key=lambda h: h.evidence)
        reason = (
            f"Answers may be worse: the evidence on {reasons.words(most.detector)} is "
            f"{most.evidence:,.0f} of {limit:,.0f}, most in {', '.join(most.hot)}; "
            "probed again at once."
        )
        return verdict(status="SUSPECT", reason=reason, **known), state
    if moved:
        reason = f"Probes are well, users' questions moved: {'; '.join(moved)}."
        return verdict(status="WORKLOAD", reason=reason, **known), state
    return verdict(status="OK", reason=reasons.well(cycle, found, baseline, over), **known), state


def healed(
    verdict: Verdict,
    cycle: Cycle,
    probes: Sequence[Probe],
    baseline: Baseline,
    layers: Collection[Layer] | None = None,
) -> Estimate:
    """Expected gain in score if these layers (default: all at fault) are put back, together.

    Over the probes of their hot strata. For data and application it is the cell that has them
    pinned, less what users get: the swap is the revert test. Models have no pinned cell, so theirs
    is their share. Where either of two faults does all the harm, each alone heals nothing.
    """
    layers = verdict.layers if layers is None else layers
    hot = {stream for layer in layers for stream in verdict.hot.get(layer, (POOLED,))}
    scores = answered(cycle)
    pinned = PINNED[frozenset(layers) - {"serving"}]
    models = "serving" in layers
    return estimate(
        scores[p][pinned] - scores[p]["11"] + models * (baseline.scores[p] - scores[p]["00"])
        for p in _members(hot, streams(probes), scores) or scores
    )


def estimate(values: Iterable[float]) -> Estimate:
    """Mean over probes, of which there is one at least, with its 95% bootstrap interval; seeded."""
    found = ratio(Part(number, value) for number, value in enumerate(values))
    if found is None:
        raise ValueError("An estimate needs at least one probe.")
    return Estimate(value=found.value, low=found.low, high=found.high)


def answered(cycle: Cycle) -> dict[str, dict[Cell, float]]:
    """Score by probe and cell, of the probes that every cell answered, if only by an error."""
    scores: dict[str, dict[Cell, float]] = {}
    for reply in cycle.replies:
        if not is_missing(reply):
            scores.setdefault(reply.probe, {})[reply.cell] = reply.score
    return {probe: cells for probe, cells in scores.items() if len(cells) == len(CELLS)}


class _Seen:
    """The cycle just seen, those since the suspicion, and the state after it."""

    def __init__(
        self,
        state: State,
        window: tuple[dict[str, Shares], ...],
        probes: Sequence[Probe],
        baseline: Baseline,
        damaged: Mapping[str, float],
    ) -> None:
        self.state, self.window, self.baseline = state, window, baseline
        self.damaged = damaged  # share of documents, by the audit's stream
        self.now, self.usual = window[-1], typical(window)
        self.streams = streams(probes)

    def hear(self, detector: str, limit: float) -> Heard:
        """Evidence, and its hot strata: those past the limit, else those half as bad as the worst.

        The second case is a fault spread so thinly, or so new, that only the pooled stream or the
        sum has passed. The alarm does not hang on this choice: it says where to look for the layer,
        and to look everywhere would dilute a small fault.
        """
        by_stream = evidence(self.state, detector, self.baseline.deltas)
        strata = [stream for stream in by_stream if stream != POOLED]
        hot = tuple(stream for stream in strata if by_stream[stream] >= limit)
        if not hot:
            lost = self.damaged if detector == "data" else {}
            means = {s: lost.get(s, mean(detector, self.usual, self.members([s]))) for s in strata}
            worst = max(means.values(), default=0.0)
            hot = tuple(s for s in strata if means[s] >= worst / 2 > 0) or (POOLED,)
        audited = tuple(s for s in hot if s in self.damaged)
        ids = self.members(hot) or self.members([POOLED])
        delta = max(self.baseline.deltas[stream] for stream in hot)
        worse = bool(audited) or mean(detector, self.now, ids) > delta / 2
        return Heard(detector, sum(by_stream.values()), hot, ids, delta, worse, audited)

    def members(self, names: Collection[str]) -> list[str]:
        """Probes of these streams that were answered."""
        return _members(names, self.streams, self.now)


def _blame(alarms: Sequence[Heard], seen: _Seen) -> dict[str, Any]:
    """Status, layers, shares and reason once a detector is past the threshold.

    A layer is named where its own detector is past: that is proof enough of harm (ADR 0013), of
    probes or of audited documents. A silent layer is judged wherever any detector is hot, for two
    faults in different strata must not dilute one another, and is named only while users lose
    answers (`total` is past) and its share is clear of noise: of two half faults the sum alarms
    before either does. Shares are means over the cycles since the suspicion: one cycle is too few
    where harm comes and goes.
    """
    found = seen.usual
    everywhere = Heard(
        "total",
        0.0,  # it is no detector: it says where to look
        tuple(sorted({stream for h in alarms for stream in h.hot})),
        sorted({probe for h in alarms for probe in h.ids}),
        max(h.delta for h in alarms),
        worse=True,
    )
    own = {h.detector: h for h in alarms}
    judged = {layer: own.get(layer, everywhere) for layer in LAYERS}
    bars = {layer: h.delta / 2 for layer, h in judged.items()}
    estimates = {
        layer: estimate(getattr(found[p], layer) for p in h.ids) for layer, h in judged.items()
    }
    order = sorted(LAYERS, key=lambda layer: -estimates[layer].value)
    named = [
        layer
        for layer in order
        if layer in own
        or (
            "total" in own
            and mean(layer, seen.now, everywhere.ids) > bars[layer]
            and estimates[layer].low > bars[layer]
        )
    ]
    audited = {stream: seen.damaged[stream] for h in alarms for stream in h.audited}
    interaction = mean("interaction", found, everywhere.ids)
    return {
        "status": "FAULT" if named else "UNSURE",
        "layers": tuple(named),
        "shares": estimates,
        "interaction": interaction,
        "hot": {layer: judged[layer].hot for layer in named},
        "reason": reasons.harm(
            everywhere, found, seen.baseline, {layer: estimates[layer] for layer in order}
        )
        + (f"; {audit.said(audited)}" if audited else "")
        + reasons.advice(named, everywhere, found, interaction, bool(audited)),
    }


def is_missing(reply: CellReply) -> bool:
    """Whether no answer came at all, which is no wrong answer."""
    return reply.status == "error" and UNREACHABLE in (reply.reason or "").lower()


def _members(
    names: Collection[str], ids: Mapping[str, Sequence[str]], among: Collection[str]
) -> list[str]:
    return sorted({probe for name in names for probe in ids.get(name, ()) if probe in among})
