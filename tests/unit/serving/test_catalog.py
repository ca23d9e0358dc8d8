"""The catalogue: what is shipped is valid, and every mistake names its file and its mend."""

from pathlib import Path

import pytest

from serving.catalog import CatalogEntry, find_model, load_catalog
from serving.errors import ModelError
from serving.settings import Settings

PACKAGE = {"package": "a==1", "sha256": "0" * 64, "files": "a/model"}


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.yaml").write_text(text)


def test_the_shipped_catalogue_has_both_default_models() -> None:
    settings = Settings()
    entries = load_catalog(settings.catalog)
    assert entries[settings.llm_model].kind == "llm"
    assert entries[settings.embed_model].kind == "embedder"
    assert {entry.licence for entry in entries.values()} <= {"Apache-2.0", "MIT"}


def test_the_shipped_embedders_say_which_languages_they_know_and_which_prefixes_they_want() -> None:
    entries = load_catalog(Settings().catalog)
    assert entries["all-MiniLM-L6-v2"].languages == ("en",)
    multilingual = entries["multilingual-e5-small"]
    assert {"de", "no", "ru"} <= {*multilingual.languages}
    assert (multilingual.query_prefix, multilingual.document_prefix) == ("query: ", "passage: ")


@pytest.mark.parametrize(
    "origin",
    [{}, PACKAGE | {"path": "/m"}, {"package": "a==1"}, {"package": "a>=1"}],
)
def test_an_entry_without_exactly_one_whole_origin_is_refused(origin: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="package"):
        CatalogEntry.model_validate({"name": "a", "kind": "embedder", "licence": "MIT"} | origin)


def test_a_misspelt_field_names_the_file(tmp_path: Path) -> None:
    write(tmp_path, "mine", "name: mine\nkind: llm\nlicence: MIT\nhub: o/m\nmax_len: 8\n")
    with pytest.raises(ModelError, match=r"mine\.yaml is no catalogue entry: max_len: "):
        load_catalog(tmp_path)


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    for file in ("one", "two"):
        write(tmp_path, file, "name: same\nkind: llm\nlicence: MIT\nhub: o/m\n")
    with pytest.raises(ModelError, match=r"two\.yaml names same a second time"):
        load_catalog(tmp_path)


def test_a_model_of_the_wrong_kind_is_not_found_and_the_right_ones_are_listed() -> None:
    with pytest.raises(ModelError, match=r"No embedder is called .*all-MiniLM-L6-v2"):
        find_model(Settings().catalog, "SmolLM2-135M-Instruct", "embedder")


def test_a_folder_can_stand_for_a_name(tmp_path: Path) -> None:
    (tmp_path / "my-model").mkdir()
    (tmp_path / "my-model" / "config.json").write_text("{}")
    entry = find_model(Settings().catalog, str(tmp_path / "my-model"), "llm")
    assert entry.name == "my-model"
    assert entry.location(tmp_path) == str(tmp_path / "my-model")


def test_a_hub_id_is_passed_on_as_it_is(tmp_path: Path) -> None:
    entry = CatalogEntry(name="m", kind="llm", licence="MIT", hub="owner/model")
    assert entry.location(tmp_path) == "owner/model"


def test_missing_files_say_which_command_fetches_them(tmp_path: Path) -> None:
    entry = find_model(Settings().catalog, "all-MiniLM-L6-v2", "embedder")
    with pytest.raises(ModelError, match="run `serving fetch all-MiniLM-L6-v2`"):
        entry.location(tmp_path)
