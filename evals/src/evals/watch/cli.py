"""Commands of the watcher: `evals watch | accept | verdict | history | gate | weakest`."""

import logging
import signal
import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from starlette.applications import Starlette

from contracts.urls import without_credentials
from evals import feedback
from evals.console import sentences
from evals.progress import Parallel
from evals.settings import Settings
from evals.watch import first
from evals.watch import weakest as neglect
from evals.watch.accepted import Accepted
from evals.watch.card_text import as_markdown, as_terminal
from evals.watch.gate import Gate
from evals.watch.ledger import Ledger
from evals.watch.memo import Memo
from evals.watch.model import Card
from evals.watch.service import gateway, serve, with_gateway
from evals.watch.watcher import Watcher
from evals.web.app import create_app
from evals.web.reader import LedgerReader
from evals.web.state import current

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]


@app.command()
def watch(
    once: Annotated[bool, typer.Option("--once", help="One cycle, its card, and the end.")] = False,
    every: Annotated[
        float | None, typer.Option(help="Seconds between cycles; default EVALS_EVERY_SECONDS.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Probe the stack in cycles, name the layer at fault, and serve the Layers page.

    Examples: evals watch --every 600; evals watch --once
    """
    settings = Settings()
    if every:
        settings = settings.model_copy(update={"every_seconds": every})
    with sentences():
        watcher = Watcher(settings, Parallel(settings.parallel))
        if once:
            with serving_pages(settings):
                card = watcher.once()
                if card.verdict.status not in ("OK", "NO DATA"):
                    card = watcher.report() or card
            _print_card(card, as_json)
            return
        logging.basicConfig(format="%(asctime)s %(message)s")
        serve(settings, _pages(settings), watcher.watch)


@app.command()
def accept(
    reason: Annotated[
        str | None, typer.Option(help="Why a state that is worse than the last is accepted.")
    ] = None,
    only_first: Annotated[
        bool,
        typer.Option("--first", help="Only where nothing was accepted yet; then run one cycle."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make today's healthy stack the baseline; it takes some minutes, and refuses a worse state.

    Examples: evals accept; EVALS_BASELINE=small evals accept --first
    """
    settings = Settings()
    with sentences():
        accepted = _accept_first(settings) if only_first else _accept(settings, reason)
    if accepted is None:
        return
    if as_json:
        print(accepted.model_dump_json(exclude={"cycle", "facts"}))
        return
    probes = accepted.probes.probes
    print(
        f"Accepted at {accepted.at:%Y-%m-%d %H:%M} UTC: {len(probes)} probes, index copied as "
        f"{accepted.pin.index}, application {accepted.application.build}, bundle "
        f"{accepted.application.bundle}. `make watch` compares with it."
    )


@app.command()
def verdict(as_json: AsJson = False, markdown: bool = False) -> None:
    """Show the card that holds now; exit code 1 for a fault, 3 where nothing is known.

    Example: evals verdict
    """
    settings = Settings()
    with sentences():
        reader = LedgerReader(settings.ledger)
        state = current(reader, datetime.now(UTC), settings.every_seconds)
    _print_card(state.card, as_json, markdown)
    raise typer.Exit({"FAULT": 1, "UNSURE": 1, "NO DATA": 3}.get(state.status, 0))


@app.command()
def history(limit: int = 20, as_json: AsJson = False) -> None:
    """List the last verdicts, the newest first.

    Example: evals history --limit 50
    """
    with sentences():
        verdicts = LedgerReader(Settings().ledger).verdicts(limit)
    if as_json:
        print("[" + ",".join(each.model_dump_json() for each in verdicts) + "]")
        return
    shown = Table("cycle", "status", "layers", "reason")
    for each in verdicts:
        shown.add_row(each.cycle, each.status, ", ".join(each.layers), each.reason)
    Console().print(shown)


@app.command()
def gate(as_json: AsJson = False) -> None:
    """Compare each layer's change with the accepted state; exit code 1 on a regression.

    Example: evals gate && application bundle release
    """
    settings = Settings()
    with sentences(), serving_pages(settings):
        result = Watcher(settings, Parallel(settings.parallel)).gate()
    if as_json:
        print(result.model_dump_json())
    else:
        _print_gate(result)
    raise typer.Exit(0 if result.passed else 1)


@app.command()
def weakest(days: int = 30, as_json: AsJson = False) -> None:
    """Say on which of the three layers you spend least time, and what it owes.

    Example: evals weakest --days 90
    """
    settings = Settings()
    with sentences(), Ledger(settings.ledger) as ledger:
        found = neglect.weakest(
            neglect.commits_by_layer(Path(), days),
            ledger.since(datetime.now(UTC) - timedelta(days=days)),
            ledger.cycle(),
            chosen=settings.weakest_layer,
            days=days,
        )
    if as_json:
        print(found.model_dump_json())
        return
    shown = Table("layer", "commits", "incidents", "overdue")
    for row in found.rows:
        commits = "unknown" if row.commits is None else str(row.commits)
        shown.add_row(row.layer, commits, str(row.incidents), "\n".join(row.overdue))
    Console().print(shown)
    print(found.sentence)


def _accept(settings: Settings, reason: str | None) -> Accepted:
    """As a person asks for it; a first baseline that is being taken goes first."""
    if (told := first.read(settings.state_dir)) and not told.failed:
        print(f"{told.sentence} This accept waits until that has ended.", file=sys.stderr)
    first.wait(settings.state_dir)
    with serving_pages(settings):
        return Watcher(settings, Parallel(settings.parallel)).accept(reason)


def _accept_first(settings: Settings) -> Accepted | None:
    """As `make demo` asks for it: told SIGTERM, it undoes what it did, and ends."""
    with first.taking(settings.state_dir, Parallel(settings.parallel)) as taking:
        signal.signal(signal.SIGTERM, taking.stop)
        with serving_pages(settings):
            watcher = Watcher(settings, taking)
            accepted = watcher.accept_first(taking.plan)
            if accepted:
                taking.is_taken()
                watcher.once()
    return accepted


def serving_pages(settings: Settings) -> AbstractContextManager[None]:
    """The page and the memo gateway while a block runs, unless a watcher serves them."""
    return gateway(settings, lambda: _pages(settings))


def _pages(settings: Settings) -> Starlette:
    page = create_app(
        LedgerReader(settings.ledger),
        interval_seconds=settings.every_seconds,
        application_url=settings.application_page or without_credentials(settings.application_url),
        hosts=settings.hosts,
        feedback=lambda: feedback.by_version(feedback.read(settings.events)),
    )
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
    memo = Memo(settings.llm_url, settings.timeout_seconds, settings.generations, key=key)
    return with_gateway(page, memo)


def _print_card(card: Card, as_json: bool, markdown: bool = False) -> None:
    if as_json:
        print(card.model_dump_json())
    elif markdown:
        print(as_markdown(card))
    else:
        Console().print(as_terminal(card))


def _print_gate(result: Gate) -> None:
    shown = Table("layer", "suite", "loss of score", "95% interval", "noise", "")
    for row in result.rows:
        interval = f"{row.harm.low:+.3f} to {row.harm.high:+.3f}"
        said = "ok" if row.passed else "WORSE"
        cells = (row.layer, row.suite, f"{row.harm.value:+.3f}", interval, f"{row.band:.3f}", said)
        shown.add_row(*cells)
    Console().print(shown)
    print(f"Bundle {result.bundle}, build {result.build}: {result.summary}.")
