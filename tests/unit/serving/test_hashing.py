"""Hashes of a model's files depend on names and contents, and on nothing else."""

import shutil
from pathlib import Path

import pytest

from serving.hashing import files_sha256


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_text("weights")
    (folder / "1_Pooling" / "config.json").write_text("{}")
    return folder


def test_a_copy_elsewhere_has_the_same_hash(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / "source.json").write_text("where it came from")
    assert files_sha256(folder) == files_sha256(tmp_path / "copy")


def test_an_edit_in_place_a_new_file_and_a_renamed_one_are_each_seen(folder: Path) -> None:
    seen = [files_sha256(folder)]
    (folder / "model.safetensors").write_text("Weights")
    seen.append(files_sha256(folder))
    (folder / "chat_template.jinja").write_text("")
    seen.append(files_sha256(folder))
    (folder / "chat_template.jinja").rename(folder / "template.jinja")
    seen.append(files_sha256(folder))
    assert len(set(seen)) == 4


def test_a_pattern_leaves_the_rest_out(folder: Path) -> None:
    before = files_sha256(folder, "**/*.safetensors")
    (folder / "1_Pooling" / "config.json").write_text('{"mode": "cls"}')
    assert files_sha256(folder, "**/*.safetensors") == before
