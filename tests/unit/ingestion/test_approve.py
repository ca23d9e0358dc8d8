"""How a held run is seen, approved, and let through, from the command line and in Prefect."""

import json
import os
from typing import Any

import pytest

from contracts.status import RunReport, SourceStatus
from ingestion.errors import Unavailable

PAGE = "# Room {n}\n\nThe room {n} is on floor {n}, next to the stairs of the house.\n"


@pytest.fixture
def held(world: Any, ingestion: Any) -> str:
    """A run that lost half of a source; its id."""
    for n in range(20):
        world.write(f"{n}.md", PAGE.format(n=n))
    ingestion("sync", world.folder, "--name", "kb")
    for n in range(10):
        (world.folder / f"{n}.md").unlink()
    result = ingestion("sync", world.folder, "--name", "kb", "--json")
    assert result.exit_code == 4
    report = RunReport.model_validate_json(result.stdout)
    assert report.status == "held"
    return report.run_id


def status(ingestion: Any) -> SourceStatus:
    [one] = json.loads(ingestion("status", "--json").stdout)
    return SourceStatus.model_validate(one)


def test_a_held_source_says_why_and_what_to_type(world: Any, ingestion: Any, held: str) -> None:
    for shown in (
        ingestion("status").stdout,
        ingestion("sync", world.folder, "--name", "kb").stdout,
    ):
        assert "10 of 20 documents of kb are gone" in shown
        assert f"`ingestion approve {held}`" in shown
        assert "mend the source" in shown
    seen = status(ingestion)
    assert seen.hold
    assert (seen.hold.run_id, seen.documents) == (held, 20)
    assert seen.last_good_run != held


def test_an_approval_lets_the_run_through_and_is_recorded(ingestion: Any, held: str) -> None:
    result = ingestion("approve", held, "--by", "Ada", "--json")

    assert result.exit_code == 0
    report = RunReport.model_validate_json(result.stdout)
    assert (report.status, report.count("deleted")) == ("complete", 10)
    assert report.hold
    assert (report.hold.run_id, report.hold.approved_by) == (held, "Ada")
    assert report.hold.approved_at
    assert status(ingestion).hold is None
    again = ingestion("approve", held)
    assert again.exit_code == 2
    assert f"No run {held} is held" in again.stderr


def test_a_user_without_a_name_approves_by_number(
    ingestion: Any, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)

    result = ingestion("approve", held)

    assert result.exit_code == 0
    assert "approved by user 4000000 at" in result.stdout


def test_an_approval_is_void_once_the_source_has_changed(
    world: Any, ingestion: Any, held: str
) -> None:
    (world.folder / "10.md").unlink()

    result = ingestion("approve", held)

    assert result.exit_code == 4
    said = " ".join(result.stdout.split())
    assert "11 of 20 documents of kb are gone" in said
    assert f"the source has changed since run {held} was approved" in said
    assert f"`ingestion approve {held}`" not in said
    assert status(ingestion).documents == 20


def test_an_approved_run_that_fails_half_way_is_finished_by_the_next(
    world: Any, ingestion: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGESTION_BATCH_BYTES", "1")  # a batch for each document
    monkeypatch.setattr("ingestion.sync.retry.BATCH_ATTEMPTS", 1)
    for n in range(20):
        world.write(f"{n}.md", PAGE.format(n=n))
    ingestion("sync", world.folder, "--name", "kb")
    for n in range(15):
        world.write(f"{n}.md", f"# Room {n}")
    held = RunReport.model_validate_json(
        ingestion("sync", world.folder, "--name", "kb", "--json").stdout
    )
    with monkeypatch.context() as broken:
        broken.setattr(world.embedder, "embed", failing_after(4, world.embedder.embed))
        assert ingestion("approve", held.run_id).exit_code == 1

    result = ingestion("sync", world.folder, "--name", "kb", "--json")

    report = RunReport.model_validate_json(result.stdout)
    assert report.status == "complete"
    assert 4 < report.count("modified") < 15  # enough to be held, were it not approved


def failing_after(calls: int, embed: Any) -> Any:
    done: list[Any] = []

    def fail(*texts: Any) -> Any:
        if len(done) >= calls:
            raise Unavailable("the embedder is away")
        done.append(texts)
        return embed(*texts)

    return fail


def test_in_prefect_a_held_run_is_completed_as_held_so_nothing_tries_it_again(
    world: Any, ingestion: Any, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.flow import sync_flow
    from ingestion.settings import Settings
    from ingestion.sync.request import request_for

    monkeypatch.setattr("ingestion.flow._publish", lambda *report: None)  # it needs a server
    state = sync_flow.fn(request_for(world.folder, Settings(), source="kb"))

    assert (state.name, state.is_completed()) == ("Held", True)
    assert "10 of 20 documents of kb are gone" in str(state.message)
