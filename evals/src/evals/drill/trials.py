"""Many drills on one stack, one after the other; resumable, since each outcome is kept at once."""

import logging
import shlex
import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evals import lines
from evals.clients.ingestion import Sources
from evals.drill import recording
from evals.drill.drill import Drill, places
from evals.drill.trial import BY_DRILL, HARM, Oracle, Outcome, run
from evals.errors import DrillFailed, NotAccepted
from evals.machine import Origin, origin
from evals.probes import goldens
from evals.results import Result, result
from evals.settings import Settings
from evals.suite.metrics import Estimate, Part, ratio
from evals.suite.ports import Each
from evals.watch.accepted import last
from evals.watch.card_text import as_markdown
from evals.watch.ledger import Ledger
from evals.watch.model import Card, Probe
from evals.watch.watcher import Watcher

_log = logging.getLogger(__name__)


def read_outcomes(file: Path) -> list[Outcome]:
    """The last outcome of every drill, in the order in which they ran; none without a file."""
    return list({outcome.drill: outcome for outcome in lines.read(file, Outcome)}.values())


class Trials:
    """The drills of one state folder."""

    def __init__(self, settings: Settings, each: Each) -> None:
        self._settings = settings
        self._each = each
        self._folder = settings.state_dir / "drills"
        self._kept = self._folder / "outcomes.jsonl"
        self._recorded = self._folder / "recorded"

    def outcomes(self) -> list[Outcome]:
        """The last outcome of every drill, in the order in which they ran."""
        return read_outcomes(self._kept)

    def publish_outcomes(self, file: Path) -> None:
        """What the figures are computed from, a line each; a copy of it goes on where this ends."""
        rows = (f"{outcome.model_dump_json()}\n" for outcome in self.outcomes())
        file.write_text("".join(rows), encoding="utf-8")

    def publish_cards(self, folder: Path) -> None:
        """The last card of every drill that did harm, as Markdown; no prompts, no paths of here."""
        folder.mkdir(parents=True, exist_ok=True)
        for outcome in self.outcomes():
            kept = self._folder / "cards" / f"{outcome.drill}.json"
            if outcome.harm >= HARM and kept.exists():
                card = Card.model_validate_json(kept.read_text(encoding="utf-8"))
                told = as_markdown(card, prompts=False).replace(f"{Path.cwd()}/", "")
                (folder / f"{outcome.drill}.md").write_text(told, encoding="utf-8")

    def publish_recordings(self, folder: Path) -> None:
        """What the scorecard is computed from."""
        recording.publish(self._recorded, folder)

    def recorded(self) -> set[str]:
        """Names of the drills whose cycles are recorded."""
        return {path.stem for path in self._recorded.glob("*.json")}

    def run(self, drills: Sequence[Drill], seconds: float, *, heal: bool = True) -> None:
        """Run them; one that fails to go in is told and left out.

        Without `heal` only their cycles are recorded, for the scorecard.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        watcher = Watcher(self._settings, self._each)
        if watcher.once().verdict.status != "OK":
            raise NotAccepted("The stack is not well: heal it before a drill, or `evals accept`.")
        oracle = Oracle(self._settings, self._unseen(), self._each)
        until, commit = time.monotonic() + seconds, origin().commit
        for drill in drills:
            if time.monotonic() > until:
                return
            with Ledger(self._settings.ledger) as ledger:
                ledger.restart()  # no drill profits from the evidence of the one before
            saved = self._folder / "saved" / drill.name
            try:
                outcome = run(
                    drill,
                    places(self._settings, saved),
                    saved,
                    oracle,
                    watcher,
                    self._folder / "cards",
                    self._heal if heal else None,
                    self._resume,
                    ApprovedGuards(self._settings),
                    commit,
                    self._settings.replay,
                )
            except DrillFailed as error:
                _log.warning("%s", error)
                continue
            self._record(outcome)
            if heal:
                with self._kept.open("a", encoding="utf-8") as file:
                    file.write(outcome.model_dump_json() + "\n")
            _log.info(
                "%s: %s %s, harm %.3f", drill.name, outcome.status, outcome.named, outcome.harm
            )

    def _record(self, outcome: Outcome) -> None:
        with Ledger(self._settings.ledger) as ledger:
            accepted = last(ledger)
            cycles = [ledger.cycle(id) for id in outcome.watched]
        recording.keep(
            self._recorded,
            accepted,
            cycles,
            outcome.taken_out,
            drill=outcome.drill,
            title=outcome.title,
            layers=outcome.layers,
            commit=outcome.commit,
            at=outcome.at,
            harm=outcome.harm,
            harm_held=outcome.harm_held,
        )

    def _heal(self, card: Card) -> str:
        """Type what the card proposes, as it stands, in the repository's root."""
        proposed = card.reverts[0].command if card.reverts else ""
        if not all(_command(command) for command in proposed.split(" && ") if command):
            return ""
        return proposed

    def _resume(self) -> None:
        resume(self._settings)

    def _unseen(self) -> list[Probe]:
        """Goldens that the watcher never asks."""
        settings = self._settings
        every = goldens.probes(settings.golden, settings.golden_revision, settings.golden_source)
        return goldens.halves(every)[1]


class ApprovedGuards:
    """The guards of the running stack, each hold let through by `ingestion approve`."""

    def __init__(self, settings: Settings) -> None:
        self._command = settings.ingestion_command
        self._sources = Sources(settings.ingestion_command, settings.index)

    def held(self) -> bool:
        """Whether a run of any source waits for an approval."""
        return bool(self._runs())

    def approve(self) -> None:
        """Let each through; the command syncs its source."""
        for run_id in self._runs():
            _command(f"{self._command} approve {run_id} --by drill")

    def _runs(self) -> list[str]:
        return [each.hold.run_id for each in self._sources.status() if each.hold]


def resume(settings: Settings) -> None:
    """Readers see again what syncs write; without a restore before it, nothing happens."""
    _command(f"{settings.ingestion_command} resume")


def _command(command: str) -> bool:
    """Whether a command succeeded; what it said is logged where it did not."""
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
    _log.info("%s: %s", command, done.returncode or "done")
    if done.returncode:
        _log.info("%s", (done.stderr or done.stdout)[-500:])
    return done.returncode == 0


def _healed_by_card(outcome: Outcome) -> float:
    return float(outcome.healed and outcome.reverted_by != BY_DRILL)


def figures(outcomes: Sequence[Outcome], here: Origin) -> list[Result]:
    """The published figures, over the drills that the oracle proved harmful; `here` writes them.

    Their commits are those of the code that was watched.
    """
    here = replace(here, commit=", ".join(sorted({outcome.commit for outcome in outcomes})))
    harmful = [each for each in outcomes if each.harm >= HARM and len(each.layers) == 1]
    marks = {
        "exact_set": [float(o.named == o.layers) for o in harmful],
        "wrong_name": [float(bool({*o.named} - {*o.layers})) for o in harmful],
        "healed": [_healed_by_card(o) for o in harmful],
        "card_heals": [_healed_by_card(o) for o in harmful if o.named],
        "report_shows": [float(bool(o.failed)) for o in harmful],
    }
    said = {
        "exact_set": "injections whose verdict named exactly the layer at fault",
        "wrong_name": "injections whose verdict named a layer that was not at fault",
        "healed": "injections healed by the revert that the card proposed",
        "card_heals": "the same, of those that were named and so had a card",
        "report_shows": "injections that evidently's report at the layer's own boundary shows",
    }
    count = float(len(harmful))
    stopped = [outcome.harm_held for outcome in outcomes if outcome.harm_held is not None]
    found = [
        result(
            "real_engine_stopped",
            "injections that a guard of ingestion stopped at the boundary; for the lines below,"
            " each was let through by its ordinary approval",
            Estimate(len(stopped), len(stopped), len(stopped), len(outcomes)),
            here,
        ),
        result(
            "real_engine_faults",
            "injections on the real engine, proved harmful by the oracle"
            f" ({sum(outcome.replay for outcome in harmful)} watched in the workshop profile)",
            Estimate(count, count, count, len(outcomes)),
            here,
        ),
    ]
    if stopped:
        what = "largest harm to users while a guard held the fault"
        worst = Estimate(max(stopped), min(stopped), max(stopped), len(stopped))
        found.append(result("real_engine_stopped_harm", what, worst, here))
    for id, values in marks.items():
        estimate = ratio(Part(str(number), value) for number, value in enumerate(values))
        if estimate:
            found.append(result(f"real_engine_{id}", said[id], estimate, here))
    if until := sorted(o.seconds for o in harmful if o.named and o.replay):
        what = "longest seconds of watching until a layer was named, in the workshop profile"
        estimate = Estimate(until[-1], until[0], until[-1], len(until))
        found.append(result("verdict_seconds", what, estimate, here))
    spent = sorted(seconds for outcome in outcomes for seconds in outcome.cycle_seconds)
    if spent:
        middle, low, high = spent[len(spent) // 2], spent[0], spent[-1]
        what = "median seconds of a cycle while a fault is in"
        estimate = Estimate(middle, low, high, len(spent))
        found.append(result("full_cycle_seconds", what, estimate, here))
    return found
