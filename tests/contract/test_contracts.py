"""The contracts' JSON schemas match their snapshots, and last version's recorded examples parse.

A changed contract fails here until its snapshot is renewed on purpose:
    .venvs/dev/bin/python tests/contract/test_contracts.py
"""

import importlib
import inspect
import json
from pathlib import Path

import jsonschema
import pytest

from contracts import Contract

HERE = Path(__file__).parent
MODULES = ("index", "endpoints", "answer", "status")


def models() -> dict[str, type[Contract]]:
    return {
        name: value
        for module in MODULES
        for name, value in vars(importlib.import_module(f"contracts.{module}")).items()
        if inspect.isclass(value) and issubclass(value, Contract) and value is not Contract
    }


def schema_of(name: str) -> str:
    return json.dumps(models()[name].model_json_schema(), indent=1, sort_keys=True) + "\n"


@pytest.mark.parametrize("name", sorted(models()))
def test_a_contract_changes_only_together_with_its_snapshot(name: str) -> None:
    snapshot = HERE / "schemas" / f"{name}.json"
    assert snapshot.exists(), f"no snapshot of {name}: run this file as a script"
    assert snapshot.read_text() == schema_of(name)


def test_no_snapshot_is_left_of_a_contract_that_is_gone() -> None:
    assert {path.stem for path in (HERE / "schemas").glob("*.json")} == set(models())


@pytest.mark.parametrize("path", sorted((HERE / "examples").glob("*.json")), ids=lambda p: p.stem)
def test_a_recorded_example_still_parses_and_round_trips(path: Path) -> None:
    model = models()[path.stem.split(".")[0]]
    recorded = json.loads(path.read_text())
    jsonschema.validate(recorded, model.model_json_schema())
    parsed = model.model_validate(recorded)
    assert json.loads(parsed.model_dump_json(exclude_unset=True)) == recorded


def test_every_message_that_crosses_a_boundary_has_a_recorded_example() -> None:
    recorded = {path.stem.split(".")[0] for path in (HERE / "examples").glob("*.json")}
    assert recorded >= {
        "ChunkPayload",
        "DocumentManifest",
        "CollectionSpec",
        "EmbedderManifest",
        "LlmManifest",
        "SparseResponse",
        "Answer",
        "AnswerEvent",
        "SearchResponse",
        "DocumentView",
        "Problem",
        "RunReport",
        "SourceStatus",
        "BundleStatus",
        "GateResult",
        "Readiness",
    }


def test_an_unknown_field_is_refused_rather_than_dropped() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        models()["AskRequest"].model_validate({"question": "Where?", "temprature": 0.2})


if __name__ == "__main__":
    for name in models():
        (HERE / "schemas" / f"{name}.json").write_text(schema_of(name))
