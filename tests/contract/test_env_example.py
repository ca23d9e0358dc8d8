"""`.env.example` lists exactly the settings that exist, so neither can drift from the other."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {  # package -> environment that can import its settings
    "vectorstore": "vectorstore",
    "ingestion": "ingestion",
    "serving": "embed",
    "application": "application",
    "evals": "evals",
    "demo": "demo",
}
NOT_SETTINGS = {  # read by make, docker compose, and what runs before anything is installed
    "DETACH",
    "SEED",
    "SEED_MODELS",
    "TORCH_BACKEND",
    "WEAKEST_LAYER",
    "PREFECT_PORT",
    "EVIDENTLY_PORT",
    "SOURCE",
    "LLM_FLAGS",
    "LLM_MEMORY",
    "APPLICATION_PORT",
    "PYTHON_IMAGE",
    "OFFLINE",
    "UI",
    "ALERTS",
    "SCALE",
    "GPU",
}
PRINT_NAMES = """
from {package}.settings import Settings
prefix = Settings.model_config.get("env_prefix", "")
print("\\n".join((prefix + name).upper() for name in Settings.model_fields))
"""


def names_in_code(package: str) -> set[str]:
    python = ROOT / ".venvs" / SETTINGS[package] / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{package}'s environment is not installed: run `make install`")
    code = PRINT_NAMES.format(package=package)
    result = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def names_in_example() -> set[str]:
    text = (ROOT / ".env.example").read_text()
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))


@pytest.mark.parametrize("package", SETTINGS)
def test_every_setting_of_a_package_is_in_the_example(package: str) -> None:
    assert names_in_code(package) <= names_in_example()


def test_every_name_in_the_example_is_a_setting() -> None:
    in_code = set().union(*(names_in_code(package) for package in SETTINGS))
    assert names_in_example() - NOT_SETTINGS <= in_code
