"""Every combination of overrides is valid for Compose; it needs its command, and no engine."""

import os
import subprocess
from itertools import combinations

import pytest
from tests.compose.conftest import ROOT

OVERRIDES = ("offline", "ui", "alerts", "gpu", "scale", "own-llm", "own-embed", "own-qdrant")
COMBINATIONS = [
    chosen for size in range(len(OVERRIDES) + 1) for chosen in combinations(OVERRIDES, size)
]

pytestmark = pytest.mark.compose


@pytest.mark.parametrize("chosen", COMBINATIONS, ids=lambda chosen: "+".join(chosen) or "none")
def test_a_combination_of_overrides_is_valid(chosen):
    both = ["alerts-offline"] if {"alerts", "offline"} <= {*chosen} else []
    both += ["grafana"] if {"alerts", "ui"} <= {*chosen} else []
    files = ["docker-compose.yml", *(f"infra/compose/{name}.yml" for name in [*chosen, *both])]
    flags = [flag for file in files for flag in ("-f", file)]
    done = subprocess.run(
        ["docker", "compose", *flags, "config", "--quiet"],
        cwd=ROOT,
        env=os.environ | {"LLM_URL": "http://example.org"} if "own-llm" in chosen else None,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


@pytest.mark.parametrize("beside", [(), ("offline",), ("gpu",)], ids=str)
def test_a_folder_as_the_model_is_valid(beside, tmp_path):
    files = ["docker-compose.yml", *(f"infra/compose/{name}.yml" for name in beside)]
    flags = [flag for file in [*files, "infra/compose/own-model.yml"] for flag in ("-f", file)]
    done = subprocess.run(
        ["docker", "compose", *flags, "config"],
        cwd=ROOT,
        env=os.environ | {"MODEL": str(tmp_path), "LLM_MODEL": "mine"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "SERVING_LLM_MODEL: /own/mine" in done.stdout
    assert f"source: {tmp_path}" in done.stdout
