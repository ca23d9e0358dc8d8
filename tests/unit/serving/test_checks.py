"""Start checks: each names what is missing and what to do."""

import socket
from pathlib import Path

import pytest

from serving.checks import check_memory, check_port
from serving.errors import StartError


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
