"""Which of the three layers do you spend least time on? Commits, incidents and overdue limits."""

import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from evals.watch.model import LAYERS, Cycle, Frozen, Layer, Verdict

FOLDERS: dict[Layer, str] = {
    "data": "ingestion",
    "serving": "serving",
    "application": "application",
}
GRACE = timedelta(days=1)  # a change may wait so long for its release or its accept
MEANT_TO_CHANGE = {"index content"}  # every sync changes it; freshness says if it is neglected


class Row(Frozen):
    """What one layer got, and what it owes."""

    layer: Layer
    commits: int | None  # None: there is no git
    incidents: int  # runs of cycles whose verdict named it
    overdue: tuple[str, ...]  # sentences
    points: int


class Weakest(Frozen):
    """The rows, most points first, and what they mean."""

    rows: tuple[Row, ...]
    layer: Layer | None  # None: no layer stands out
    sentence: str


def weakest(
    commits: Mapping[Layer, int] | None,
    verdicts: Sequence[Verdict],
    cycle: Cycle | None,
    *,
    chosen: str = "",
    days: int = 30,
) -> Weakest:
    """Rank the layers by neglect; equal input gives an equal answer.

    One point for each incident of the last `days`, one for each overdue limit in the last `cycle`,
    and one for having strictly fewest commits. Most points is weakest, fewer commits decide between
    equals, and where that does not decide either, no layer stands out. `verdicts` are oldest first;
    `chosen` is WEAKEST_LAYER.
    """
    counts = sorted(commits.values()) if commits else []
    rows = []
    for layer in LAYERS:
        own = commits[layer] if commits else None
        fewest = own is not None and own < counts[1]
        incidents, overdue = _incidents(layer, verdicts), _overdue(layer, cycle)
        rows.append(
            Row(
                layer=layer,
                commits=own,
                incidents=incidents,
                overdue=overdue,
                points=incidents + len(overdue) + fewest,
            )
        )
    rows.sort(key=lambda row: (-row.points, row.commits or 0))
    first, second = rows[0], rows[1]
    stands_out = (first.points, first.commits) != (second.points, second.commits)
    found = first if stands_out and first.points else None
    return Weakest(
        rows=tuple(rows),
        layer=found.layer if found else None,
        sentence=_sentence(found, commits, chosen, days),
    )


def commits_by_layer(root: Path, days: int = 30) -> dict[Layer, int] | None:
    """Commits that touched each layer's folder in that time; None where there is no git."""
    found: dict[Layer, int] = {}
    for layer, folder in FOLDERS.items():
        command = ["git", "log", f"--since={days} days ago", "--format=%h", "--", folder]
        try:
            run = subprocess.run(
                command, cwd=root, capture_output=True, text=True, timeout=30, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return None
        found[layer] = len(run.stdout.split())
    return found


def _incidents(layer: Layer, verdicts: Sequence[Verdict]) -> int:
    """Runs of cycles that named it; cycles without an answer neither end one nor begin one."""
    told = [v for v in verdicts if v.status not in ("NO DATA", "RULER", "SUSPECT", "UNSURE")]
    return sum(named for named, _ in groupby(told, key=lambda v: layer in v.layers))


def _overdue(layer: Layer, cycle: Cycle | None) -> tuple[str, ...]:
    if cycle is None:
        return ()
    limits = [
        f"{indicator.what}: {indicator.detail}"
        for indicator in cycle.indicators
        if indicator.layer == layer and indicator.source in ("freshness", "contract")
    ]
    waiting = [
        f"{change.what} changed {_age(cycle.at, change.since)} ago and is not accepted"
        for change in cycle.changes
        if change.layer == layer
        and change.what not in MEANT_TO_CHANGE
        and change.since is not None
        and cycle.at - change.since > GRACE
    ]
    return tuple(limits + waiting)


def _age(now: datetime, since: datetime | None) -> str:
    return f"{(now - since).days if since else 0} d"


def _sentence(
    found: Row | None, commits: Mapping[Layer, int] | None, chosen: str, days: int
) -> str:
    if found is None:
        said = f"No layer stands out in the last {days} days"
    else:
        share = f"commits {found.commits} of {sum(commits.values())}, " if commits else ""
        said = (
            f"You spend least time on {found.layer} (last {days} days: {share}incidents "
            f"{found.incidents}, overdue limits {len(found.overdue)})"
        )
    if commits is None:
        said += " (commits not counted: there is no git history here)"
    if chosen not in LAYERS:
        return said + "; WEAKEST_LAYER is not chosen, and the worst choice is none."
    if found is None or found.layer == chosen:
        return said + f"; you chose {chosen}."
    return said + f"; you chose {chosen}, so choose again or shift the work."
