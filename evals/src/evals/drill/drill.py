"""A drill is data: what to change, by plain edits and commands, and how to put it back exactly.

The layers know nothing of it. Paths of `keep` are copied before anything is touched, and restored
byte for byte by `revert`, also after Ctrl-C; `settle` makes the stack take up either state.
"""

import itertools
import logging
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml  # type: ignore[import-untyped]  # ships no types
from pydantic import BaseModel, ConfigDict, ValidationError

from evals.errors import DatasetError, DrillFailed
from evals.settings import Settings
from evals.watch.model import Layer

STEPS = ("keep", "edits", "run", "undo", "settle")
PARTIAL, HELD = 3, 4  # exit codes of a sync that quarantined something, or that a guard held

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Edit(BaseModel):
    """A replacement in the text of every file that `file` (a glob) names."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    find: str  # a regular expression, over lines
    replace: str


class Drill(BaseModel):
    """A fault of one layer or two, or without any a benign change, after which none may be named.

    A file has `layer`, or for a double fault `both`, the names of two drills beside it.

    `{name}` in its texts stands for a place of this stack, such as `{sample}`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    layers: tuple[Layer, ...] = ()  # that are at fault
    title: str
    incident: str = ""  # the real one that it re-enacts
    looks_like: str = ""  # a drill of another layer that harms answers in the same way
    severity: str = "high"
    keep: list[str] = []  # files or folders to restore
    edits: list[Edit] = []
    run: list[str] = []  # commands that put the fault in
    undo: list[str] = []  # commands that take out what `keep` cannot
    settle: list[str] = []  # commands after either
    parts: list["Drill"] = []  # of a double fault


def load(path: Path) -> Drill:
    """Read a drill; raises DatasetError where it is not in the form."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        parts = [load(path.with_name(f"{part}.yaml")) for part in tree.pop("both", [])]
        layers = (
            [tree.pop("layer")]
            if "layer" in tree
            else [each for part in parts for each in part.layers]
        )
        steps = {step: _in_order(getattr(part, step) for part in parts) for step in STEPS}
        steps["undo"] = _in_order(part.undo for part in reversed(parts))
        return Drill.model_validate(
            {"name": path.stem, "layers": layers, "parts": parts, **steps, **tree}
        )
    except (OSError, ValueError, TypeError, yaml.YAMLError, ValidationError) as error:
        raise DatasetError(f"{path} is no drill: {error}") from error


def _in_order(lists: Iterable[list[T]]) -> list[T]:
    """All of them, each once: what two drills restart is restarted after both."""
    found: list[T] = []
    for item in itertools.chain.from_iterable(lists):
        if item not in found:
            found.append(item)
    return found


def places(settings: Settings, saved: Path) -> dict[str, str]:
    """What the names in a drill's texts stand for on this stack; `saved` is a folder of its own."""
    return {
        "python": sys.executable,
        "repo": str(Path.cwd()),
        "ingestion": settings.ingestion_command,
        **settings.places,
        "saved": str(saved),
    }


class Running:
    """A drill on one stack: `places` fill its texts, and `saved` holds what it will restore."""

    def __init__(self, drill: Drill, places: Mapping[str, str], saved: Path) -> None:
        self.drill = drill
        self._places = places
        self._saved = saved

    def inject(self) -> None:
        """Put the fault in; raises DrillFailed, with everything restored, where that fails."""
        shutil.rmtree(self._saved, ignore_errors=True)
        for number, path in enumerate(map(self._path, self.drill.keep)):
            part = self._saved / f"{number}.part"
            _copy(path, part)
            part.rename(self._saved / str(number))  # so that a killed copy never is restored
        try:
            for edit in self.drill.edits:
                self._edit(edit)
            self._commands([*self.drill.run, *self.drill.settle], may_be_held=True)
        except BaseException:
            self.revert()
            raise

    def revert(self, *, undo: bool = True, may_be_held: bool = False) -> None:
        """Put everything back as it was; can be repeated.

        Without `undo` its commands are left out: a model that was restarted as accepted is back.
        DrillFailed for a sync that a guard holds, unless the caller approves it then.
        """
        self._take_out(self.drill, undo=undo, may_be_held=may_be_held)

    def take_out(self, layers: Collection[Layer]) -> None:
        """Put back what a double fault broke of these layers; the rest stays in, for `revert`.

        The caller approves a sync that a guard holds. Raises: DrillFailed.
        """
        for part in reversed(self.drill.parts):
            if {*part.layers} <= {*layers}:
                self._take_out(part, undo=True, may_be_held=True)

    def _take_out(self, drill: Drill, *, undo: bool, may_be_held: bool) -> None:
        for number, path in enumerate(self.drill.keep):
            saved = self._saved / str(number)
            if path in drill.keep and saved.exists():
                _copy(saved, self._path(path))
        failed: DrillFailed | None = None
        for command in [*(drill.undo if undo else ()), *drill.settle]:
            try:  # each, for what one leaves undone the next drill would be blamed for
                self._commands([command], may_be_held)
            except DrillFailed as error:
                failed = failed or error
        if failed:
            raise failed

    def _edit(self, edit: Edit) -> None:
        root, _, pattern = self._filled(edit.file).partition("//")
        files = sorted(Path(root).glob(pattern)) if pattern else [Path(root)]
        changed = 0
        for file in files:
            old = file.read_text(encoding="utf-8")
            new, times = re.subn(edit.find, self._filled(edit.replace), old, flags=re.MULTILINE)
            changed += times
            file.write_text(new, encoding="utf-8")
        if not changed:
            raise DrillFailed(f"{self.drill.name}: nothing in {edit.file} matches {edit.find!r}.")

    def _commands(self, commands: list[str], may_be_held: bool) -> None:
        for command in commands:
            words = self._words(command)
            _log.info("%s", shlex.join(words))
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode not in (0, PARTIAL, *([HELD] if may_be_held else [])):
                said = (done.stderr or done.stdout)[-500:]
                raise DrillFailed(f"`{shlex.join(words)}` ended with {done.returncode}: {said}")

    def _words(self, command: str) -> list[str]:
        """The command's words; they are filled one by one, since a place may have spaces."""
        words: list[str] = []
        for word in shlex.split(command):
            whole = word == "{ingestion}"  # a command itself, as `EVALS_INGESTION_COMMAND` has it
            words += shlex.split(self._filled(word)) if whole else [self._filled(word)]
        return words

    def _path(self, text: str) -> Path:
        return Path(self._filled(text))

    def _filled(self, text: str) -> str:
        for name, value in self._places.items():
            text = text.replace(f"{{{name}}}", value)
        return text


def _copy(source: Path, target: Path) -> None:
    """Make `target` exactly `source`, a file or a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copy2(source, target)
        return
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
