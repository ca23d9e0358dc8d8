"""The audit as streams of the detector: a mark for each document that was fetched again. Pure.

It sees documents that lost their content before enough probes have missed it, and where no probe
asks for them. What is late or gone is told beside the verdict and is no mark: a sync may be on its
way, and a restored copy is older than its source by intention.
"""

from collections.abc import Mapping, Sequence
from math import sqrt

from contracts.status import AuditReport
from evals.watch.model import Cycle

CONTENT_LOST = ("text lost", "tables lost", "mojibake", "shape")
FLOOR = 0.05  # of a source's documents: an edit may halve a page or two
STREAM = "audit of "


def is_audit(name: str) -> bool:
    """Whether a stream is of documents, and not of probes."""
    return name.startswith(STREAM)


def marks(report: AuditReport) -> tuple[float, ...]:
    """1 for every document that was compared and has lost content, 0 for every other one."""
    lost = {each.document_id for each in report.findings if each.kind in CONTENT_LOST}
    return (1.0,) * len(lost) + (0.0,) * (report.checked - len(lost))


def by_stream(reports: Sequence[AuditReport]) -> dict[str, tuple[float, ...]]:
    """The marks of every source; none of one that could not be read."""
    return {f"{STREAM}{r.source}": marks(r) for r in reports}


def tolerated(seen: Sequence[float]) -> float:
    """The share of marks that is noise, given those of the accept: two errors above their mean."""
    share = sum(seen) / len(seen)
    return FLOOR + share + 2 * sqrt(share * (1 - share) / len(seen))


def damaged(cycle: Cycle, deltas: Mapping[str, float]) -> dict[str, float]:
    """Share of the audited documents that lost content, by stream, where it is beyond noise."""
    shares = {name: sum(seen) / len(seen) for name, seen in cycle.audits.items() if seen}
    return {n: share for n, share in shares.items() if n in deltas and share > deltas[n]}


def said(found: Mapping[str, float]) -> str:
    """What was found, as a clause."""
    told = [f"{share:.0%} in the {name}" for name, share in sorted(found.items())]
    return f"documents lost content: {' and '.join(told)}"
