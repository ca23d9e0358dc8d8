"""The build names the code, wherever it lies, and nothing of the bundle."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.application.conftest import edit

from application.build import SOURCES, build_of_sources

PRINT = "from application import build as b; print(b.__file__, b.build_of_sources())"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    left_out = shutil.ignore_patterns("__pycache__")
    for package in SOURCES:
        shutil.copytree(package, folder / package.name, ignore=left_out)
    return folder


def build_in(folder: Path) -> str:
    env = os.environ | {"PYTHONPATH": str(folder)}
    result = subprocess.run(
        [sys.executable, "-c", PRINT], env=env, capture_output=True, text=True, check=True
    )
    file, build = result.stdout.split()
    assert file.startswith(str(folder))
    return build


def test_the_same_sources_in_another_folder_are_the_same_build(sources: Path) -> None:
    edit(sources / "application" / "bundle.toml", "top_k = 6", "top_k = 5")
    (sources / "application" / "prompts" / "answer.v2.md").write_text("draft")
    assert build_in(sources) == build_of_sources()


@pytest.mark.parametrize(
    "file", ["application/answer.py", "contracts/answer.py", "application/web/static/page.js"]
)
def test_any_change_of_code_is_another_build(tmp_path: Path, sources: Path, file: str) -> None:
    folder = tmp_path / "changed"
    shutil.copytree(sources, folder)
    with (folder / file).open("a") as code:
        code.write("\n")
    assert build_of_sources([folder / path.name for path in SOURCES]) != build_of_sources()
