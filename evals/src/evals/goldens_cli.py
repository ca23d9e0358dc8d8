"""`evals goldens`: from users' feedback to golden questions, with a person in between."""

import json
from pathlib import Path
from typing import Annotated

import typer

from evals import feedback
from evals.console import sentences
from evals.errors import DatasetError
from evals.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)
PROPOSED = Path(".state/goldens/proposed.jsonl")
OWN = Path(".state/goldens/golden.jsonl")


@app.command()
def propose(
    to: Annotated[Path, typer.Option(help="Where candidates are written.")] = PROPOSED,
) -> None:
    """Write candidates from the feedback so far; nothing joins a golden set by itself.

    Example: evals goldens propose
    """
    with sentences():
        found = feedback.candidates(feedback.read(Settings().events))
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), "utf-8")
        typer.echo(f"{len(found)} candidates in {to}; confirm each with `evals goldens confirm`.")


@app.command()
def confirm(
    id: str,
    answer: Annotated[str, typer.Option(help="The right value; leave out if there is none.")] = "",
    path: Annotated[str, typer.Option(help="Document that holds it, if none was proposed.")] = "",
    span: Annotated[str, typer.Option(help="Its words there.")] = "",
    proposed: Annotated[Path, typer.Option()] = PROPOSED,
    golden: Annotated[Path, typer.Option(help="The golden set that it joins.")] = OWN,
) -> None:
    """Add a candidate to a golden set, with the value that you found to be right.

    Example: evals goldens confirm f1a2b3c4 --answer "28 days"
    """
    with sentences():
        if not proposed.is_file():
            raise DatasetError(f"There is no file {proposed}; run `evals goldens propose` first.")
        place = (path, span) if path and span else None
        golden.parent.mkdir(parents=True, exist_ok=True)
        made = feedback.confirm(proposed, golden, id, answer or None, place)
        typer.echo(f"{made['id']} is in {golden} now: {made['question']}")
