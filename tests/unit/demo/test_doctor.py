"""The doctor names what is wrong and how to mend it."""

import ast
import socket
from pathlib import Path

import pytest

from demo import doctor
from demo.doctor import Finding, advised_mode, findings, port_of, wanted_processes


@pytest.fixture(autouse=True)
def plain_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLM_URL", "QDRANT_URL", "DEMO", "WEAKEST_LAYER", "PORT_OFFSET", "MODEL"):
        monkeypatch.delenv(name, raising=False)


def finding(subject: str) -> Finding:
    return next(found for found in findings() if found.subject == subject)


def test_a_taken_port_is_named_with_the_variable_that_moves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("APPLICATION_PORT", str(port))
        found = finding(f"port {port}")
    assert not found.ok
    assert found.detail == "application"
    assert "APPLICATION_PORT=<another>" in found.mend


def test_a_free_port_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    monkeypatch.setenv("APPLICATION_PORT", str(port))
    assert finding(f"port {port}").ok


def test_an_offset_moves_every_port_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT_OFFSET", "1000")
    assert port_of("application") == 9080


def test_too_little_memory_advises_a_hosted_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "memory_available_gb", lambda: 1.0)
    found = finding("memory")
    assert not found.ok
    assert "LLM_URL" in found.mend
    assert advised_mode([found]).startswith("LLM_URL=")


def test_a_hosted_model_needs_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "memory_available_gb", lambda: 3.0)
    monkeypatch.setenv("LLM_URL", "http://model.example")
    assert finding("memory").ok


@pytest.mark.parametrize(
    ("free_gb", "model", "enough"),
    [
        (24.0, "Qwen2.5-Coder-1.5B-Instruct", True),
        (7.0, "SmolLM2-135M-Instruct", True),
        (5.0, "SmolLM2-135M-Instruct", False),
    ],
)
def test_the_model_that_the_demo_will_take_is_predicted_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_gb: float, model: str, enough: bool
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setattr(doctor, "memory_available_gb", lambda: free_gb)
    monkeypatch.setattr(doctor, "has_bf16", lambda: True)
    found = finding("model")
    assert found.detail.startswith(f"{model}, since {free_gb:.1f} GB of memory are free and")
    assert finding("memory").ok is enough


def test_a_model_that_a_person_names_must_fit_into_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "memory_available_gb", lambda: 8.0)
    monkeypatch.setattr(doctor, "has_bf16", lambda: True)
    monkeypatch.setenv("MODEL", "SmolLM2-135M-Instruct")
    assert finding("memory").ok
    monkeypatch.setenv("MODEL", "Qwen2.5-Coder-1.5B-Instruct")
    assert finding("model").detail == "Qwen2.5-Coder-1.5B-Instruct, since MODEL names it."
    assert finding("memory").detail == "8.0 GB free, 11.4 needed"


@pytest.mark.parametrize(
    ("model", "mend"),
    [
        (
            "nope",
            "SmolLM2-135M-Instruct, to a folder, or to a hub id (Org/Name).",
        ),
        ("all-MiniLM-L6-v2", "Set MODEL to one of"),
        ("./none", "is no model: set MODEL to the folder"),
    ],
)
def test_what_is_no_model_is_told_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, model: str, mend: str
) -> None:
    monkeypatch.setenv("MODEL", model)
    found = finding("model")
    assert not found.ok
    assert mend in found.mend


@pytest.mark.parametrize("model", ["Own/Model", "Own/Model@v1", "{}"])
def test_a_hub_id_or_a_models_folder_may_be_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str
) -> None:
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setenv("MODEL", model.format(tmp_path))
    assert finding("model").ok


def test_a_stack_that_was_accepted_keeps_its_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    monkeypatch.setattr(doctor, "memory_available_gb", lambda: 24.0)
    (tmp_path / "demo.json").write_text('{"model": "SmolLM2-135M-Instruct"}')  # tried once
    assert finding("model").detail.startswith("Qwen2.5")
    (tmp_path / "accepted").mkdir()
    (tmp_path / "accepted" / "model").write_text("SmolLM2-135M-Instruct")
    assert finding("model").detail.startswith("SmolLM2-135M-Instruct, with which")


def test_a_hosted_model_is_not_chosen_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_URL", "http://model.example")
    assert "model" not in {found.subject for found in findings(ports=False)}


def test_too_little_disk_says_how_much_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "is_current", lambda *_, **__: False)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1e9})())
    found = finding("disk")
    assert not found.ok
    assert "1.0 GB free" in found.detail


def test_a_platform_without_vllm_is_told_of_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "platform", "darwin")
    assert "LLM_URL" in finding("platform").mend
    monkeypatch.setenv("LLM_URL", "http://model.example")
    assert finding("platform").ok


def test_ports_of_parts_that_live_elsewhere_are_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLM_URL", "http://model.example")
    monkeypatch.setenv("QDRANT_URL", "http://store.example")
    monkeypatch.setenv("DEMO", "lite")
    assert wanted_processes() == ["embedder", "application", "app-ref"]


@pytest.mark.parametrize(
    ("choice", "off", "on"),
    [
        ("data", {"DEMO": "lite"}, {"DEMO": "full"}),
        ("serving", {"LLM_URL": ""}, {"LLM_URL": "http://model.example"}),
    ],
)
def test_the_weakest_layers_compensation_is_seen_on_and_off(
    monkeypatch: pytest.MonkeyPatch, choice: str, off: dict[str, str], on: dict[str, str]
) -> None:
    monkeypatch.setenv("WEAKEST_LAYER", choice)
    for variables, expected in ((off, False), (on, True)):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert finding("weakest layer").ok is expected


def test_a_weak_application_needs_its_prompts_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WEAKEST_LAYER", "application")
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    found = finding("weakest layer")
    assert not found.ok
    assert "make answers" in found.mend


def test_not_choosing_the_weakest_layer_is_a_warning_that_stops_nothing() -> None:
    found = finding("weakest layer")
    assert found.warning
    assert "worst choice is none" in found.mend


# What `make doctor` imports of ours before it can say that Python is too old.
BEFORE_THE_CHECK = ("envfile", "doctor", "install", "layout", "memory", "model_choice", "__init__")
TOO_NEW = {"removeprefix", "removesuffix", "missing_ok", "is_relative_to", "with_stem", "cache"}


def test_doctor_runs_on_a_python_that_is_too_old_to_tell_that_it_is() -> None:
    seen = {"doctor"}
    for name in BEFORE_THE_CHECK:
        text = (Path(doctor.__file__).parent / f"{name}.py").read_text()
        tree = ast.parse(text, feature_version=(3, 7))  # no match, no walrus
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
        assert not names & TOO_NEW, name
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body):
            assert "from __future__ import annotations" in text, f"{name}: X | Y fails there"
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("demo"):
                module = (node.module or "").partition(".")[2]
                seen |= {module} if module else {each.name for each in node.names}
    assert seen <= set(BEFORE_THE_CHECK)


@pytest.mark.parametrize(("platform", "stops"), [("darwin", False), ("win32", True)])
def test_a_system_that_was_not_tested_is_named_as_such(
    monkeypatch: pytest.MonkeyPatch, platform: str, stops: bool
) -> None:
    monkeypatch.setattr(doctor.sys, "platform", platform)
    monkeypatch.setenv("LLM_URL", "http://model.example")
    [found] = [each for each in doctor.findings(ports=False) if each.subject == "other system"]
    assert not found.ok
    assert found.warning is not stops
    assert "Not tested here" in found.mend
