"""Prefixes come from the catalogue or from the model's own folder, and none is made up."""

import json
from pathlib import Path

import pytest

from serving.catalog import CatalogEntry
from serving.prefixes import Prefixes, prefixes_of


def entry(**fields: str) -> CatalogEntry:
    return CatalogEntry.model_validate(
        {"name": "m", "kind": "embedder", "licence": "MIT", "path": "/m"} | fields
    )


@pytest.mark.parametrize(
    ("declared", "query", "document"),
    [
        ({"prompts": {"query": "query: ", "document": "passage: "}}, "query: ", "passage: "),
        ({"prompts": {"query": "query: ", "passage": "passage: "}}, "query: ", "passage: "),
        ({"prompts": {"query": "Task: find\nQuery: ", "document": ""}}, "Task: find\nQuery: ", ""),
        ({"prompts": {"clustering": "cluster: "}}, "", ""),
        ({"prompts": None}, "", ""),
        ({"__version__": {}}, "", ""),
        (["no object"], "", ""),
    ],
)  # fmt: skip
def test_a_folders_own_prompts_are_its_prefixes(
    tmp_path: Path, declared: object, query: str, document: str
) -> None:
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(declared))
    assert prefixes_of(entry(), tmp_path) == Prefixes(query, document)


@pytest.mark.parametrize("content", [None, "{", "\xff"])
def test_a_folder_that_declares_nothing_readable_has_no_prefixes(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "config_sentence_transformers.json").write_text(content, "latin-1")
    assert prefixes_of(entry(), tmp_path) == Prefixes()


def test_the_catalogue_wins_over_the_folder_also_with_an_empty_prefix(tmp_path: Path) -> None:
    prompts = {"prompts": {"query": "q: ", "document": "d: "}}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    declared = entry(query_prefix="query: ", document_prefix="")
    assert prefixes_of(declared, tmp_path) == Prefixes("query: ", "")
