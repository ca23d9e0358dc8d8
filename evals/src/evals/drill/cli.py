"""The command of drills: `evals trial DRILL...` puts faults in, and keeps what became of them."""

import logging
import random
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from evals import results
from evals.console import sentences
from evals.drill import recording
from evals.drill.blind import Drills, drawn
from evals.drill.drill import load
from evals.drill.healthy import HealthyCycles
from evals.drill.healthy import figures as healthy_figures
from evals.drill.page import page
from evals.drill.scorecard import FLIPS, NOISY, Recordings, as_it_was, false_alarms, simulated
from evals.drill.scorecard import figures as scorecard_figures
from evals.drill.trials import ApprovedGuards, Trials, figures, read_outcomes, resume
from evals.machine import origin
from evals.progress import Parallel
from evals.settings import Settings
from evals.watch.card_text import as_terminal
from evals.watch.cli import serving_pages
from evals.watch.model import Card, Layer
from evals.watch.watcher import Watcher

DRILLS = Path("evals/drills")

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
        trials.publish_recordings(settings.results_dir / "recorded")
    if write and not record:
        results.merge(settings.results_dir / "verdict.json", figures(trials.outcomes(), origin()))
        trials.publish_outcomes(settings.results_dir / "drills.jsonl")
        trials.publish_cards(settings.cards_dir)


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
def drill(
    name: Annotated[
        str | None, typer.Argument(help="A file of evals/drills, without .yaml; none lists them.")
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="One that you are not told.")] = False,
) -> None:
    """Break the running stack, by plain edits and commands, for somebody to find out what it was.

    Ask it, guess the layer, then `evals reveal --guess LAYER`. `evals drill-end` makes everything
    as it was, byte for byte; so does Ctrl-C while the fault is being put in.

    Example: evals drill --blind; evals drill app-top-k-1
    """
    settings = Settings()
    with sentences():
        every = [load(path) for path in _files([DRILLS])]
        if not (name or blind):
            shown = Table("drill", "layer", "what happens")
            for each in every:
                shown.add_row(each.name, ", ".join(each.layers), each.title)
            Console().print(shown)
            return
        if not blind:
            _tell()
        known = read_outcomes(settings.results_dir / "drills.jsonl")
        chosen = (
            load(DRILLS / f"{name}.yaml") if name else drawn(every, known, random.SystemRandom())
        )
        with Console(stderr=True).status("Something is being broken; it may take two minutes."):
            Drills(settings).start(chosen, ApprovedGuards(settings), is_blind=blind)
    if not blind:
        print(f"{chosen.title}. It is in.")
    print(
        "Something is broken now, in one layer or more.\n"
        'Ask:     make ask Q="How many days of annual leave do I get?"\n'
        "Guess:   make reveal GUESS=data, or GUESS=serving, or GUESS=application\n"
        "Give up: make drill-end"
    )


@app.command()
def reveal(
    guess: Annotated[
        Layer | None, typer.Option(help="Which layer you think it was: data, serving, application.")
    ] = None,
) -> None:
    """Say what was broken, after your guess and the card of the watcher, and keep the score.

    Example: evals reveal --guess data
    """
    settings = Settings()
    with sentences():
        drills = Drills(settings)
        drills.now()
        watcher = Watcher(settings, Parallel(settings.parallel))

        def told(card: Card) -> None:
            print(f"The watcher looks: {card.verdict.status}", file=sys.stderr)

        with serving_pages(settings):
            card, line = drills.reveal(guess, watcher, told)
    Console().print(as_terminal(card))
    print(f"It was {' and '.join(line.layers)}: {line.title}.")
    if line.guess:
        right = "right" if line.person_is_right else "wrong"
        print(f"You said {line.guess} after {line.minutes:.1f} minutes: {right}.")
    named = " and ".join(line.named) or "nothing"
    right = "right" if line.stack_is_right else "wrong"
    print(f"The stack said {named} after {line.cycles} cycles: {right}.")
    print("Do what the card proposes, and look again with `make watch`; then `make drill-end`.")


@app.command("drill-end")
def drill_end() -> None:
    """Take the drill out: everything is as it was, byte for byte, whatever was healed by then."""
    _tell()
    settings = Settings()
    with sentences():
        ended = Drills(settings).end(lambda: resume(settings), ApprovedGuards(settings))
    print(f"Taken out: {ended.title}. `make watch` should say OK.")


@app.command()
def board(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON lines.")] = False,
) -> None:
    """Who found the layer, people or the stack, and how long it took.

    Example: evals board
    """
    with sentences():
        lines = Drills(Settings()).board()
    if as_json:
        for line in lines:
            print(line.model_dump_json())
        return
    shown = Table("drill", "layer", "you said", "minutes", "the stack said", "cycles")
    for line in lines:
        shown.add_row(
            line.drill,
            ", ".join(line.layers),
            _marked(line.guess, line.person_is_right) if line.guess else "-",
            f"{line.minutes:.1f}" if line.guess else "-",
            _marked(", ".join(line.named) or "nothing", line.stack_is_right),
            str(line.cycles),
        )
    Console().print(shown)
    guessed = [line for line in lines if line.guess]
    people, stack = (
        sum(line.person_is_right for line in guessed),
        sum(line.stack_is_right for line in guessed),
    )
    print(f"Of {len(guessed)} guesses, people were right in {people}, the stack in {stack}.")


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
        real = as_it_was(found)
        rows = scorecard_figures(runs, quiet, noisy, real, origin())
        Console().print(results.table(rows), soft_wrap=True)
    if write:
        results.merge(settings.results_dir / "scorecard.json", rows)
        every = [load(path) for path in _files([DRILLS])]
        pairs = [(each.name, each.looks_like) for each in every if each.looks_like]
        told = page(rows, runs, found.drills, real, pairs)
        settings.scorecard_page.write_text(told, encoding="utf-8")


def _marked(said: str, is_right: bool) -> str:
    return f"{said} {'✓' if is_right else '✗'}"


def _files(paths: list[Path]) -> list[Path]:
    return [f for path in paths for f in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]


def _tell() -> None:
    """Progress to the terminal; SIGTERM takes a drill out first, as Ctrl-C does."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("evals.drill").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
