"""The command `application support`: how often the support check is wrong on labelled pairs."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer

from application.support import Source, judge


def support(
    pairs: Annotated[Path, typer.Argument(help="Lines of pairs, see evals/datasets/support.")],
    as_json: Annotated[bool, typer.Option("--json", help="Each pair's label, as JSON.")] = False,
) -> None:
    """Judge labelled pairs: altered statements accepted, and true ones rejected, by way and split.

    Example: application support evals/datasets/support/pairs.jsonl --json | evals support --write
    """
    lines = pairs.read_text(encoding="utf-8").splitlines()
    judged = [_judged(json.loads(line)) for line in lines if line.strip()]
    if as_json:
        typer.echo(json.dumps(judged))
        return
    wrong: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for pair in judged:
        error = (pair["label"] == "supported") != pair["supported"]
        wrong[pair["split"], pair["way"]].append(error)
        wrong[pair["split"], "rejected" if pair["supported"] else "accepted"].append(error)
    for (split, way), errors in sorted(wrong.items()):
        share = sum(errors) / len(errors)
        typer.echo(f"{split:<5} {way:<11} {sum(errors):>3} of {len(errors):>3} wrong, {share:.1%}")


def _judged(pair: dict[str, Any]) -> dict[str, Any]:
    sources = [Source(**source) for source in pair["sources"]]
    label = judge(pair["statement"], pair["question"], sources).label
    return {key: pair[key] for key in ("id", "split", "way", "supported")} | {"label": label}
