"""SECURITY.md and docs/security.md name tests that exist, and no promise stands without one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("SECURITY.md", "docs/security.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_named_exists(document: str) -> None:
    named = NAMED.findall((ROOT / document).read_text())
    assert named
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"def {name}\(", (ROOT / file).read_text())
    ]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_row_of_a_table_names_a_test(document: str) -> None:
    rows = [line for line in (ROOT / document).read_text().splitlines() if line.startswith("| ")]
    without = [row for row in rows[1:] if not NAMED.search(row)]  # the first names the columns
    assert not without


def test_all_ten_risks_are_gone_through() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    assert re.findall(r"^\| LLM(\d\d) ", text, re.MULTILINE) == [f"{n:02}" for n in range(1, 11)]
