"""The state for Prometheus, in its text format 0.0.4; infra/prometheus/alerts.yml rests on it."""

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from evals.watch.model import LAYERS, Status
from evals.web.state import State

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def text(state: State) -> str:
    """Every metric; an unknown age or lag is +Inf, so that no rule takes it for good."""
    cycle, verdict = state.cycle, state.card.verdict
    failed = Counter((i.layer, i.source) for i in state.indicators)
    families: dict[str, tuple[str, str, Iterable[tuple[dict[str, str], float]]]] = {
        "faultline_verdict": (
            "gauge",
            "1 at the status that a layer has now.",
            [
                ({"layer": layer, "status": status}, state.of(layer) == status)
                for layer in LAYERS
                for status in get_args(Status)
            ],
        ),
        "faultline_share": (
            "gauge",
            "Share of the probed answers that a layer broke; absent without data.",
            [({"layer": layer}, share.value) for layer, share in verdict.shares.items()],
        ),
        "faultline_indicators": (
            "gauge",
            "Contracts and drift tests that failed in the last cycle.",
            [({"layer": layer, "source": source}, n) for (layer, source), n in failed.items()],
        ),
        "faultline_lag_seconds": (
            "gauge",
            "Since the last good sync of a source, as of the last cycle.",
            [
                ({"source": source}, float("inf") if lag is None else lag)
                for source, lag in (cycle.lag_seconds if cycle else {}).items()
            ],
        ),
        "faultline_held": (
            "gauge",
            "1 where a guard of ingestion holds a run of a source, as of the last cycle.",
            [
                ({"source": source}, bool(cycle and source in cycle.held))
                for source in (cycle.lag_seconds if cycle else {})
            ],
        ),
        "faultline_cycle_age_seconds": (
            "gauge",
            "Since the last cycle began.",
            [({}, state.age_seconds)],
        ),
        "faultline_interval_seconds": (
            "gauge",
            "Between the starts of two cycles, as set.",
            [({}, state.interval_seconds)],
        ),
        "faultline_cycles_total": ("counter", "Cycles in the ledger.", [({}, state.cycles)]),
    }
    lines = []
    for name, (kind, what, samples) in families.items():
        lines += [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    pairs = (f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{','.join(pairs)}}}" if labels else ""


def _number(value: float) -> str:
    return "+Inf" if value == float("inf") else f"{value:g}"
