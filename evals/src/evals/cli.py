"""Command line of evals; `watch/cli.py` and `drill/cli.py` have more commands."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from evals import drawing, goldens_cli, kept, measure, results
from evals.console import fail, sentences
from evals.drill import cli as drill_cli
from evals.errors import DatasetError
from evals.machine import origin
from evals.results import Result
from evals.settings import Settings
from evals.suite import coverage, golden, losses, squad
from evals.suite import support as check
from evals.watch import cli as watch_cli

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(watch_cli.app)
app.add_typer(drill_cli.app)
app.add_typer(goldens_cli.app, name="goldens")
_JSON = TypeAdapter(Any)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
Split = Annotated[
    squad.Split, typer.Option(help="Of a folder in SQuAD's form: which of its articles to ask.")
]
Write = Annotated[bool, typer.Option("--write", help="Merge the figures into docs/results/.")]


@app.callback()
def evals() -> None:
    """Measure the stack over its public interfaces; nothing here is imported from a layer."""


@app.command()
def retrieval(folder: Path, as_json: AsJson = False, write: Write = False) -> None:
    """Ingest a benchmark into an index of its own, and measure what search finds.

    FOLDER is in BEIR form (corpus.jsonl[.gz], queries.jsonl, qrels/test.tsv), or holds versions
    of a knowledge base (v1/, v2/ ..., changes.jsonl, questions.jsonl).

    Example: evals retrieval scifact --write
    """
    with sentences():
        versioned = (folder / "changes.jsonl").is_file()
        suite = measure.knowledge_base if versioned else measure.benchmark
        settings = Settings()
        _show(settings, suite(settings, folder), as_json, write)


@app.command()
def answers(
    path: Annotated[Path, typer.Argument(metavar="GOLDEN")],
    as_json: AsJson = False,
    write: Write = False,
    limit: Annotated[
        int | None, typer.Option(min=2, help="Ask only the first so many, by their ids' hashes.")
    ] = None,
    split: Split = "test",
    clients: Annotated[
        int | None, typer.Option(min=1, help="Requests in flight; 1 also measures waiting times.")
    ] = None,
    reader: Annotated[
        bool, typer.Option("--reader", help="The stack answers with the perfect reader.")
    ] = False,
) -> None:
    """Ask a golden set of its documents, and show at which step values are lost.

    GOLDEN is a golden.jsonl beside the revisions of its corpus, or a folder in the form of
    SQuAD 2.0 (docs/, corpus.jsonl, queries.jsonl). Each gets an index of its own.

    Example: evals answers evals/datasets/sample/golden.jsonl --write
    """
    with sentences():
        if write and (limit is not None or split != "test"):
            raise DatasetError(
                "--write publishes the whole test sample only: leave out --limit and --split."
            )
        settings = Settings() if clients is None else Settings(parallel=clients)
        asked = golden.load(path, split, limit)
        measured = measure.golden_set(settings, asked, reader)
        _show(settings, measured, as_json, write)
    if not as_json:
        _print_steps(measured)


@app.command()
def conversations(
    path: Annotated[Path, typer.Argument(metavar="CONVERSATIONS")],
    as_json: AsJson = False,
    write: Write = False,
) -> None:
    """Hold conversations with the running stack: follow-ups, corrections, changes of topic.

    Example: evals conversations evals/datasets/sample/conversations.jsonl --write
    """
    with sentences():
        settings = Settings()
        _show(settings, measure.conversations_of(settings, path), as_json, write)


@app.command()
def index(path: Annotated[Path, typer.Argument(metavar="GOLDEN")], split: Split = "test") -> None:
    """Ingest a golden set's documents into the index that `evals answers` asks; ask nothing.

    Example: evals index ../shared/data/squad2-dev; then calibrate on that index
    """
    with sentences():
        asked = golden.load(path, split)
        for revision in asked.corpora:
            run = measure.index_corpus(Settings(), asked, revision)
            print(f"{asked.index}: {len(run.outcomes)} documents of {asked.corpora[revision]}.")


@app.command()
def curve(
    dataset: str = "squad2",
    output: Path = Path("docs/results/coverage.svg"),
) -> None:
    """Draw correctness against coverage for every system whose replies to a dataset are kept.

    Example: evals curve --dataset squad2
    """
    with sentences():
        runs = coverage.read(Settings().runs_dir(dataset))
        lines = {name: coverage.curve(marks) for name, marks in runs.items()}
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(drawing.svg(dataset, lines), encoding="utf-8")
    for name, points in lines.items():
        print(f"{name}: answers {points[-1].coverage:.0%}, of which {points[-1].correct:.0%} right")
    print(f"Drawn: {output}")


@app.command()
def report(
    reference: str = "r1", current: str = "r2", dataset: str = "sample", as_json: AsJson = False
) -> None:
    """Compare two revisions that `evals answers` has asked: one evidently report a boundary.

    Example: evals report --reference r1 --current r2; then evals reports-page
    """
    with sentences():
        settings = Settings()
        before, after = (
            kept.read(settings.revision_dir(dataset, revision), settings.events)
            for revision in (reference, current)
        )
        from evals import reports  # evidently takes seconds to import

        written = reports.write(settings.workspace, f"{reference} to {current}", before, after)
    if as_json:
        print(_JSON.dump_json(written, indent=2).decode())
        return
    for boundary in written:
        print(f"{boundary.boundary}: {len(boundary.failed)} of {boundary.tests} tests failed")
        for failure in boundary.failed:
            print(f"  {failure}")
    print("Open them: evals reports-page")


@app.command()
def reports_page(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8085,
) -> None:
    """Show evidently's page of the reports, for reading only, until it is stopped.

    Example: evals reports-page --port 8085
    """
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from evals.web import reports_page  # evidently takes seconds to import

    settings = Settings()
    reports_page.serve(settings.workspace, settings.hosts, host, port)


@app.command()
def support(as_json: AsJson = False, write: Write = False) -> None:
    """Count what the support check got wrong; its labels come from `application support --json`.

    Example: application support evals/datasets/support/pairs.jsonl --json | evals support --write
    """
    with sentences():
        figures = check.figures(sys.stdin.read(), origin())
        _show(Settings(), measure.Measured({"answers": figures}, {}), as_json, write)


@app.command()
def tables(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail if any differs.")
    ] = False,
) -> None:
    """Write the documents' tables anew from docs/results/*.json.

    Example: evals tables --check
    """
    with sentences():
        differing = []
        for path in results.documents(Path()):
            old = path.read_text(encoding="utf-8")
            new = results.with_tables(old, Settings().results_dir)
            if new != old:
                differing.append(str(path))
                if not check:
                    path.write_text(new, encoding="utf-8")
    if check and differing:
        fail(f"Tables in {', '.join(differing)} are not those of docs/results: run `evals tables`.")
    print(f"{len(differing)} documents rewritten.")


def _show(settings: Settings, measured: measure.Measured, as_json: bool, write: bool) -> None:
    if write:
        for name, rows in measured.results.items():
            results.merge(settings.results_dir / f"{name}.json", rows)
    rows = [row for file in measured.results.values() for row in file]
    if as_json:
        print(_JSON.dump_json({"results": rows, "details": measured.details}, indent=2).decode())
    else:
        _print_figures(rows)


def _print_steps(measured: measure.Measured) -> None:
    shown = Table("step", "questions that passed", "lost here", title="Where values are lost")
    for step in measured.details["steps"]:
        shown.add_row(step.name, str(step.passed), str(step.lost))
    Console().print(shown)
    if measured.details["steps"][-1].name == losses.MERGED:
        print("The model's own reply was not heard, so the last two steps are shown as one.")
    for support, share in measured.details["statements"].items():
        print(f"Statements that are {support}: {share:.0%}")


def _print_figures(rows: list[Result]) -> None:
    shown = Table("figure", "measured", "95% interval", "goal", "n")
    for row in rows:
        interval = f"{row.spread[0]} to {row.spread[1]}" if row.spread else ""
        goal = f"{row.direction} {row.goal}" if row.goal is not None else ""
        shown.add_row(row.what, str(row.value), interval, goal, str(row.n))
    Console().print(shown)
