"""Publishes what tests of faults noted, in the environment of evals: publish.py NOTED RESULTS."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from evals.machine import origin
from evals.results import merge, result
from evals.suite.metrics import Estimate


def main(noted: str, results: str) -> None:
    """Write the figures into the file of results, as of now."""
    here = replace(origin(), command="make test-long")
    rows = json.loads(Path(noted).read_text(encoding="utf-8"))
    merge(
        Path(results),
        [result(id, what, Estimate(value, value, value, n), here) for id, what, value, n in rows],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
