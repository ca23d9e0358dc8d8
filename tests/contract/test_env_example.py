"""`.env.example` lists exactly the settings that exist, and every line of it works as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

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
    "APP_REF_PORT",
    "PREFECT_PORT",
    "EVIDENTLY_PORT",
    "WATCHER_PORT",
    "PROMETHEUS_PORT",
    "GRAFANA_PORT",
    "SOURCE",
    "LLM_FLAGS",
    "LLM_MEMORY",
    "CPUS",
    "LLM_CPUS",
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
for name, field in Settings.model_fields.items():
    print(str(field.validation_alias or prefix + name).upper())
"""
# Reads a JSON list of environments; prints what the settings are with each, paths made absolute.
PRINT_SETTINGS = """
import json, os, sys
from pathlib import Path
from pydantic import SecretStr
from {package}.settings import Settings

def plain(value):
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.absolute()) if isinstance(value, Path) else repr(value)

clean = dict(os.environ)
for variables in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(clean | variables)
    settings = Settings()
    values = {{name: plain(getattr(settings, name)) for name in Settings.model_fields}}
    print(json.dumps(values))
"""
TEXT = (ROOT / ".env.example").read_text()
LINE = re.compile(r"^# ([A-Z][A-Z0-9_]+)=.*$", re.MULTILINE)
LINES = [match[0].removeprefix("# ") for match in LINE.finditer(TEXT)]
EMPTY = {"", "None"}

sys.path.insert(0, str(ROOT / "infra" / "demo" / "src"))
from demo import envfile  # noqa: E402  # it needs nothing installed


def python_of(package: str) -> Path:
    python = ROOT / ".venvs" / SETTINGS[package] / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{package}'s environment is not installed: run `make install`")
    return python


def names_in_code(package: str) -> set[str]:
    code = PRINT_NAMES.format(package=package)
    command = [python_of(package), "-c", code]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def names_in_example() -> set[str]:
    return {line.partition("=")[0] for line in LINES}


def settings_with(package: str, environments: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What the package's settings are with each of these environments, in the repository."""
    names = names_in_example()
    clean = {name: value for name, value in os.environ.items() if name not in names}
    command = [python_of(package), "-c", PRINT_SETTINGS.format(package=package)]
    text = json.dumps(environments)
    result = subprocess.run(
        command, input=text, env=clean, cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def read(text: str) -> dict[str, str]:
    """A file's variables, by the reader of `make` and `demo`; every line of it must be one."""
    found, wrong = envfile.read(text, {})
    assert not wrong
    return found


@pytest.mark.parametrize("package", SETTINGS)
def test_every_setting_of_a_package_is_in_the_example(package: str) -> None:
    assert names_in_code(package) <= names_in_example()


def test_every_name_in_the_example_is_a_setting_and_stands_there_once() -> None:
    in_code = set().union(*(names_in_code(package) for package in SETTINGS))
    assert names_in_example() - NOT_SETTINGS <= in_code
    assert len(LINES) == len(names_in_example())


def test_a_line_is_a_comment_or_one_setting_and_nothing_stands_behind_it() -> None:
    for line in TEXT.splitlines():
        assert not line or line.startswith("# "), line
        assert not re.search(r"=.*\s{2,}\S", line), line
        if "=" in line and re.match(r"#\s*[A-Z][A-Z0-9_]+\s*=", line):
            assert LINE.fullmatch(line), line


@pytest.mark.parametrize("package", SETTINGS)
def test_each_line_and_all_at_once_leave_every_setting_at_its_default(package: str) -> None:
    """A line shows the default, so that uncommenting it changes nothing."""
    files = ["", *LINES, "\n".join(LINES), TEXT, TEXT.replace("\n# ", "\n#")]
    files.append(re.sub(LINE, lambda match: match[0].removeprefix("# "), TEXT))  # as people do it
    default, *others = settings_with(package, [read(text) for text in files])
    assert len(others) == len(files) - 1
    for text, values in zip(files[1:], others, strict=True):
        for name, value in values.items():
            same = value == default[name] or {value, default[name]} <= EMPTY
            assert same, f"{text[:80]}: {name} became {value}, its default is {default[name]}"


@pytest.mark.parametrize("package", ["demo"])
@pytest.mark.parametrize("line", ['LLM_KEY="sk-abc$def#1"', "LLM_KEY='sk-abc$def#1'"])
def test_a_key_with_any_sign_reaches_the_settings_as_it_is(package: str, line: str) -> None:
    [values] = settings_with(package, [read(line)])
    assert values["llm_key"] == repr("sk-abc$def#1")
