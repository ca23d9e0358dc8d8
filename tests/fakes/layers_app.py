"""The real Layers page over a ledger of made-up verdicts, one a state.

Run it: python -P tests/fakes/layers_app.py [state]   (in the evals environment; prints its URL)
"""

import json
import socket
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import uvicorn

from evals.watch.card import build
from evals.watch.first import First
from evals.watch.model import (
    CELLS,
    Card,
    CellReply,
    Change,
    Cycle,
    Estimate,
    Indicator,
    Layer,
    Probe,
    Status,
    Verdict,
)
from evals.web.app import create_app
from evals.web.ports import LayerFacts

AT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
HOSTILE = "<script>window.ran = 1</script> [click](javascript:window.ran=1) | \x1b[31m"
OWNERS: dict[Layer, str] = {
    "data": "@faultline/data",
    "serving": "@faultline/serving",
    "application": "@faultline/product",
}
PROBES = [
    Probe(
        id=f"p{n}",
        question=f"What does clause {n} of the travel handbook allow, with Zoë Åström's approval?",
        origin="canary",
        strata=("table",) if n < 3 else ("prose",),
        values=(f"{n}7 kWh",) if n else (),
    )
    for n in range(6)
]
BASELINE = {probe.id: 1.0 for probe in PROBES}
DELTAS = {"all": 0.05, "table": 0.08}


def reply(probe: Probe, cell: str, score: float, **changed: object) -> CellReply:
    messages = [
        {"role": "system", "content": f"Answer from the passages.{' Briefly.' * (score < 1)}"},
        {"role": "user", "content": f"1. Clause {probe.id} {HOSTILE}\n\n{probe.question}"},
    ]
    return CellReply.model_validate(
        {
            "probe": probe.id,
            "cell": cell,
            "score": score,
            "status": "answered",
            "text": f"It allows {probe.values[0] if probe.values else 'none'} [1]."
            if score == 1
            else f"The passages are about travel. {HOSTILE}",
            "prompt": json.dumps({"messages": messages}),
            "in_index": True if probe.values else None,
            "retrieved": True if probe.values else None,
            "in_prompt": True if probe.values else None,
        }
        | changed
    )


def cycle(
    broken: tuple[str, ...] = ("01", "11"), at: datetime = AT, probes: int = 3, **changed: object
) -> Cycle:
    """Every probe in every cell; in `broken` cells the first `probes` are wrong."""
    replies = [
        reply(probe, cell, 0.0 if cell in broken and n < probes else 1.0)
        for n, probe in enumerate(PROBES)
        for cell in CELLS
    ]
    return Cycle.model_validate(
        {
            "id": f"{at:%Y%m%dT%H%M%SZ}",
            "at": at,
            "seconds": 90.0,
            "replies": replies,
            "replayed": {},
            "changes": [],
            "indicators": [],
            "lag_seconds": {"sample": 310.0, "canary": 42.0},
            "generations": 12,
        }
        | changed
    )


def verdict(status: Status, *layers: Layer, at: datetime = AT, **changed: object) -> Verdict:
    shares = {
        layer: Estimate(value=0.5, low=0.31, high=0.72)
        if layer in layers
        else Estimate(value=0.01, low=-0.04, high=0.05)
        for layer in OWNERS
    }
    return Verdict.model_validate(
        {
            "cycle": f"{at:%Y%m%dT%H%M%SZ}",
            "at": at,
            "status": status,
            "layers": layers,
            "shares": shares,
            "hot": dict.fromkeys(layers, ("table",)),
            "reason": f"{' and '.join(layers) or 'No layer'} by the cells of {len(PROBES)} probes.",
        }
        | changed
    )


EDIT = Change(
    layer="application",
    what="bundle",
    before="9c1d5a7e2b40",
    after="51f0c3aa87de",
    detail="The prompt answer.v1.md was edited in place",
    since=AT - timedelta(hours=2),
)
LENGTH = Indicator(
    layer="application",
    source="drift",
    what="Value Drift for column",
    detail=f"Drift score is 0.81 for answer_characters {HOSTILE}",
)


def card_of(seen: Cycle, told: Verdict, **changed: object) -> Card:
    healed = {layer: Estimate(value=0.31, low=0.22, high=0.4) for layer in told.layers}
    return build(told, seen, PROBES, BASELINE, DELTAS, OWNERS, healed, **changed)  # type: ignore[arg-type]


@dataclass
class FakeLedger:
    """A ledger in memory, the newest cycle last."""

    entries: list[tuple[Cycle, Card]] = field(default_factory=list)
    told: First | None = None

    def last_cycle(self) -> Cycle | None:
        return self.entries[-1][0] if self.entries else None

    def card(self, cycle: str | None = None) -> Card | None:
        found = [card for seen, card in self.entries if cycle in (None, seen.id)]
        return found[-1] if found else None

    def verdicts(self, limit: int) -> list[Verdict]:
        return [card.verdict for _, card in reversed(self.entries)][:limit]

    def cycles(self) -> int:
        return len(self.entries)

    def first(self) -> First | None:
        return self.told

    def facts(self) -> dict[Layer, LayerFacts]:
        if not self.entries:
            return {}
        ran = ("embedder of the index", "chunk payload", "written by syncs only")
        data = {"index": "faultline-3f2a9b", "documents": "62", "content": "sha256:7be1c0d49a55"}
        serving = {"chat model": "SmolLM2-135M-Instruct", "manifest": "4a77e0b1c2d3"}
        application = {"build": "0.1.0+d01c1f51c5a4", "bundle": "51f0c3aa87de"}
        return {
            "data": LayerFacts(versions=data, contracts=ran),
            "serving": LayerFacts(
                versions=serving | {"embedder": "all-MiniLM-L6-v2"},
                contracts=("chat model", "embedder"),
            ),
            "application": LayerFacts(versions=application, contracts=("build", "bundle")),
        }


def ledger_of(state: str) -> FakeLedger:
    """A healthy past and one of the states: empty, ok, fault, double, serving, nodata."""
    if state == "empty":
        return FakeLedger()
    before = AT - timedelta(hours=1)
    past = cycle((), before), verdict("OK", at=before)
    present: tuple[Cycle, Verdict] = {
        "ok": lambda: (cycle(()), verdict("OK")),
        "fault": lambda: (
            cycle(changes=[EDIT], indicators=[LENGTH]),
            verdict("FAULT", "application"),
        ),
        "double": lambda: (
            cycle(("10", "01", "11"), changes=[EDIT], indicators=[LENGTH]),
            verdict("FAULT", "data", "application"),
        ),
        "serving": lambda: (
            cycle(CELLS, replayed={probe.id: 0.0 for probe in PROBES[:3]}),
            verdict("FAULT", "serving"),
        ),
        "nodata": lambda: (
            cycle(error="The application does not answer: start it with `make demo`."),
            verdict("NO DATA", reason="The application does not answer."),
        ),
    }[state]()
    return FakeLedger([(seen, card_of(seen, told)) for seen, told in (past, present)])


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "fault"
    late = timedelta(hours=5) if chosen == "stale" else timedelta(minutes=4)
    app = create_app(
        ledger_of("ok" if chosen == "stale" else chosen),
        interval_seconds=3600,
        application_url="http://127.0.0.1:8080",
        clock=lambda: AT + late,
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # before its address is known
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        server.run(sockets=[listener])
