"""Command line of evals; `watch/cli.py` and `drill/cli.py` have more commands."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from evals import kept, measure, results
from evals.console import fail, sentences
from evals.drill import cli as drill_cli
from evals.machine import origin
from evals.results import Result
from evals.settings import Settings
from evals.suite import support as check
from evals.watch import cli as watch_cli

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(watch_cli.app)
app.add_typer(drill_cli.app)
_JSON = TypeAdapter(Any)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
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
def answers(golden: Path, as_json: AsJson = False, write: Write = False) -> None:
    """Ask a golden set of each revision of its corpus, which lies beside it.

    Example: evals answers evals/datasets/sample/golden.jsonl --write
    """
    with sentences():
        settings = Settings()
        _show(settings, measure.golden_set(settings, golden), as_json, write)


@app.command()
def report(
    reference: str = "r1", current: str = "r2", dataset: str = "sample", as_json: AsJson = False
) -> None:
    """Compare two revisions that `evals answers` has asked: one evidently report a boundary.

    Example: evals report --reference r1 --current r2; then evidently ui --workspace .state/reports
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
    print(f"Open them: evidently ui --workspace {settings.workspace}")


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


def _print_figures(rows: list[Result]) -> None:
    shown = Table("figure", "measured", "95% interval", "goal", "n")
    for row in rows:
        interval = f"{row.spread[0]} to {row.spread[1]}" if row.spread else ""
        goal = f"{row.direction} {row.goal}" if row.goal is not None else ""
        shown.add_row(row.what, str(row.value), interval, goal, str(row.n))
    Console().print(shown)
