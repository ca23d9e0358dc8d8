"""Each parser rule is held by a row: without the rule, at least one row of the table fails."""

import gc
import json
import os
from pathlib import Path

import pytest
from tests.parsers.found import FOUND
from tests.parsers.mutants import Mutant, is_killed, mutants
from tests.parsers.rows import ROWS, Row
from tests.parsers.table import faults

import ingestion
from ingestion.parse import format_of, parse
from ingestion.parsers import NAMES

LEAST_KILLED = 0.69  # 0.70 on the day it was first measured; the goal is all of them
ALL = [*ROWS, *FOUND]
FORMAT_OF_MODULE = {"number_format": "xlsx", "word_layout": "docx", "front_matter": "markdown"}


def rows_for(mutant: Mutant) -> list[Row]:
    """The rows that may fail, those of the module's own format first."""
    room, name = mutant.module.split(".")[-2:]
    own = "pdf" if room == "pages" else FORMAT_OF_MODULE.get(name, name)
    if own in NAMES:
        return [row for row in ALL if format_of(row[0]) == own]
    first = "text" if name in ("encodings", "text", "letters") else "html"
    return sorted(ALL, key=lambda row: format_of(row[0]) != first)


@pytest.mark.long
def test_without_any_rule_a_row_fails() -> None:
    failing = [row[0] for row in ALL if faults(row, parse, format_of(row[0]))]
    assert not failing  # which loads every parser before the first fork
    gc.freeze()
    all_mutants = [*mutants(Path(ingestion.__file__).parent)]
    alive = [each for each in all_mutants if not is_killed(each, rows_for(each))]
    killed = len(all_mutants) - len(alive)
    share = killed / len(all_mutants)
    for mutant in alive:
        print(f"no row needs {mutant.module}:{mutant.line}: {mutant.rule[:90]}")
    if out := os.environ.get("PARSERS"):
        formats = len({format_of(row[0]) for row in ALL})
        figures = [
            ("rows", "rows of what a document must and must not give", len(ALL), len(ALL)),
            ("formats", "formats that the rows are of", formats, len(ALL)),
            ("mutants_killed", "parser rules without which a row fails", share, len(all_mutants)),
        ]
        Path(out).parent.mkdir(exist_ok=True)
        Path(out).write_text(json.dumps(figures), encoding="utf-8")
    assert share >= LEAST_KILLED
