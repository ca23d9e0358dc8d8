"""Publishes what tests noted, in the environment of evals: publish.py NOTED RESULTS [COMMAND]."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from evals.machine import origin
from evals.results import merge, result
from evals.suite.metrics import Estimate


def main(noted: str, results: str, command: str = "make test-long") -> None:
    """Write the figures into the file of results, as of now."""
    here = replace(origin(), command=command)
    rows = json.loads(Path(noted).read_text(encoding="utf-8"))
    merge(
        Path(results),
        [
            result(id, what, Estimate(value, *(spread or (value, value)), n), here)
            for id, what, value, n, *spread in rows
        ],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
