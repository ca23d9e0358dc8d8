"""What the detector saw of a drill on the real engine, kept so that it can be decided upon again.

A recording is a matrix of scores a cycle, by probe and cell; texts and prompts stay behind. What
the probes are, and how they scored when the stack was accepted, is the ruler: recordings share it.
"""

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.endpoints import digest_of
from evals.errors import DatasetError
from evals.watch.accepted import Accepted
from evals.watch.decide import is_missing
from evals.watch.detector import Baseline
from evals.watch.model import CELLS, Cell, CellReply, Cycle, Frozen, Layer, Probe

RULERS = "rulers"  # the folder beside the recordings


class Ruler(Frozen):
    """What was asked, and what was accepted."""

    probes: tuple[Probe, ...]
    baseline: Baseline
    retrieved: tuple[bool | None, ...]  # by probe: whether the value was in what was retrieved

    @property
    def digest(self) -> str:
        """Names it."""
        return digest_of(self.model_dump(mode="json"))


class Recorded(Frozen):
    """One cycle; sequences are in the order of the ruler's probes, None where one was not asked."""

    scores: dict[Cell, tuple[float | None, ...]]
    requests: tuple[str | None, ...]  # cells that sent the model the same have one letter: "aabb"
    retrieved: tuple[bool | None, ...]  # by what users get
    audits: dict[str, tuple[float, ...]]
    changed: tuple[Layer, ...]  # layers of which something was not as accepted
    generations: int
    taken_out: tuple[Layer, ...] = ()  # of a double fault, before this cycle


class Recording(Frozen):
    """A drill, or a benign change where it has no layers."""

    drill: str
    title: str
    layers: tuple[Layer, ...]
    commit: str  # of the code that ran
    at: datetime
    harm: float = 0.0  # the oracle's
    harm_held: float | None = None  # while a guard held it
    ruler: str
    cycles: tuple[Recorded, ...]

    @property
    def is_benign(self) -> bool:
        """Whether nothing was broken."""
        return not self.layers


def ruler_of(accepted: Accepted) -> Ruler:
    """The ruler of an accept."""
    probes = tuple(accepted.probes.probes)
    replies = accepted.replies
    return Ruler(
        probes=probes,
        baseline=accepted.baseline,
        retrieved=tuple(replies[p.id].retrieved if p.id in replies else None for p in probes),
    )


def recorded(cycle: Cycle, probes: Sequence[Probe], taken_out: Sequence[Layer] = ()) -> Recorded:
    """A cycle without its words."""
    replies = {(r.probe, r.cell): r for r in cycle.replies if not is_missing(r)}
    asked = [[replies.get((probe.id, cell)) for cell in CELLS] for probe in probes]
    users = [row[CELLS.index("11")] for row in asked]
    return Recorded(
        scores={
            cell: tuple(row[column].score if row[column] else None for row in asked)  # type: ignore[union-attr]
            for column, cell in enumerate(CELLS)
        },
        requests=tuple(_pattern(row) for row in asked),
        retrieved=tuple(reply.retrieved if reply else None for reply in users),
        audits=cycle.audits,
        changed=tuple(sorted({change.layer for change in cycle.changes})),
        generations=cycle.generations,
        taken_out=tuple(taken_out),
    )


def keep(
    folder: Path,
    accepted: Accepted,
    cycles: Sequence[Cycle | None],
    taken_out: Sequence[tuple[Layer, ...]] = (),
    **drill: Any,
) -> None:
    """Write a recording, and its ruler beside it; `drill` are the recording's other fields.

    A cycle that is None, or without data, is left out. Benign cycles are kept by ruler; those of
    the same commit and ruler that are there already stay, before the new ones.
    """
    ruler = ruler_of(accepted)
    _write(folder / RULERS / f"{ruler.digest}.json", ruler)
    new = tuple(
        recorded(cycle, ruler.probes, layers)
        for cycle, layers in zip(cycles, taken_out or [()] * len(cycles), strict=True)
        if cycle and not cycle.error
    )
    told = Recording(ruler=ruler.digest, cycles=new, **drill)
    path = folder / f"{told.drill}{f'-{told.ruler}' if told.is_benign else ''}.json"
    if told.is_benign and path.exists():
        kept = Recording.model_validate_json(path.read_bytes())
        if (kept.ruler, kept.commit) == (told.ruler, told.commit):
            told = told.model_copy(update={"cycles": kept.cycles + new})
    _write(path, told)


def publish(kept: Path, folder: Path) -> None:
    """Copy recordings and rulers into a folder.

    Others that lie there stay, for they may be of another machine's state, but rulers that no drill
    there needs any more go, and their healthy cycles.
    """
    if kept.exists():
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        needed = {each.ruler for each in read(kept)[0]}
        needed |= {each.ruler for each in read(folder)[0] if not each.is_benign}
        for path in (folder / RULERS).glob("*.json"):
            if path.stem not in needed:
                for healthy in folder.glob(f"*-{path.stem}.json"):
                    healthy.unlink()
                path.unlink()


def read(folder: Path) -> tuple[list[Recording], dict[str, Ruler]]:
    """Every recording of a folder, and the rulers by digest. Raises: DatasetError."""
    try:
        recordings = [
            Recording.model_validate_json(path.read_bytes())
            for path in sorted(folder.glob("*.json"))
        ]
        rulers = {
            path.stem: Ruler.model_validate_json(path.read_bytes())
            for path in sorted((folder / RULERS).glob("*.json"))
        }
    except (OSError, ValueError) as error:
        raise DatasetError(f"{folder} holds something that is no recording: {error}") from error
    if not recordings:
        raise DatasetError(
            f"There is no recording in {folder}: `evals trial evals/drills --record --write` and "
            "`evals healthy evals/drills/benign --write` make them, on a running stack."
        )
    if missing := {each.ruler for each in recordings} - rulers.keys():
        raise DatasetError(f"{folder / RULERS} lacks {min(missing)}.json: record the drills again.")
    return recordings, rulers


def _pattern(row: Sequence[CellReply | None]) -> str | None:
    """Which cells of a probe sent the model the same request; what sent none is by itself."""
    if not all(row):
        return None
    letters: dict[Any, str] = {}
    sent = [reply.prompt or (reply.status, reply.reason, reply.text) for reply in row if reply]
    return "".join(letters.setdefault(each, chr(ord("a") + len(letters))) for each in sent)


def _write(path: Path, what: Frozen) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(what.model_dump_json() + "\n", encoding="utf-8")
