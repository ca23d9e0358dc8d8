"""Figures of a long run, in the file that $SECURITY names; tests/fault/publish.py reads it."""

import json
import os
from pathlib import Path
from typing import Any


def note(id: str, what: str, value: float, n: int, *spread: float) -> None:
    """Notes a figure of `n` cases, with its interval where it has one.

    A figure that is noted again, e.g. by another service's test, is added up.
    """
    if not (name := os.environ.get("SECURITY")):
        return
    path = Path(name)
    rows: list[list[Any]] = json.loads(path.read_text()) if path.exists() else []
    for row in rows:
        if row[0] == id:
            row[2], row[3] = row[2] + value, row[3] + n
            break
    else:
        rows.append([id, what, value, n, *spread])
    path.write_text(json.dumps(rows), encoding="utf-8")
