"""The catalogue: what is shipped is valid, and every mistake names its file and its mend."""

import re
from pathlib import Path
from typing import get_args

import pytest

from serving.catalog import CatalogEntry, Quirk, find_model, load_catalog
from serving.errors import ModelError
from serving.settings import Settings

ROOT = Path(__file__).parents[3]
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


def test_each_shipped_entry_is_complete_and_says_whether_it_was_run_here() -> None:
    entries = load_catalog(Settings().catalog).values()
    for entry in entries:
        assert all((entry.languages, entry.disk_mb, entry.memory_mb)), entry.name
        if entry.kind == "llm":
            assert {"answer_profile", "max_model_len"} <= entry.model_fields_set, entry.name
        if entry.kind == "embedder":
            assert None not in (entry.query_prefix, entry.document_prefix, entry.pooling)
            assert entry.max_tokens
        assert entry.tried == bool(entry.wheels), entry.name  # only packages reach this place
        assert entry.tried or entry.hub
    assert {entry.kind for entry in entries} == {"llm", "embedder", "reranker"}


def test_a_catalogue_quirk_is_one_that_the_application_knows() -> None:
    source = (ROOT / "application/src/application/settings.py").read_text()
    known = source.partition("Quirk = Literal[")[2].partition("\n]")[0]
    assert set(re.findall(r'^    "(\w+)"', known, re.M)) == {*get_args(Quirk)}


PARTS = {"parts": [{"package": "a==1", "sha256": "0" * 64, "file": "a/1.bin"}]}


@pytest.mark.parametrize(
    "origin",
    [
        {},
        PACKAGE | {"path": "/m"},
        PACKAGE | PARTS,
        {"path": "/m", "hub": "o/m"},
        {"package": "a==1"},
        {"package": "a>=1"},
        PARTS,  # without the joined file's sha256 and name
        {"path": "/m", "revision": "r"},
    ],
)
def test_an_entry_without_exactly_one_whole_origin_is_refused(origin: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"package|revision"):
        CatalogEntry.model_validate({"name": "a", "kind": "embedder", "licence": "MIT"} | origin)


@pytest.mark.parametrize("kind", ["llm", "embedder"])
@pytest.mark.parametrize("beside", [{}, PACKAGE])
def test_any_model_may_come_from_the_hub_with_packages_beside_it(
    kind: str, beside: dict[str, str]
) -> None:
    entry = {"name": "a", "kind": kind, "licence": "MIT", "hub": "o/m"} | beside
    assert CatalogEntry.model_validate(entry).hub == "o/m"


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


@pytest.mark.parametrize(
    ("wanted", "name", "hub", "revision", "packages"),
    [
        ("mine", "mine", "Own/Mine", None, True),
        ("Own/Mine", "mine", "Own/Mine", None, True),
        ("own/mine", "mine", "Own/Mine", None, True),
        ("Own/Mine@v2", "Own/Mine", "Own/Mine", "v2", False),
        ("Other/Model", "Other/Model", "Other/Model", None, False),
        ("Other/Model@refs/pr/1", "Other/Model", "Other/Model", "refs/pr/1", False),
    ],
)
def test_a_hub_id_finds_the_entry_that_declares_it(
    tmp_path: Path, wanted: str, name: str, hub: str, revision: str | None, packages: bool
) -> None:
    origin = f"hub: Own/Mine\nhub_first: false\npackage: a==1\nsha256: {'a' * 64}\nfiles: a/m\n"
    write(tmp_path, "mine", f"name: mine\nkind: llm\nlicence: MIT\nlanguages: [de]\n{origin}")
    entry = find_model(tmp_path, wanted, "llm")
    assert (entry.name, entry.hub, entry.revision) == (name, hub, revision)
    assert bool(entry.wheels) is packages
    assert entry.hub_first is (wanted != "mine")  # by its name everyone gets the packages
    assert ("de" in entry.languages) is ("other" not in wanted.lower())
    assert find_model(tmp_path, entry.request, "llm").folder(tmp_path) == entry.folder(tmp_path)


@pytest.mark.parametrize("wanted", ["nope", "nope@v1", "a/b/c", "Own/Mine@", ""])
def test_an_unknown_name_lists_what_exists(wanted: str) -> None:
    with pytest.raises(ModelError, match=r"No llm .*Qwen2\.5-Coder-1\.5B-Instruct.*SmolLM2"):
        find_model(Settings().catalog, wanted, "llm")


def test_a_folder_or_path_that_is_no_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "weights.gguf").touch()
    for path, sentence in (
        (tmp_path, "is no model: it holds no config.json"),
        (tmp_path / "none", "does not exist"),
        (tmp_path / "weights.gguf", "is a file: give the folder"),
    ):
        with pytest.raises(ModelError, match=sentence):
            find_model(Settings().catalog, str(path), "llm")


@pytest.mark.parametrize(
    ("megabytes", "profile"), [(269, "tiny"), (3_554, "small"), (15_000, "standard")]
)
def test_a_folders_files_tell_its_memory_its_profile_and_its_context(
    tmp_path: Path, megabytes: int, profile: str
) -> None:
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 2048}')
    with (tmp_path / "model.safetensors").open("wb") as weights:
        weights.truncate(megabytes * 10**6)  # takes no space on the disk
    entry = find_model(Settings().catalog, str(tmp_path), "llm").described(tmp_path)
    assert entry.answer_profile == profile
    assert entry.max_model_len == 2048
    assert entry.memory_mb > megabytes


def test_a_model_that_is_not_there_yet_has_the_profile_of_its_entry(tmp_path: Path) -> None:
    named = {n: e.described(tmp_path) for n, e in load_catalog(Settings().catalog).items()}
    assert named["SmolLM2-135M-Instruct"].answer_profile == "tiny"
    assert named["Qwen2.5-Coder-0.5B-Instruct"].answer_profile == "small"
    assert named["Qwen2.5-Coder-1.5B-Instruct"].answer_profile == "small"
    hub = find_model(Settings().catalog, "Own/Model").described(tmp_path)
    assert (hub.answer_profile, hub.memory_mb) == ("standard", 0)


def test_missing_files_say_which_command_fetches_them(tmp_path: Path) -> None:
    entry = find_model(Settings().catalog, "all-MiniLM-L6-v2", "embedder")
    with pytest.raises(ModelError, match="run `serving fetch all-MiniLM-L6-v2`"):
        entry.location(tmp_path)
