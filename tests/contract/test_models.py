"""What the demo reads of the catalogue before anything is installed is what serving says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READ = """
import dataclasses, json, sys
from demo.model_choice import described
print(json.dumps([dataclasses.asdict(described(value)) for value in sys.argv[1:]]))
"""


def test_demo_and_serving_say_the_same_of_every_value_of_model(tmp_path: Path) -> None:
    serving = ROOT / ".venvs" / "embed" / "bin" / "serving"
    if not serving.exists():
        pytest.skip("serving's environment is not installed: run `make install`")
    folder = tmp_path / "a model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with (folder / "model.safetensors").open("wb") as weights:
        weights.truncate(1_234_000_000)
    env = os.environ | {"SERVING_MODELS_DIR": str(tmp_path)}
    listed = subprocess.run(
        [serving, "models", "--json"], env=env, capture_output=True, text=True, check=True
    )
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    values = [*rows, "Qwen/Qwen2.5-Coder-1.5B-Instruct", "Own/Model@v1", str(folder)]
    for value in values[len(rows) :]:
        asked = subprocess.run(
            [serving, "models", value, "--json"],
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        rows[value] = json.loads(asked.stdout)
    read = subprocess.run(
        [sys.executable, "-c", READ, *values],
        env=os.environ | {"PYTHONPATH": str(ROOT / "infra" / "demo" / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    for value, seen in zip(values, json.loads(read.stdout), strict=True):
        for field in ("name", "memory_mb", "disk_mb"):
            assert seen[field] == rows[value][field], f"{value}: {field}"
        profile = seen["answer_profile"] or rows[value]["answer_profile"]
        assert profile == rows[value]["answer_profile"]
