"""A hosted model that the catalogue describes gets its prefixes, and is known by them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.openai_server import Running, running

from serving.embedder import open_embedder
from serving.settings import Settings

ENTRY = """
name: multilingual
kind: embedder
licence: MIT
path: {folder}
aliases: [Owner/Multilingual]
languages: [de, en]
query_prefix: "query: "
document_prefix: "passage: "
"""


@pytest.fixture
def server() -> Iterator[Running]:
    with running() as server:
        yield server


def settings(server: Running, tokenizer_json: Path, tmp_path: Path, model: str) -> Settings:
    """Its own folder lends the tokenizer; the catalogue has one entry."""
    folder, catalog = tmp_path / "lent", tmp_path / "catalog"
    folder.mkdir()
    catalog.mkdir()
    (folder / "config.json").write_text('{"max_position_embeddings": 512}')
    shutil.copy(tokenizer_json, folder / "tokenizer.json")
    (catalog / "one.yaml").write_text(ENTRY.format(folder=folder))
    return Settings.model_validate(
        {
            "embed_upstream_url": server.url,
            "embed_upstream_model": model,
            "embed_model": str(folder),
            "catalog": catalog,
        }
    )


@pytest.mark.parametrize("model", ["multilingual", "owner/multilingual"])
async def test_a_hosted_model_of_the_catalogue_gets_its_prefixes(
    server: Running, tokenizer_json: Path, tmp_path: Path, model: str
) -> None:
    async with open_embedder(settings(server, tokenizer_json, tmp_path, model)) as embedder:
        await embedder.embed(["word"], kind="query")
        await embedder.embed(["word"])
    asked = [request["body"]["input"] for request in server.script.requests]
    assert asked[-2:] == [["query: word"], ["passage: word"]]
    fingerprint = embedder.manifest.fingerprint
    assert (fingerprint.query_prefix, fingerprint.document_prefix) == ("query: ", "passage: ")
    assert fingerprint.max_tokens == 510  # less the two words of a prefix
    assert embedder.manifest.languages == ["de", "en"]
    assert embedder.is_called("Owner/multilingual")


async def test_a_hosted_model_that_the_catalogue_does_not_describe_gets_none(
    server: Running, tokenizer_json: Path, tmp_path: Path
) -> None:
    async with open_embedder(settings(server, tokenizer_json, tmp_path, "other")) as embedder:
        await embedder.embed(["word"], kind="query")
    assert server.script.requests[-1]["body"]["input"] == ["word"]
    assert embedder.manifest.languages == []
    assert not embedder.is_called("multilingual")
