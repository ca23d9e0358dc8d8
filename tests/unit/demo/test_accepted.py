"""Pinning copies the application whole, and never leaves half of it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from demo import accepted
from demo.accepted import app_ref_state, is_accepted, launched, pin, sources, unpin
from demo.settings import Settings, override


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The live application's package; pinning reads it instead of the repository's."""
    root = tmp_path / "repository"
    for package in ("application", "contracts"):
        (root / package / "src" / package / "__pycache__").mkdir(parents=True)
        (root / package / "src" / package / "__pycache__" / "a.pyc").touch()
        (root / package / "src" / package / "__init__.py").write_text("first = True")
    application = root / "application" / "src" / "application"
    (application / "prompts").mkdir()
    (application / "prompts" / "answer.v1.md").write_text("Answer.")
    (application / "bundle.toml").write_text("[prompts]")
    monkeypatch.setattr(accepted, "ROOT", root)
    return application


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state")


def test_code_and_bundle_are_copied_and_nothing_else(live: Path, settings: Settings) -> None:
    pin(settings)
    found = {p.relative_to(sources(settings)).as_posix() for p in sources(settings).rglob("*.*")}
    assert found == {
        "application/__init__.py",
        "application/bundle.toml",
        "application/prompts/answer.v1.md",
        "contracts/__init__.py",
        "overrides.json",  # of every process
    }


def test_the_pinned_copy_stays_when_the_live_one_changes(live: Path, settings: Settings) -> None:
    pin(settings)
    (live / "bundle.toml").write_text("[other]")
    assert (sources(settings) / "application" / "bundle.toml").read_text() == "[prompts]"


def test_a_second_pin_takes_the_firsts_place_which_stays_for_one_way_back(
    live: Path, settings: Settings
) -> None:
    for text in ("[oldest]", "[before]", "[now]"):
        (live / "bundle.toml").write_text(text)
        pin(settings)
    bundle = sources(settings) / "application" / "bundle.toml"
    assert bundle.read_text() == "[now]"
    assert len(list(sources(settings).parent.glob("src-*"))) == 2
    assert unpin(settings)
    assert bundle.read_text() == "[before]"
    assert not unpin(settings)
    assert bundle.read_text() == "[before]"


def test_the_first_pin_goes_back_to_nothing(live: Path, settings: Settings) -> None:
    pin(settings.model_copy(update={"model": "mine"}))
    assert unpin(settings)
    assert not sources(settings).parent.exists()
    assert not unpin(settings)
    pin(settings)
    assert (sources(settings) / "contracts" / "__init__.py").exists()


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        ([], False),  # a ledger that is being made
        (["CREATE TABLE accepts (id)"], False),
        (["CREATE TABLE accepts (id)", "INSERT INTO accepts VALUES (1)"], True),
    ],
)
def test_what_was_accepted_is_looked_up_in_the_ledger(
    settings: Settings, statements: list[str], found: bool
) -> None:
    assert not is_accepted(settings)
    settings.state_dir.mkdir()
    with closing(sqlite3.connect(settings.state_dir / "ledger.sqlite")) as ledger:
        for statement in statements:
            ledger.execute(statement)
        ledger.commit()
    assert is_accepted(settings) == found


def test_what_was_accepted_for_other_processes_goes_back_too(
    live: Path, settings: Settings
) -> None:
    settings.state_dir.mkdir()
    for flags in ("--seed 1", "--seed 2"):
        override(settings, "llm", {"SERVING_LLM_FLAGS": flags}, [])
        pin(settings)
    unpin(settings)
    assert launched(settings, "llm") == {"SERVING_LLM_FLAGS": "--seed 1"}


def test_an_application_that_runs_its_accepted_sources_keeps_them(
    live: Path, settings: Settings
) -> None:
    pin(settings)
    (live / "bundle.toml").write_text("[broken]")
    override(settings, "application", launched(settings, "application"), [])
    pin(settings)
    assert (sources(settings) / "application" / "bundle.toml").read_text() == "[prompts]"


def test_a_process_goes_back_to_the_variables_it_was_accepted_with(
    live: Path, settings: Settings
) -> None:
    settings.state_dir.mkdir()
    override(settings, "llm", {"SERVING_LLM_FLAGS": "--seed 1"}, [])
    pin(settings)
    override(settings, "llm", {"SERVING_LLM_FLAGS": "--seed 2", "SERVING_LLM_MODEL": "other"}, [])
    assert launched(settings, "llm") == {"SERVING_LLM_FLAGS": "--seed 1"}
    assert launched(settings, "embedder") == {}


def test_the_model_that_was_served_is_kept_beside_the_copies(
    live: Path, settings: Settings
) -> None:
    pin(settings.model_copy(update={"model": "mine"}))
    pin(settings.model_copy(update={"model": "theirs", "llm_url": "http://model.example"}))
    assert (sources(settings).parent / "model").read_text() == "mine"


def test_a_pin_that_fails_leaves_the_accepted_copy_as_it_was(
    live: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(settings)
    monkeypatch.setattr(accepted, "PACKAGES", ("application", "missing"))
    with pytest.raises(OSError, match="missing"):
        pin(settings)
    assert (sources(settings) / "contracts" / "__init__.py").read_text() == "first = True"


def test_app_ref_has_the_live_applications_secrets(live: Path, settings: Settings) -> None:
    (settings.state_dir / "secrets").mkdir(parents=True)
    (settings.state_dir / "secrets" / "marker.key").write_text("k")
    pin(settings)
    assert (app_ref_state(settings) / "secrets" / "marker.key").read_text() == "k"
