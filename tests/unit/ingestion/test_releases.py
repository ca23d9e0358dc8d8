"""Two releases of ingestion at once: what a newer one stored is read, or refused in a sentence."""

from pathlib import Path
from typing import Any

import pytest

from contracts.index import manifest_alias

NEW = {"a_field_of_the_next_release": ["anything"]}
PAGE = "# Keys\n\nThe key is kept in the cupboard.\n"


@pytest.fixture
def newer(world: Any) -> Any:
    """An index that the next release has written: every payload has one more field."""
    world.write("keys.md", PAGE)
    world.write("badges.md", "# Badges\n\nBadges are printed on Mondays.\n")
    world.sync()
    for collection in ("faultline", manifest_alias("faultline")):
        world.store.set_payload(collection, NEW, points=world.ids(collection))
    return world


def test_a_sync_goes_on_where_a_newer_release_has_written(newer: Any) -> None:
    assert newer.sync().outcomes == {"keys.md": "unchanged", "badges.md": "unchanged"}
    newer.write("keys.md", PAGE.replace("cupboard", "drawer"))

    report = newer.sync()

    assert report.status == "complete"
    assert report.outcomes == {"keys.md": "modified", "badges.md": "unchanged"}


def test_every_command_reads_what_a_newer_release_has_written(
    newer: Any, ingestion: Any, tmp_path: Path
) -> None:
    reports = tmp_path / "state" / "runs"
    for file in reports.rglob("*.json"):
        file.write_text(file.read_text().replace("{", '{"a_field_of_the_next_release": 1, ', 1))

    for command in ("status", "pin good", "pins", "sample"):
        result = ingestion(*command.split())
        assert result.exit_code == 0, (command, result.output)
    assert ingestion("why", "docs/keys.md#0").exit_code in (0, 2)


def test_what_this_release_cannot_read_fails_in_a_sentence_and_is_no_wrong_usage(
    world: Any, ingestion: Any
) -> None:
    world.write("keys.md", PAGE)
    world.sync()
    manifests = manifest_alias("faultline")
    world.store.set_payload(manifests, {"contract": "index/2"}, points=world.ids(manifests))

    result = ingestion("sync", world.folder, "--name", "docs", "--plain")

    assert result.exit_code == 1
    assert "A newer release has probably written it: update this one." in result.output


def test_a_damaged_file_of_the_state_is_named_and_is_no_wrong_usage(
    world: Any, ingestion: Any
) -> None:
    world.write("keys.md", PAGE)
    world.sync()
    [report] = (world.state_dir / "runs").rglob("*.json")
    report.write_text('{"run_id": ')

    result = ingestion("status")

    assert result.exit_code == 1
    assert f"{report} is damaged" in result.output
