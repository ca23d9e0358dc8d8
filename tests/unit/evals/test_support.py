"""The figures of the support check, from what `application support --json` prints."""

import json

import pytest

from evals.errors import DatasetError
from evals.machine import Origin
from evals.suite.support import figures

HERE = Origin(command="", commit="abc", date="2026-11-29", machine="2 cores")


def pair(id: str, split: str, supported: bool, label: str) -> dict[str, object]:
    way = "paraphrase" if supported else "unit"
    return {"id": id, "split": split, "way": way, "supported": supported, "label": label}


def test_each_split_has_its_share_of_altered_ones_accepted_and_true_ones_rejected() -> None:
    rows = [
        pair("a-01-p", "test", True, "supported"),
        pair("a-01-a", "test", False, "supported"),
        pair("a-02-p", "test", True, "contradicted"),
        pair("a-02-a", "test", False, "contradicted"),
        pair("b-01-p", "dev", True, "supported"),
        pair("b-01-a", "dev", False, "unsupported"),
    ]
    found = {row.id: (row.value, row.n) for row in figures(json.dumps(rows), HERE)}
    assert found == {
        "support_false_accept": (0.5, 2),
        "support_false_reject": (0.5, 2),
        "support_false_accept_dev": (0.0, 1),
        "support_false_reject_dev": (0.0, 1),
    }


def test_another_input_is_refused_with_the_command_to_run() -> None:
    with pytest.raises(DatasetError, match="application support --json"):
        figures("{}", HERE)
