"""A planted import across layers is found, and the message names the rule that it breaks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("contracts", "ingestion", "serving", "application", "evals", "infra/vectorstore")
SOURCES = (*SOURCES, "infra/demo")
LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for source in SOURCES:
        shutil.copytree(ROOT / source / "src", tmp_path / source / "src")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(tree / source / "src") for source in SOURCES)
    return subprocess.run(
        [LINT, "--no-cache"],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_the_tree_as_it_is_keeps_every_rule(tree: Path) -> None:
    result = lint(tree)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("importer", "imported", "rule"),
    [
        ("application", "ingestion", "Layers never import one another"),
        ("ingestion", "serving", "Layers never import one another"),
        ("evals", "application", "Layers never import one another"),
        ("contracts", "evals", "contracts imports no layer"),
        ("contracts", "fastapi", "contracts imports no layer"),
    ],
)
def test_a_planted_import_fails_and_names_the_rule(
    tree: Path, importer: str, imported: str, rule: str
) -> None:
    (tree / importer / "src" / importer / "planted.py").write_text(f"import {imported}\n")
    result = lint(tree)
    assert result.returncode == 1
    assert f"{importer}.planted -> {imported}" in result.stdout
    assert rule in result.stdout


def test_only_the_flow_knows_prefect_and_only_the_report_knows_evidently(tree: Path) -> None:
    for package, module in (("ingestion", "prefect"), ("evals", "evidently")):
        (tree / package / "src" / package / "planted.py").write_text(f"import {module}\n")
    result = lint(tree)
    assert result.returncode == 1
    assert "Only ingestion.flow imports prefect" in result.stdout
    assert "Only evals.reports and the page that shows them import evidently" in result.stdout
