"""The command of drills: `evals trial DRILL...` puts faults in, and keeps what became of them."""

import logging
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from evals import results
from evals.console import sentences
from evals.drill import recording
from evals.drill.drill import load
from evals.drill.healthy import HealthyCycles
from evals.drill.healthy import figures as healthy_figures
from evals.drill.page import page
from evals.drill.scorecard import FLIPS, NOISY, Recordings, false_alarms, simulated
from evals.drill.scorecard import figures as scorecard_figures
from evals.drill.trials import Trials, figures, read_outcomes
from evals.machine import origin
from evals.progress import Parallel
from evals.settings import Settings
from evals.watch.cli import serving_pages

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def trial(
    drills: Annotated[
        list[Path],
        typer.Argument(help="Drill files, or a folder of them; those done are left out."),
    ],
    again: Annotated[bool, typer.Option(help="Also those that have an outcome.")] = False,
    minutes: Annotated[float, typer.Option(help="Start no drill after so long.")] = 600,
    record: Annotated[
        bool, typer.Option("--record", help="Only record cycles for the scorecard; heal nothing.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Publish figures and cards.")] = False,
) -> None:
    """Put each fault into the running stack, see whether the watcher names its layer, and heal it.

    The stack is changed meanwhile, so run it on one of your own: what a drill edits must be listed
    in EVALS_PLACES, a JSON object such as {"repo": ".", "sample": "/tmp/sample", "demo": "demo"}.

    Outcomes lie in .state/drills/outcomes.jsonl; a copy of docs/results/drills.jsonl there goes on
    with the published ones.

    Example: evals trial evals/drills/app-*.yaml; evals trial evals/drills --write
    """
    _tell()
    settings = Settings()
    trials = Trials(settings, Parallel(settings.parallel))
    with sentences():
        todo = [load(path) for path in _files(drills)]
        if not again:
            done = trials.recorded() if record else {each.drill for each in trials.outcomes()}
            todo = [each for each in todo if each.name not in done]
        if todo:
            with serving_pages(settings):
                trials.run(todo, minutes * 60, heal=not record)
    shown = Table("drill", "layer", "harm", "named", "cycles", "healed by")
    for each in trials.outcomes():
        named = ", ".join(each.named) or each.status
        healed = each.reverted_by if each.healed else "NOT HEALED"
        shown.add_row(
            each.drill, ", ".join(each.layers), f"{each.harm:+.3f}", named, str(each.cycles), healed
        )
    Console().print(shown)
    if write:
        results.merge(settings.results_dir / "verdict.json", figures(trials.outcomes(), origin()))
        trials.publish_outcomes(settings.results_dir / "drills.jsonl")
        trials.publish_cards(settings.cards_dir)
        trials.publish_recordings(settings.results_dir / "recorded")


@app.command()
def healthy(
    changes: Annotated[
        list[Path], typer.Argument(help="Benign changes or their folder, one every second cycle.")
    ],
    cycles: Annotated[int, typer.Option(help="In all; those of this commit count.")] = 50,
    write: Annotated[bool, typer.Option("--write", help="Publish figures.")] = False,
) -> None:
    """Watch a healthy stack in which things change without harm: every verdict is a false alarm.

    Example: evals healthy evals/drills/benign --cycles 50 --write
    """
    _tell()
    settings = Settings()
    watched = HealthyCycles(settings, Parallel(settings.parallel))
    with sentences(), serving_pages(settings):
        watched.run([load(path) for path in _files(changes)], cycles)
    shown = Table("change", "cycles", "verdicts")
    for change in sorted({each.change for each in watched.outcomes()}):
        told = [each.status for each in watched.outcomes() if each.change == change]
        shown.add_row(change or "none", str(len(told)), ", ".join(sorted(set(told))))
    Console().print(shown)
    if write:
        found = healthy_figures(watched.outcomes(), origin())
        results.merge(settings.results_dir / "verdict.json", found)
        watched.publish_recordings(settings.results_dir / "recorded")


@app.command()
def scorecard(
    write: Annotated[bool, typer.Option("--write", help="Publish figures and page.")] = False,
    anew: Annotated[bool, typer.Option(help="Forget the runs of an interrupted one.")] = False,
) -> None:
    """How often the verdict is right: the real engine's drills, and the recorded ones many times.

    It needs no stack and takes minutes; Ctrl-C keeps what was run. Recordings are made by `evals
    trial evals/drills --record` and `evals healthy`, and published by their --write.

    Example: evals scorecard --write
    """
    settings = Settings()
    kept = settings.state_dir / "drills" / "runs.jsonl"
    if anew:
        kept.unlink(missing_ok=True)
    with sentences():
        found = Recordings(*recording.read(settings.results_dir / "recorded"))
        runs = simulated(found, kept)
        quiet, noisy = false_alarms(found, FLIPS), false_alarms(found, NOISY)
        outcomes = read_outcomes(settings.results_dir / "drills.jsonl")
        rows = scorecard_figures(runs, quiet, noisy, outcomes, origin())
        Console().print(results.table(rows), soft_wrap=True)
    if write:
        results.merge(settings.results_dir / "scorecard.json", rows)
        told = page(rows, runs, found.drills, outcomes)
        settings.scorecard_page.write_text(told, encoding="utf-8")


def _files(paths: list[Path]) -> list[Path]:
    return [f for path in paths for f in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]


def _tell() -> None:
    """Progress to the terminal; SIGTERM takes a drill out first, as Ctrl-C does."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("evals.drill").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
