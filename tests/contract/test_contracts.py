"""The contracts' JSON schemas match their snapshots, and last version's recorded examples parse.

A changed contract fails here until its snapshot is renewed on purpose:
    .venvs/dev/bin/python tests/contract/test_contracts.py
"""

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts import Contract, Record

HERE = Path(__file__).parent
MODULES = ("index", "endpoints", "answer", "status")
EXAMPLES = pytest.mark.parametrize(
    "path", sorted((HERE / "examples").glob("*.json")), ids=lambda path: path.stem
)


def models() -> dict[str, type[Contract]]:
    return {
        name: value
        for module in MODULES
        for name, value in vars(importlib.import_module(f"contracts.{module}")).items()
        if inspect.isclass(value)
        and issubclass(value, Contract)
        and value not in (Contract, Record)
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


@EXAMPLES
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


REQUESTS = {"AskRequest", "FeedbackRequest", "Place", "SparseRequest", "Turn"}


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_an_unknown_field_of_a_request_is_refused_rather_than_dropped(name: str) -> None:
    request = {"question": "Where?", "input": ["a"], "kind": "query"}
    request |= {"role": "user", "content": "Why?", "request_id": "r", "vote": "up"}
    request |= {"document_id": "d", "start": 0, "end": 1}
    known = {field: request[field] for field in models()[name].model_fields if field in request}
    models()[name].model_validate(known)
    with pytest.raises(ValueError, match="Extra inputs"):
        models()[name].model_validate({**known, "temprature": 0.2})


def test_every_contract_is_a_request_or_tolerates_the_fields_of_the_next_release() -> None:
    strict = {name for name, model in models().items() if not issubclass(model, Record)}
    assert strict == REQUESTS


def as_the_next_release_writes(value: Any) -> Any:
    """The same value with one more field in every object of a contract, at any depth."""
    if isinstance(value, Contract):
        fields = {name: as_the_next_release_writes(each) for name, each in value}
        return fields | {"a_field_of_the_next_release": ["anything"]}
    if isinstance(value, dict):
        return {key: as_the_next_release_writes(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_the_next_release_writes(each) for each in value]
    return value


@EXAMPLES
def test_this_release_reads_what_the_next_one_writes(path: Path) -> None:
    model = models()[path.stem.split(".")[0]]
    recorded = model.model_validate_json(path.read_bytes())
    newer = json.dumps(as_the_next_release_writes(recorded), default=str)

    assert "a_field_of_the_next_release" in newer
    assert model.model_validate_json(newer) == recorded
    assert model.model_validate(json.loads(newer)) == recorded


@EXAMPLES
def test_a_reader_of_the_last_release_finds_all_that_it_knew(path: Path) -> None:
    recorded = json.loads(path.read_bytes())  # every field that the last release wrote
    model = models()[path.stem.split(".")[0]]
    written = json.loads(model.model_validate(recorded).model_dump_json())
    assert as_the_last_release_reads(written, recorded) == recorded


def as_the_last_release_reads(written: Any, known: Any) -> Any:
    """`written` without the fields that `known` lacks, at any depth."""
    if isinstance(written, dict) and isinstance(known, dict):
        return {key: as_the_last_release_reads(written[key], known[key]) for key in known}
    if isinstance(written, list) and isinstance(known, list):
        pairs = zip(written, known, strict=True)
        return [as_the_last_release_reads(each, before) for each, before in pairs]
    return written


if __name__ == "__main__":
    for name in models():
        (HERE / "schemas" / f"{name}.json").write_text(schema_of(name))
