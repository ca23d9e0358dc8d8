"""The containers' commands: secrets are made once, and what is accepted runs without your flags."""

import os
import stat

import pytest

from demo import compose


@pytest.fixture
def docker(monkeypatch, tmp_path):
    """What docker is told, with LLM_FLAGS as it would read it; nothing was released yet."""
    told = []
    said = {"list": '{"releases": []}'}
    monkeypatch.setattr(compose, "FOLDER", tmp_path / ".secrets")
    monkeypatch.setattr(
        compose,
        "_docker",
        lambda *words, quiet=False: (
            told.append((words, os.environ.get("LLM_FLAGS"))) or said.get(words[-2], "key\n")
        ),
    )
    return told


def test_every_secret_is_its_own_and_stays_once_it_is_made(docker):
    compose.write_secrets()
    first = {path.name: path.read_text() for path in compose.FOLDER.iterdir()}
    compose.write_secrets()
    assert {path.name: path.read_text() for path in compose.FOLDER.iterdir()} == first
    assert len({*first.values()}) == len(first) == 10
    assert first["qdrant"] in first["qdrant-config"]
    assert first["probe"] not in first["probe-sha256"]


def test_a_key_of_your_own_server_takes_the_place_of_a_generated_one(docker, monkeypatch):
    compose.write_secrets()
    monkeypatch.setenv("LLM_KEY", "theirs")
    compose.write_secrets()
    assert (compose.FOLDER / "llm").read_text() == "theirs"
    assert (compose.FOLDER / "embed").read_text() != "theirs"


def test_the_application_gets_a_key_of_its_own_of_a_store_of_yours(docker, monkeypatch, capsys):
    monkeypatch.setenv("QDRANT_API_KEY", "full")
    monkeypatch.delenv("QDRANT_READ_ONLY_API_KEY", raising=False)
    compose.write_secrets()
    assert "set QDRANT_READ_ONLY_API_KEY" in capsys.readouterr().out
    assert (compose.FOLDER / "qdrant-read-only").read_text() == "full"
    monkeypatch.setenv("QDRANT_READ_ONLY_API_KEY", "reads")
    compose.write_secrets()
    assert not capsys.readouterr().out
    assert (compose.FOLDER / "qdrant-read-only").read_text() == "reads"
    assert (compose.FOLDER / "qdrant").read_text() == "full"


def test_the_key_of_an_embedder_of_yours_is_a_secret_of_its_own(docker, monkeypatch):
    compose.write_secrets()
    assert (compose.FOLDER / "embed-upstream").read_text() == ""
    monkeypatch.setenv("EMBED_KEY", "theirs")
    compose.write_secrets()
    assert (compose.FOLDER / "embed-upstream").read_text() == "theirs"


def test_the_stores_configuration_follows_a_key_that_was_given(docker, monkeypatch):
    compose.write_secrets()
    monkeypatch.setenv("QDRANT_API_KEY", "theirs")
    compose.write_secrets()
    assert "api_key: theirs" in (compose.FOLDER / "qdrant-config").read_text()


def test_the_folder_of_the_secrets_is_its_owners_alone(docker):
    compose.write_secrets()
    assert stat.S_IMODE(compose.FOLDER.stat().st_mode) == 0o700


def test_a_persons_key_is_made_once_before_the_watcher_needs_it(docker):
    compose.up(build=False)
    assert (compose.FOLDER / "user").read_text() == "key"
    creates = [at for at, (words, _) in enumerate(docker) if "create" in words]
    assert creates == [1]
    assert docker[3][0][-2:] == ("bundle", "release")
    compose.up(build=False)
    assert sum("create" in words for words, _ in docker) == 1


def test_over_the_volumes_of_an_earlier_clone_nothing_is_released_again(docker, monkeypatch):
    monkeypatch.setattr(compose, "_releases", lambda: ["a release"])
    compose.up(build=False)
    assert (compose.FOLDER / "user").read_text() == "key"
    assert not [words for words, _ in docker if words[-1] == "release"]


def test_a_key_whose_volume_was_removed_is_made_anew(docker, monkeypatch):
    compose.write_secrets()
    (compose.FOLDER / "user").write_text("stale")
    monkeypatch.setattr(compose, "_has_keys", lambda: False)
    compose.up(build=False)
    assert (compose.FOLDER / "user").read_text() == "key"


def test_what_contradicts_your_own_model_is_told_before_anything_starts(docker, monkeypatch):
    monkeypatch.setenv("COMPOSE_FILES", "docker-compose.yml a/scale.yml a/own-llm.yml")
    with pytest.raises(SystemExit, match="leave it or LLM_URL out"):
        compose.up(build=True)
    assert not docker


@pytest.fixture
def seed(monkeypatch, tmp_path):
    """A complete seed with Debian's packages, and no variables that a build would read."""
    (tmp_path / ".seed" / "debs").mkdir(parents=True)
    (tmp_path / ".seed" / "debs" / "one.deb").touch()
    for name in ("ROOT", "SEED"):
        monkeypatch.setattr(compose, name, tmp_path / (".seed" if name == "SEED" else ""))
    monkeypatch.setattr(compose, "offline", lambda: True)
    for variable in ("WHEELS", "TORCH_BACKEND"):
        monkeypatch.setenv(variable, "")
    return tmp_path / ".seed"


def test_images_are_built_from_a_seed_that_fits_and_from_nothing_else(docker, seed):
    compose.up(build=True)
    assert os.environ["WHEELS"] == "--no-index --find-links=/seed/wheels"


@pytest.mark.parametrize("lacks", ["packages", "place"])
def test_a_seed_that_images_cannot_be_built_from_is_named_and_left(
    docker, seed, lacks, monkeypatch, capsys
):
    if lacks == "packages":
        (seed / "debs" / "one.deb").unlink()
    else:
        monkeypatch.setattr(compose, "SEED", seed / "elsewhere")
    compose.up(build=True)
    assert not os.environ["WHEELS"]
    assert "seed" in capsys.readouterr().out


def test_an_accepted_model_starts_without_flags_wherever_they_stand(docker, monkeypatch):
    monkeypatch.setenv("LLM_FLAGS", "--max-model-len 128")
    compose.accepted("llm")
    (tag, _), (up, flags) = docker
    assert tag == ("tag", "faultline-serving-llm:accepted", "faultline-serving-llm")
    assert ("--force-recreate", up[-1]) == (up[-3], "llm")
    assert flags == ""  # set and empty: absent, Compose would read .env


def test_images_and_bundle_are_accepted_before_the_watcher_measures(docker):
    compose.accept("because")
    assert [words[0] for words, _ in docker[:3]] == ["tag"] * 3
    assert docker[-1][0][-2:] == ("--reason", "because")
    assert "app-ref" in docker[-2][0]


@pytest.fixture
def read(monkeypatch):
    """The variables that the compose files read, once MODEL is chosen."""
    names = (
        "MODEL",
        "LLM_URL",
        "LLM_MODEL",
        "ANSWER_PROFILE",
        "LLM_MEMORY",
        "LLM_QUIRKS",
        "COMPOSE_FILES",
    )
    for name in names:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def choose(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        compose.choose_model()
        return tuple(os.environ.get(name) for name in names[2:5])

    return choose


@pytest.mark.parametrize(
    ("variables", "name", "profile", "memory"),
    [
        ({}, "SmolLM2-135M-Instruct", "tiny", None),
        (
            {"MODEL": "Qwen2.5-Coder-1.5B-Instruct"},
            "Qwen2.5-Coder-1.5B-Instruct",
            "small",
            "13600m",
        ),
        (
            {"MODEL": "Qwen/Qwen2.5-Coder-1.5B-Instruct", "LLM_MEMORY": "9g"},
            "Qwen2.5-Coder-1.5B-Instruct",
            "small",
            "9g",
        ),
        ({"MODEL": "Own/Model@v1"}, "Own/Model", "standard", None),
        ({"ANSWER_PROFILE": "standard"}, "SmolLM2-135M-Instruct", "standard", None),
        ({"LLM_URL": "http://model.example"}, None, "standard", None),
        ({"LLM_URL": "http://m.example", "ANSWER_PROFILE": "small"}, None, "small", None),
    ],
)
def test_the_containers_know_the_models_name_its_profile_and_its_memory(
    read, variables, name, profile, memory
):
    assert read(**variables) == (name, profile, memory)


def test_a_folder_is_mounted_and_served_under_its_own_name(read, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert read(MODEL=str(folder))[0] == "mine"
    files = compose._files()
    assert files == ["docker-compose.yml", "infra/compose/own-model.yml"]
    override = (compose.ROOT / files[-1]).read_text()
    assert '"${MODEL}:/own/${LLM_MODEL}:ro"' in override


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("{}", "is no model: set MODEL to the folder"),
        ("nope", "Set MODEL to one of .*Qwen2.5-Coder"),
    ],
)
def test_what_is_no_model_is_told_before_anything_starts(read, tmp_path, model, sentence):
    with pytest.raises(SystemExit, match=sentence):
        read(MODEL=model.format(tmp_path))


VARIABLES = ("OFFLINE", "UI", "ALERTS", "GPU", "SCALE", "LLM_URL", "EMBED_URL", "QDRANT_URL")
VARIABLES += ("COMPOSE_FILES", "GRAFANA")


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({}, []),
        ({"UI": "1", "SCALE": ""}, ["ui", "alerts", "grafana"]),
        ({"UI": "1", "OFFLINE": "1"}, ["offline", "ui"]),
        ({"GRAFANA": "1"}, []),
        ({"ALERTS": "1"}, ["alerts"]),
        ({"ALERTS": "1", "OFFLINE": "1"}, ["offline", "alerts", "alerts-offline"]),
        ({"LLM_URL": "http://m", "QDRANT_URL": "http://q"}, ["own-llm", "own-qdrant"]),
        ({"GPU": "1", "SCALE": "1"}, ["gpu", "scale"]),
        ({"EMBED_URL": "http://e"}, ["own-embed"]),
    ],
)
def test_every_command_sees_the_parts_that_the_variables_ask_for(docker, monkeypatch, given, parts):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    compose.logs()
    [(words, _)] = docker
    files = [words[at + 1] for at, word in enumerate(words) if word == "-f"]
    assert files == ["docker-compose.yml", *(f"infra/compose/{part}.yml" for part in parts)]
    assert all((compose.ROOT / file).is_file() for file in files)


def test_docker_reads_no_env_file_of_its_own(docker):
    compose.logs()
    [(words, _)] = docker
    assert words[:3] == ("compose", "--env-file", os.devnull)


def test_down_ends_what_any_override_added(docker, monkeypatch):
    monkeypatch.setenv("COMPOSE_FILES", "docker-compose.yml")
    compose.down()
    [(words, _)] = docker
    for part in ("ui", "alerts", "grafana", "scale"):
        assert f"infra/compose/{part}.yml" in words


def test_a_question_is_no_option_and_the_key_is_in_no_list_of_processes(docker, monkeypatch):
    compose.FOLDER.mkdir()
    (compose.FOLDER / "user").write_text("fl_secret")
    monkeypatch.delenv("APPLICATION_KEY", raising=False)
    compose.ask("--help")
    [(words, _)] = docker
    assert words[-2:] == ("--", "--help")
    assert not any("fl_secret" in word for word in words)
    assert os.environ.pop("APPLICATION_KEY") == "fl_secret"


def test_the_store_answers_no_foreign_origin(docker):
    compose.write_secrets()
    assert "enable_cors: false" in (compose.FOLDER / "qdrant-config").read_text()
