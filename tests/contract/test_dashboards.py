"""The Grafana dashboards are what Grafana reads, and ask for metrics that are really exported."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "infra" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
BOARDS: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text()) for file in DASHBOARDS}
EXPRESSIONS = [
    (board, panel["title"], target["expr"])
    for board, told in BOARDS.items()
    for panel in told["panels"]
    for target in panel["targets"]
]
SOURCES = (
    "application/src/application/metrics.py",
    "evals/src/evals/web/metrics.py",
    "serving/src/serving/metrics.py",
)
NAME = r"(?:vllm:|application_|faultline_|serving_)\w+"
SUFFIX = r"_(total|bucket|sum|count)$"


def exported() -> set[str]:
    """Names of the metrics in our sources and in those of the installed vLLM."""
    installed = ROOT.glob(".venvs/llm/lib/*/site-packages/vllm/v1/metrics/*.py")
    sources = [*(ROOT / name for name in SOURCES), *installed]
    return {name for file in sources for name in re.findall(f'"({NAME})"', file.read_text())}


def missing(given: Any, read: Any, path: str = "") -> Iterator[str]:
    """What of a file's JSON is not in what Grafana's own types have read from it."""
    if isinstance(given, dict):
        for key, value in given.items():
            yield from missing(value, read.get(key) if isinstance(read, dict) else None, path + key)
    elif isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        for number, (one, other) in enumerate(zip(given, read, strict=True)):
            yield from missing(one, other, f"{path}[{number}].")
    elif given != read:
        yield path


def read_by_grafana(board: dict[str, Any]) -> Any:
    return json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))


@pytest.fixture(autouse=True, scope="module")
def _plugins() -> None:
    plugins.register_default_plugins()


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_own_types_know_every_field_of_a_dashboard(name: str) -> None:
    assert [*missing(BOARDS[name], read_by_grafana(BOARDS[name]))] == []


def test_a_mistyped_field_is_found() -> None:
    board = {**BOARDS["data"], "refesh": "30s"}
    assert [*missing(board, read_by_grafana(board))] == ["refesh"]


@pytest.mark.parametrize(("board", "panel", "expression"), EXPRESSIONS)
def test_a_panel_asks_for_metrics_that_are_exported(
    board: str, panel: str, expression: str
) -> None:
    known = exported()
    names = {re.sub(SUFFIX, "", name) for name in re.findall(rf"\b{NAME}", expression)}
    assert names
    if any(name.startswith("vllm:") for name in names - known) and not any(
        name.startswith("vllm:") for name in known
    ):
        pytest.skip("the llm environment is not installed: run `make install`")
    assert names <= known


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package prometheus has promtool")
def test_prometheus_reads_every_expression(tmp_path: Path) -> None:
    rules = [{"record": f"r{n}", "expr": expr} for n, (*_, expr) in enumerate(EXPRESSIONS)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", file],  # wherever it is installed
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_a_dashboard_for_each_layer_with_names_and_places_of_its_own() -> None:
    assert [*BOARDS] == ["application", "data", "serving"]
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    for board in BOARDS.values():
        ids = [panel["id"] for panel in board["panels"]]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len({*ids}) == len({*places}) == len(ids)


def test_compose_mounts_what_the_provisioning_names() -> None:
    grafana = yaml.safe_load((ROOT / "infra/compose/grafana.yml").read_text())["services"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["grafana"]["volumes"])
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/faultline.yml").read_text())[
        "providers"
    ]
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert mounts["./infra/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./infra/grafana/provisioning"] == "/etc/grafana/provisioning"
    asked = {
        where["datasource"]["uid"]
        for board in BOARDS.values()
        for panel in board["panels"]
        for where in (panel, *panel["targets"])
    }
    assert asked == {source["uid"]}
