"""Figures of a long run, a JSON object a line in the file that $SECURITY names; none without it."""

import json
import os
from pathlib import Path


def note(what: str, **figures: float) -> None:
    """Adds one line; `publish.py` reads them."""
    if path := os.environ.get("SECURITY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, **figures}) + "\n")
