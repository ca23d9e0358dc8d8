"""`application support`: the rates by way and split, and the labels for machines."""

import json
from pathlib import Path

from typer.testing import CliRunner

from application.cli import app

PAIR = {
    "id": "a-01-p",
    "split": "test",
    "corpus": "a",
    "way": "paraphrase",
    "supported": True,
    "question": "",
    "statement": "Dogs are welcome here.",
    "sources": [{"text": "Dogs are welcome here.", "lead": ""}],
}


def test_the_command_counts_what_was_wrong_by_way_and_split(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    altered = PAIR | {"way": "negation", "supported": False}
    pairs.write_text("\n".join(json.dumps(row) for row in (PAIR, altered)))
    shown = CliRunner().invoke(app, ["support", str(pairs)]).output
    assert "test  accepted      1 of   1 wrong, 100.0%" in shown
    assert "test  paraphrase    0 of   1 wrong, 0.0%" in shown


def test_the_labels_come_as_json_with_what_the_figures_need(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps(PAIR))
    output = CliRunner().invoke(app, ["support", str(pairs), "--json"]).output
    assert json.loads(output) == [
        {"id": "a-01-p", "split": "test", "way": "paraphrase", "supported": True,
         "label": "supported"}
    ]  # fmt: skip
