"""Start checks: each names what is missing and what to do."""

import socket
from pathlib import Path

import pytest

from serving import checks
from serving.checks import check_embedder, check_key, check_llm, check_memory, check_port
from serving.errors import StartError
from serving.settings import Settings


def test_a_taken_port_names_itself_and_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"Port {port} .* SERVING_EMBED_PORT"):
            check_port("127.0.0.1", port, "SERVING_EMBED_PORT")
    check_port("127.0.0.1", port, "SERVING_EMBED_PORT")


def test_too_little_memory_says_how_much_is_missing(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 8000000 kB\nMemAvailable: 1024000 kB\n")
    with pytest.raises(StartError, match="needs 3500 MB of memory and 1000 MB are free"):
        check_memory(3500, "tiny", meminfo)
    check_memory(1000, "tiny", meminfo)


def test_a_system_that_does_not_tell_its_memory_is_not_refused(tmp_path: Path) -> None:
    check_memory(3500, "tiny", tmp_path / "none")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "embedder"])
def test_an_embedder_that_others_can_reach_does_not_start_without_a_key(host: str) -> None:
    with pytest.raises(StartError, match="Set SERVING_EMBED_API_KEY: only a loopback host"):
        check_embedder(Settings(embed_host=host))


@pytest.mark.parametrize(
    ("host", "flags"),
    [
        ("0.0.0.0", []),
        ("127.0.0.1", ["--host", "0.0.0.0"]),
        ("127.0.0.1", ["--host=0.0.0.0"]),
        ("0.0.0.0", ["--api-key-file", "x"]),
    ],
)
def test_a_model_that_others_can_reach_does_not_start_without_a_key(
    host: str, flags: list[str]
) -> None:
    arguments = ["python", "--host", host, *flags]
    with pytest.raises(StartError, match="Set SERVING_LLM_API_KEY: only a loopback host"):
        check_llm(Settings(llm_host=host), arguments, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
def test_on_loopback_none_is_needed(host: str) -> None:
    check_key(host, has_key=False, setting="SERVING_LLM_API_KEY")


@pytest.mark.parametrize(
    ("flags", "environment"), [(["--api-key", "k"], {}), ([], {"VLLM_API_KEY": "k"})]
)
def test_a_key_from_a_flag_or_the_environment_counts(
    flags: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "check_port", lambda *_: None)
    monkeypatch.setattr(checks, "check_memory", lambda *_: None)
    check_llm(Settings(), ["python", "--host", "0.0.0.0", *flags], environment)
