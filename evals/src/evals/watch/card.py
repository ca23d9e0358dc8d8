"""The card: a verdict with its evidence, what changed, and what would heal it. Pure.

`build` makes it; `card_text` puts it into words.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from evals.probes.score import ladder
from evals.watch.audit import is_audit
from evals.watch.decide import answered
from evals.watch.model import (
    CELLS,
    LAYERS,
    POOLED,
    Card,
    Cell,
    CellReply,
    Cycle,
    Estimate,
    Example,
    Layer,
    Probe,
    Revert,
    Status,
    Switch,
    Verdict,
)

FOLDERS: dict[Layer, str] = {
    "data": "ingestion",
    "serving": "serving",
    "application": "application",
}
PUT_BACK: dict[tuple[Layer, ...], Cell] = {("data",): "01", ("application",): "10"}
DOUBTS: tuple[Status, ...] = ("UNSURE", "SUSPECT")  # what would heal is said of these too
EXAMPLES = 3
TITLE_CHARACTERS = 160  # of a cause; a longer one is cut to its first sentence
UNANSWERABLE = "no answer: the documents do not say"


@dataclass(frozen=True)
class _Evidence:
    """The probes of the hot strata that were asked in all four cells, with what they got."""

    verdict: Verdict
    cycle: Cycle
    probes: list[Probe]
    replies: dict[tuple[str, Cell], CellReply]
    baseline: Mapping[str, float]
    delta: float  # harm that is noise, of the noisiest hot stratum

    def mean(self, cell: Cell) -> float:
        """Score of a cell."""
        return fmean(self.replies[probe.id, cell].score for probe in self.probes)

    def worse(self) -> list[Probe]:
        """Probes whose users' answer lost more than noise, the largest loss first."""
        loss = {p.id: self.baseline[p.id] - self.replies[p.id, "11"].score for p in self.probes}
        return sorted(
            (p for p in self.probes if loss[p.id] > self.delta), key=lambda p: -loss[p.id]
        )


def build(
    verdict: Verdict,
    cycle: Cycle,
    probes: Sequence[Probe],
    baseline: Mapping[str, float],
    deltas: Mapping[str, float],
    owners: Mapping[Layer, str],
    healed: Mapping[Layer, Estimate],
    *,
    pin: str = "accepted",
    commands: Mapping[str, str] | None = None,
    accepted: Mapping[str, CellReply] | None = None,
) -> Card:
    """The card of one cycle.

    By probe: `baseline`, the accepted score, and `accepted`, an accepted reply where it was kept.
    By stratum: `deltas`, the harm that is noise (POOLED stands in for those without).
    `pin` is the pinned index, `commands` how a person types a program, where not by its name.
    """
    replies = {(reply.probe, reply.cell): reply for reply in cycle.replies}
    scored = answered(cycle)
    asked = [
        probe
        for probe in hot_probes(verdict, probes)
        if probe.id in baseline and probe.id in scored
    ]
    pooled = deltas.get(POOLED, 0.0)
    delta = max((deltas.get(stratum, pooled) for stratum in _strata(verdict)), default=pooled)
    evidence = _Evidence(verdict, cycle, asked, replies, baseline, delta)
    worse = evidence.worse()
    steps = Counter(ladder(replies[probe.id, "11"]) for probe in worse).most_common(1)
    return Card(
        verdict=verdict,
        title=_title(verdict, cycle),
        switches=_switches(evidence) if asked else [],
        changes=cycle.changes,
        indicators=cycle.indicators,
        examples=[_example(evidence, probe, accepted or {}) for probe in worse[:EXAMPLES]],
        reverts=[
            Revert(
                layer=layer,
                command=" && ".join(_commands(layer, cycle, pin, commands or {})),
                expected=healed[layer],
            )
            for layer in verdict.layers or (LAYERS if verdict.status in DOUBTS else ())
            if layer in healed and (verdict.layers or healed[layer].low > 0)
        ],
        owners={layer: owners[layer] for layer in LAYERS if layer in owners},
        ladder="".join(f"{step} ({n} of {len(worse)} worse probes)" for step, n in steps),
        serving_split=_serving_split(evidence) if "serving" in verdict.layers else None,
    )


def hot_probes(verdict: Verdict, probes: Sequence[Probe]) -> list[Probe]:
    """The probes of the strata past the threshold; all, where the pooled stream is or none."""
    strata = _strata(verdict)
    return [probe for probe in probes if strata & set(probe.strata)] or list(probes)


def owners(codeowners: Path) -> dict[Layer, str]:
    """Who owns each layer's folder; as at GitHub, the last line that names it counts."""
    found: dict[Layer, str] = {}
    lines = codeowners.read_text(encoding="utf-8").splitlines() if codeowners.is_file() else []
    for line in lines:
        pattern, *names = line.split("#")[0].split() or [""]
        for layer, folder in FOLDERS.items():
            if pattern == "*" or pattern.strip("/") == folder:
                found[layer] = " ".join(names)
    return found


def _strata(verdict: Verdict) -> set[str]:
    """Those past the threshold; none stands for every probe."""
    hot = {s for layer in verdict.layers or LAYERS for s in verdict.hot.get(layer, ())}
    return set() if POOLED in hot else hot


def _title(verdict: Verdict, cycle: Cycle) -> str:
    if verdict.status != "FAULT":
        return verdict.reason or f"The verdict is {verdict.status}."
    hot = sorted(_strata(verdict))
    lost = sum(verdict.shares[layer].value for layer in verdict.layers if layer in verdict.shares)
    strata = [stratum for stratum in hot if not is_audit(stratum)]
    of = f"answers to {' and '.join(strata)} probes" if 0 < len(strata) < 3 else "probed answers"
    broke = f"broke {lost:.0%} of the {of}"
    if hot and not strata:
        broke = f"lost content of documents ({', '.join(hot)})"
    changed = [c.since for c in cycle.changes if c.layer in verdict.layers and c.since]
    since = min(changed, default=cycle.at)
    when = f"{since:%H:%M}" if since.date() == verdict.at.date() else f"{since:%d %b %H:%M}"
    causes = "; ".join(_cause(layer, cycle) for layer in verdict.layers)
    who = " and the ".join(verdict.layers)
    return f"The {who} {broke} since {when} UTC: {causes}."


def _cause(layer: Layer, cycle: Cycle) -> str:
    """The first change of a layer in a sentence, or else its first indicator, the audit's first."""
    told = [
        change.detail or f"its {change.what} went from {change.before} to {change.after}"
        for change in cycle.changes
        if change.layer == layer
    ] or [
        indicator.detail
        for indicator in sorted(cycle.indicators, key=lambda i: i.source != "audit")
        if indicator.layer == layer
    ]
    if not told:
        return f"nothing that the {layer} layer reports of itself has changed"
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    first = " ".join(told[0].split())
    if len(first) > TITLE_CHARACTERS:
        first = first.partition(". ")[0]
    first = first.rstrip(".")
    lower = first[:1].lower() if first[1:2].islower() or first[1:2] == " " else first[:1]
    return lower + first[1:] + more


def _switches(evidence: _Evidence) -> list[Switch]:
    baseline = fmean(evidence.baseline[probe.id] for probe in evidence.probes)
    return [
        Switch(
            data="live" if cell[0] == "1" else "pinned",
            application="live" if cell[1] == "1" else "pinned",
            score=evidence.mean(cell),
            right=baseline - evidence.mean(cell) <= evidence.delta,
        )
        for cell in CELLS
    ]


def _example(evidence: _Evidence, probe: Probe, accepted: Mapping[str, CellReply]) -> Example:
    """Before: with the layers at fault put back, or where that heals nothing, as accepted."""
    cell = PUT_BACK.get(evidence.verdict.layers, "00")
    before, now = evidence.replies[probe.id, cell], evidence.replies[probe.id, "11"]
    if before.score <= now.score and probe.id in accepted:
        before = accepted[probe.id]
    lost = ladder(now)
    return Example(
        question=probe.question,
        expected=probe.values[0] if probe.values else UNANSWERABLE,
        before=before.text or before.reason or before.status,
        after=now.text or now.reason or now.status,
        prompt_before=before.prompt,
        prompt_after=now.prompt,
        ladder=f"{lost}: {now.reason}" if now.reason else lost,
    )


def _serving_split(evidence: _Evidence) -> str | None:
    """B - replay is the generator's, replay - Y00 the embedder's or reranker's."""
    replayed = evidence.cycle.replayed
    sent = [probe.id for probe in evidence.probes if probe.id in replayed]
    if not sent:
        return None
    baseline = fmean(evidence.baseline[probe] for probe in sent)
    replay = fmean(replayed[probe] for probe in sent)
    rest = replay - fmean(evidence.replies[probe, "00"].score for probe in sent)
    name = "generator" if baseline - replay >= rest else "embedder or reranker"
    return (
        f"mostly the {name}: the accepted requests, sent again word for word, score {replay:.2f} "
        f"instead of {baseline:.2f} (generator {baseline - replay:+.2f}, "
        f"embedder or reranker {rest:+.2f})"
    )


def _commands(layer: Layer, cycle: Cycle, pin: str, typed: Mapping[str, str]) -> list[str]:
    """What puts the layer back to what was accepted, to be typed one after the other."""
    changed = [change.what for change in cycle.changes if change.layer == layer]
    restart = typed.get("restart", "demo restart {process} --accepted")
    if layer == "data":
        return [f"{typed.get('ingestion', 'ingestion')} restore {pin}"]
    if layer == "application":
        rollback = f"{typed.get('application', 'application')} bundle rollback"
        build = [restart.format(process="application")] if "build" in changed else []
        return [rollback, *build] if "bundle" in changed or not build else build
    names = sorted({"embedder" if "embed" in what else "llm" for what in changed}) or ["llm"]
    return [restart.format(process=name) for name in names]
