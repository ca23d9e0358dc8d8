"""The command, where it cannot serve: one line that says what is in the way and what to do."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from vectorstore.cli import app


def serve(path: Path, port: int) -> Result:
    return CliRunner().invoke(
        app, env={"VECTORSTORE_PATH": str(path), "VECTORSTORE_PORT": str(port)}, args=["serve"]
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = serve(tmp_path / "vectors", port)
    assert result.exit_code == 1
    assert f"127.0.0.1:{port} cannot be used (Address already in use)" in result.stderr
    assert "VECTORSTORE_PORT" in result.stderr


@pytest.mark.parametrize("below", ["", "/vectors"])
def test_a_path_that_is_no_folder_is_named(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    result = serve(Path(f"{file}{below}"), free_port())
    assert result.exit_code == 1
    assert f"{file}" in result.stderr
    assert "VECTORSTORE_PATH" in result.stderr


def test_a_damaged_catalogue_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.json"
    catalogue.write_text('{"collections": {"a')
    result = serve(tmp_path, free_port())
    assert result.exit_code == 1
    assert f"{catalogue} is damaged" in result.stderr
    assert catalogue.read_text() == '{"collections": {"a'
