"""The sentences of a verdict. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from evals.watch.detector import Baseline, Heard, Shares, mean
from evals.watch.model import POOLED, CellReply, Cycle, Estimate, Layer


def harm(
    where: Heard,
    found: Mapping[str, Shares],
    baseline: Baseline,
    estimates: Mapping[Layer, Estimate],
) -> str:
    """How right the answers are, where, and each layer's share of what was lost."""
    accepted = sum(baseline.scores[p] for p in where.ids) / len(where.ids)
    now = accepted - mean("total", found, where.ids)
    told = ", ".join(
        f"{layer} {e.value:+.2f} [{e.low:+.2f}, {e.high:+.2f}]" for layer, e in estimates.items()
    )
    return (
        f"Answers are right {now:.2f} of the time, {accepted:.2f} accepted, on {len(where.ids)}"
        f" probes ({', '.join(where.hot)}); shares of the harm: {told}"
    )


def advice(
    named: Collection[Layer],
    where: Heard,
    found: Mapping[str, Shares],
    interaction: float,
    audited: bool,
) -> str:
    """The end of a verdict's sentence: what a person should know before a revert."""
    if not named:
        return "; no layer's share is clear of noise."
    if not audited and mean("total", found, where.ids) <= where.delta / 2:
        return "; another layer's gain hides the harm from users."
    if {"data", "application"} <= set(named) and interaction < -where.delta:
        return "; they harm only together, so either put back heals."
    if {"data", "application"} <= set(named) and interaction > where.delta:
        return "; either alone does harm that both share, so put both back."
    return "."


def well(
    cycle: Cycle, found: Mapping[str, Shares], baseline: Baseline, over: Collection[str]
) -> str:
    """Why it is OK."""
    accepted = sum(baseline.scores[p] for p in found) / len(found)
    now = accepted - mean("total", found, found)
    reason = f"{len(found)} probes are right {now:.2f} of the time, {accepted:.2f} accepted"
    if over:
        reason = f"Healed ({words(*over)}): {reason}"
    if cycle.changes:
        what = sorted({f"{change.layer} ({change.what})" for change in cycle.changes})
        lost = mean("total", found, found) > baseline.deltas[POOLED]
        seen = "with too little evidence of harm so far" if lost else "without harm"
        reason += f"; changed {seen}: {', '.join(what)}"
    return reason + "."


def missing(unreachable: Iterable[CellReply], whole: int, asked: int) -> str:
    """Why too few probes were answered."""
    cells = Counter(reply.cell for reply in unreachable)
    where = ", ".join(f"{cell} for {count} probes" for cell, count in sorted(cells.items()))
    reason = f"Only {whole} of {asked} probes were answered in all four cells"
    return f"{reason}{f' (unreachable: {where})' if where else ''}: see `make status`."


def words(*detectors: str) -> str:
    """Detectors by name."""
    return " and ".join("all layers together" if d == "total" else d for d in detectors)
