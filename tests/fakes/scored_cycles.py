"""Cycles of sixty probes, ten of each kind, broken by layers or scored by cell as a test tells."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from evals.watch.decide import decide
from evals.watch.detector import Baseline, State, digest, streams
from evals.watch.model import CELLS, Cell, CellReply, Cycle, Layer, Probe, Verdict

AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
PROBES = [
    Probe(
        id=f"p{number:02}",
        question=f"Question {number}?",
        origin="canary",
        strata=(f"kind{number // 10}",),
        values=("value",),
    )
    for number in range(60)
]
BASELINE = Baseline(
    digest=digest(PROBES),
    scores={probe.id: 1.0 for probe in PROBES},
    deltas=dict.fromkeys(streams(PROBES), 0.03),
)
BROKEN_CELLS: dict[Layer, tuple[Cell, ...]] = {
    "data": ("10", "11"),
    "application": ("01", "11"),
    "serving": CELLS,
}


def asked(broken: Mapping[Cell, Sequence[int]] | None = None, **changed: object) -> Cycle:
    """A cycle in which every reply is right but those of these probes in these cells."""
    wrong = broken or {}
    replies = [
        CellReply(
            probe=probe.id,
            cell=cell,
            score=float(number not in wrong.get(cell, ())),
            status="answered",
            text="",
        )
        for cell in CELLS
        for number, probe in enumerate(PROBES)
    ]
    values: dict[str, object] = {
        "id": "20261123T160000Z",
        "at": AT,
        "seconds": 30,
        "replies": replies,
        "replayed": {},
        "changes": [],
        "indicators": [],
        "lag_seconds": {},
        "generations": 60,
    }
    return Cycle.model_validate(values | changed)


def faulty(**faults: Sequence[int]) -> Cycle:
    """A cycle with these probes broken by these layers."""
    return asked(
        {
            cell: sorted(
                {n for layer, ids in faults.items() if cell in BROKEN_CELLS[layer] for n in ids}
            )
            for cell in CELLS
        }
    )


def rescored(numbers: Sequence[int], cells: Mapping[Cell, Mapping[str, object]]) -> Cycle:
    """A cycle in which the replies of these cells to these probes are changed."""
    ids = {f"p{number:02}" for number in numbers}
    cycle = asked()
    replies = [
        reply.model_copy(update=cells.get(reply.cell, {})) if reply.probe in ids else reply
        for reply in cycle.replies
    ]
    return cycle.model_copy(update={"replies": replies})


def scored(scores: Mapping[Cell, float], numbers: Sequence[int]) -> Cycle:
    """A cycle in which these probes score so in each cell, and all others as accepted."""
    return rescored(numbers, {cell: {"score": score} for cell, score in scores.items()})


def run(
    *cycles: Cycle,
    state: State | None = None,
    arl: float = 720,
    probes: Sequence[Probe] = PROBES,
    baseline: Baseline = BASELINE,
    moved: Sequence[str] = (),
) -> tuple[Verdict, State]:
    """The verdict after these cycles, and the state."""
    state = state or State()
    for cycle in cycles:
        verdict, state = decide(cycle, probes, baseline, state, arl=arl, moved=moved)
    return verdict, state


def until_decided(cycle: Cycle, cycles: int = 60) -> tuple[Verdict, State]:
    """The same cycle until it is more than a suspicion, within so many."""
    state = State()
    for _ in range(cycles):
        verdict, state = run(cycle, state=state)
        if verdict.status not in ("OK", "SUSPECT"):
            break
    return verdict, state
