"""A drill for people: a fault is put in, somebody guesses its layer, then the card is shown.

What is in is kept in `drill/now.json` of the state folder until it is taken out, so that a second
command, or one after a crash, can do so. The watcher never reads it.
"""

import random
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from evals import lines
from evals.drill.drill import Drill, Running, places
from evals.drill.scorecard import MEDIUM
from evals.drill.trial import CYCLES, Guards, Outcome, Watches
from evals.errors import DrillFailed
from evals.settings import Settings
from evals.watch.model import LAYERS, Card, Frozen, Layer


class Now(Frozen):
    """The fault that is in."""

    drill: Drill
    since: datetime
    is_blind: bool


class Guess(Frozen):
    """A line of the board: a person's guess beside the stack's."""

    drill: str
    title: str
    layers: tuple[Layer, ...]
    at: datetime
    guess: Layer | None
    minutes: float  # from the fault to the guess
    named: tuple[Layer, ...]  # by the stack
    cycles: int

    @property
    def person_is_right(self) -> bool:
        """Whether the guess names the layer at fault, or one of two."""
        return self.guess in self.layers

    @property
    def stack_is_right(self) -> bool:
        """Whether the verdict names exactly the layers at fault."""
        return {*self.named} == {*self.layers}


class Drills:
    """The drill of one state folder: one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.state_dir / "drill"
        self._now = self._folder / "now.json"
        self._board = self._folder / "board.jsonl"

    def now(self) -> Now:
        """What is in. Raises: DrillFailed where nothing is."""
        if not self._now.exists():
            raise DrillFailed("No drill is in: start one with `make drill BLIND=1`.")
        return Now.model_validate_json(self._now.read_text(encoding="utf-8"))

    def start(self, drill: Drill, guards: Guards, *, is_blind: bool) -> Now:
        """Put a fault in; a guard that holds it is told to let it through, as in every drill.

        Raises: DrillFailed, with everything put back, also for another one that is still in.
        """
        if self._now.exists():
            raise DrillFailed(
                "A drill is in already: `make reveal GUESS=data` shows it (or serving, or"
                " application), `make drill-end` takes it out."
            )
        now = Now(drill=drill, since=datetime.now(UTC), is_blind=is_blind)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._now.write_text(now.model_dump_json(), encoding="utf-8")
        try:
            self._running(drill).inject()
            if guards.held():
                guards.approve()
        except BaseException:
            self.end(lambda: None, guards)
            raise
        now = now.model_copy(update={"since": datetime.now(UTC)})
        self._now.write_text(now.model_dump_json(), encoding="utf-8")
        return now

    def reveal(
        self, guess: Layer | None, watcher: Watches, told: Callable[[Card], None]
    ) -> tuple[Card, Guess]:
        """Watch until something is named, CYCLES at most; `told` is called with each card.

        Raises: DrillFailed where nothing is in, NotAccepted.
        """
        now = self.now()
        minutes = (datetime.now(UTC) - now.since).total_seconds() / 60
        for cycles in range(1, CYCLES + 1):  # noqa: B007  # counted
            card = watcher.once()
            told(card)
            if card.verdict.layers:
                break
        line = Guess(
            drill=now.drill.name,
            title=now.drill.title,
            layers=now.drill.layers,
            at=now.since,
            guess=guess,
            minutes=minutes,
            named=card.verdict.layers,
            cycles=cycles,
        )
        with self._board.open("a", encoding="utf-8") as file:
            file.write(line.model_dump_json() + "\n")
        return card, line

    def end(self, resume: Callable[[], None], guards: Guards) -> Drill:
        """Make everything as it was before the drill, whatever was healed of it meanwhile.

        `resume` ends what a restored copy hides. Raises: DrillFailed; it can be tried again.
        """
        drill = self.now().drill
        resume()
        self._running(drill).revert(may_be_held=True)
        if guards.held():
            guards.approve()
        self._now.unlink()
        shutil.rmtree(self._saved(drill), ignore_errors=True)
        return drill

    def board(self) -> list[Guess]:
        """Every guess, the first one first; of a drill that was revealed twice, the first."""
        found: dict[datetime, Guess] = {}
        for guess in lines.read(self._board, Guess):
            found.setdefault(guess.at, guess)
        return list(found.values())

    def _saved(self, drill: Drill) -> Path:
        return self._folder / "saved" / drill.name

    def _running(self, drill: Drill) -> Running:
        saved = self._saved(drill).absolute()
        return Running(drill, places(self._settings, saved), saved)


def drawn(drills: Sequence[Drill], known: Sequence[Outcome], rng: random.Random) -> Drill:
    """One fault of one layer, each layer as likely; one that people notice, where that is known.

    Raises: DrillFailed where there is none.
    """
    noticed = {each.drill for each in known if each.harm >= MEDIUM}
    single = [each for each in drills if len(each.layers) == 1]
    chosen = [each for each in single if each.name in noticed] or single
    if not chosen:
        raise DrillFailed("There is no drill to draw from: is this the repository's root?")
    layer = rng.choice([layer for layer in LAYERS if any(layer in d.layers for d in chosen)])
    return rng.choice([each for each in chosen if layer in each.layers])
