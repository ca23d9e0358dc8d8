"""The Grafana dashboards ask for metrics that the code, and the installed vLLM, really export."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DASHBOARDS = sorted((ROOT / "infra/grafana/dashboards").glob("*.json"))
OURS = ("application/src/application/metrics.py", "evals/src/evals/web/metrics.py")
NAME = r"\b(?:vllm:|application_|faultline_)\w+"
SUFFIX = r"_(total|bucket)$"


def exported() -> set[str]:
    """Names of the metrics in our sources and in those of the installed vLLM."""
    installed = ROOT.glob(".venvs/llm/lib/*/site-packages/vllm/v1/metrics/*.py")
    sources = [*(ROOT / name for name in OURS), *installed]
    return {
        name
        for source in sources
        for name in re.findall(r'"((?:vllm:|application_|faultline_)\w+)"', source.read_text())
    }


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_each_panel_asks_for_metrics_that_are_exported(file: Path) -> None:
    known = exported()
    if not any(name.startswith("vllm:") for name in known):
        pytest.skip("the llm environment is not installed")
    for panel in json.loads(file.read_text())["panels"]:
        for target in panel["targets"]:
            names = {re.sub(SUFFIX, "", name) for name in re.findall(NAME, target["expr"])}
            assert names, panel["title"]
            assert names <= known, panel["title"]


def test_there_is_a_dashboard_for_each_layer_with_names_and_places_of_its_own() -> None:
    boards = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert [file.stem for file in DASHBOARDS] == ["application", "data", "serving"]
    assert len({board["uid"] for board in boards}) == len(boards)
    for board in boards:
        ids = [panel["id"] for panel in board["panels"]]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len({*ids}) == len({*places}) == len(ids)
