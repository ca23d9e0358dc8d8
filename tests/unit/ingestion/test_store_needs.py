"""What ingestion asks of the store: a version that knows conditions, indexes, and no more."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from qdrant_client import models

from contracts.index import CHUNK_FILTERS

PAGE = "# {0}\n\nThe {0} is kept in the cupboard next to the door.\n"


@pytest.mark.parametrize(("version", "is_new"), [("1.15.4", 0), ("v1.9.0", 0), ("1.16.0", 1)])
def test_a_store_that_ignores_conditions_is_refused_before_anything_is_written(
    world: Any, monkeypatch: pytest.MonkeyPatch, version: str, is_new: int
) -> None:
    world.write("a.md", PAGE.format("a"))
    monkeypatch.setattr(world.store, "info", lambda: SimpleNamespace(version=version))

    report = world.sync()

    assert report.status == ("complete" if is_new else "failed")
    if not is_new:
        assert f"is Qdrant {version}" in str(report.error)
        assert "update it to 1.16 or later" in str(report.error)
        assert not world.store.get_aliases().aliases


def test_status_reads_no_manifest(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        world.write(f"{name}.md", PAGE.format(name))
    world.sync()
    scroll = world.store.scroll

    def small(name: str, *args: Any, **kwargs: Any) -> Any:
        assert name == "ingestion-sources"
        return scroll(name, *args, **kwargs)

    monkeypatch.setattr(world.store, "scroll", small)

    result = ingestion("status")

    assert result.exit_code == 0, result.output
    assert "docs in faultline: 3 documents, 3 chunks" in result.stdout


def test_every_field_that_readers_filter_by_is_indexed_in_an_index_and_in_its_pin(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed: dict[str, dict[str, str]] = defaultdict(dict)

    def note(name: str, field: str, kind: models.PayloadSchemaType, **_: Any) -> None:
        indexed[name][field] = kind.value

    monkeypatch.setattr(world.store, "create_payload_index", note)
    world.write("a.md", PAGE.format("a"))
    world.sync()
    assert ingestion("pin", "good").exit_code == 0
    chunks = [fields for name, fields in indexed.items() if "document_id" in fields]
    assert len(chunks) == 2
    assert all(fields.items() >= CHUNK_FILTERS.items() for fields in chunks)
    assert world.chunks("faultline-pin-good") == world.chunks()
