"""The chat model is chosen by MODEL, or by free memory, and one line says why."""

from pathlib import Path

import pytest

from demo import model_choice
from demo.model_choice import DEFAULT, FALLBACK, catalogue, choose, described, is_folder
from demo.settings import Settings
from demo.start import with_chosen_model

NEED = 11.4  # GB, of the whole stack with the default model


@pytest.mark.parametrize(
    ("circumstances", "model", "because"),
    [
        ({"free_gb": 24.0}, DEFAULT, f"24.0 GB of memory are free and it needs {NEED} GB"),
        ({"free_gb": NEED}, DEFAULT, "it needs"),
        ({"free_gb": NEED - 0.1}, FALLBACK, f"{DEFAULT} needs {NEED} GB"),
        ({"free_gb": 7.0}, FALLBACK, "7.0 GB of memory are free"),
        ({"free_gb": None}, FALLBACK, "does not tell how much memory is free"),
        ({"free_gb": 12.0, "bf16": False}, FALLBACK, f"{DEFAULT} needs 16.4 GB"),
        ({"free_gb": 17.0, "bf16": False}, DEFAULT, "it needs 16.4 GB"),
        ({"free_gb": 11.0, "stack_gb": 1.9}, DEFAULT, "it needs 10.5 GB"),
        ({"free_gb": 24.0, "disk_gb": 3.0}, FALLBACK, "3.0 GB of disk are free"),
        ({"free_gb": 24.0, "disk_gb": 3.0, "fetched": True}, DEFAULT, "it needs"),
        ({"free_gb": 24.0, "kept": FALLBACK}, FALLBACK, "this stack was accepted"),
        ({"free_gb": 2.0, "kept": DEFAULT}, DEFAULT, "this stack was accepted"),
        ({"free_gb": 24.0, "wanted": FALLBACK}, FALLBACK, "MODEL names it"),
        ({"free_gb": 2.0, "wanted": "Own/Model@v1"}, "Own/Model@v1", "MODEL names it"),
        ({"free_gb": 24.0, "wanted": "/m", "kept": DEFAULT}, "/m", "MODEL names it"),
    ],
)
def test_the_model_is_the_best_that_fits_unless_a_person_names_one(
    circumstances: dict[str, object], model: str, because: str
) -> None:
    choice = choose(**({"wanted": None, "disk_gb": 50.0} | circumstances))  # type: ignore[arg-type]
    assert choice.model == model
    assert choice.sentence.startswith(f"Model: {model}, ")
    assert because in choice.sentence
    assert "\n" not in choice.sentence


def test_without_the_default_in_a_catalogue_of_your_own_the_small_model_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVING_CATALOG", str(tmp_path))
    assert choose(None, 64.0, 500.0).model == FALLBACK


@pytest.mark.parametrize(
    ("value", "name", "profile"),
    [
        (DEFAULT, DEFAULT, "small"),
        (f"Qwen/{DEFAULT}", DEFAULT, "small"),
        (f"qwen/{DEFAULT.lower()}", DEFAULT, "small"),
        (f"Qwen/{DEFAULT}@v1", f"Qwen/{DEFAULT}", None),
        (FALLBACK, FALLBACK, "tiny"),
        ("Own/Model", "Own/Model", None),
        ("nope", "nope", None),
    ],
)
def test_a_value_of_model_is_known_by_the_name_it_is_served_under(
    value: str, name: str, profile: str | None
) -> None:
    assert (described(value).name, described(value).answer_profile) == (name, profile)


def test_a_folder_is_served_under_its_own_name_and_its_weights_tell_its_memory(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()
    with (folder / "model.safetensors").open("wb") as weights:
        weights.truncate(2 * 10**9)
    assert is_folder(str(folder))
    assert described(str(folder)).name == "my-model"
    assert described(str(folder)).memory_mb == 6400


def test_comments_in_the_catalogue_are_not_read_as_values(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("# name: no\nname: a  # yes\nmemory_mb: 9 # MB\nkind: llm\n")
    assert catalogue(tmp_path)["a"].memory_mb == 9


def test_the_demo_says_which_model_it_takes_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LLM_URL", raising=False)
    monkeypatch.setenv("MODEL", FALLBACK)
    assert with_chosen_model(Settings(state_dir=tmp_path)).model == FALLBACK
    assert capsys.readouterr().out == f"Model: {FALLBACK}, since MODEL names it.\n"


def test_a_folder_of_the_shell_is_the_same_folder_for_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLM_URL", raising=False)
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODEL", "./mine")
    assert with_chosen_model(Settings(state_dir=tmp_path)).model == str(tmp_path / "mine")


@pytest.mark.parametrize(
    ("given", "profile"), [({}, "standard"), ({"answer_profile": "tiny"}, "tiny")]
)
def test_a_hosted_model_may_be_asked_as_a_large_one_unless_a_person_says_otherwise(
    tmp_path: Path, given: dict[str, str], profile: str
) -> None:
    hosted = Settings(state_dir=tmp_path, llm_url="http://model.example", **given)  # type: ignore[arg-type]
    assert with_chosen_model(hosted).answer_profile == profile


def test_the_choice_imports_nothing_that_must_be_installed() -> None:
    text = Path(model_choice.__file__).read_text()
    imports = {
        line.split()[1].split(".")[0] for line in text.splitlines() if "import " in line[:12]
    }
    assert not {"serving", "pydantic", "yaml"} & imports
