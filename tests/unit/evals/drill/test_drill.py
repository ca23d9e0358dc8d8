"""A drill puts its fault in and takes it out again, byte for byte, whatever goes wrong."""

import re
import sys
from pathlib import Path

import pytest

from evals.drill.drill import Drill, Running, load
from evals.errors import DatasetError, DrillFailed

ROOT = Path(__file__).parents[4]


@pytest.fixture
def sample(tmp_path):
    folder = tmp_path / "sample"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.md").write_bytes("Öl: 12\n| x | y |\n".encode())
    (folder / "deep" / "b.md").write_bytes(b"13\n")
    return folder


def running(sample, tmp_path, **fields):
    drill = Drill(name="d", layers=("data",), title="t", keep=["{sample}"], **fields)
    return Running(drill, {"sample": str(sample)}, tmp_path / "saved")


def state(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_edits_change_every_file_of_the_pattern_and_a_revert_restores_bytes(sample, tmp_path):
    before = state(sample)
    edit = {"file": "{sample}//**/*.md", "find": "[0-9]+", "replace": "0"}
    drill = running(sample, tmp_path, edits=[edit])
    drill.inject()
    assert state(sample) == {"a.md": "Öl: 0\n| x | y |\n".encode(), "deep/b.md": b"0\n"}
    drill.revert()
    drill.revert()
    assert state(sample) == before


def test_files_that_a_command_removed_or_added_are_put_right(sample, tmp_path):
    before = state(sample)
    drill = running(sample, tmp_path, run=["rm -r {sample}/deep", "touch {sample}/new.md"])
    drill.inject()
    assert set(state(sample)) == {"a.md", "new.md"}
    drill.revert()
    assert state(sample) == before


def test_an_edit_that_matches_nothing_fails_and_leaves_nothing_behind(sample, tmp_path):
    before = state(sample)
    edits = [
        {"file": "{sample}/a.md", "find": "12", "replace": "99"},
        {"file": "{sample}/a.md", "find": "absent", "replace": ""},
    ]
    with pytest.raises(DrillFailed, match="absent"):
        running(sample, tmp_path, edits=edits).inject()
    assert state(sample) == before


def test_a_command_that_fails_is_told_with_its_words_and_undone(sample, tmp_path):
    before = state(sample)
    fail = f"{sys.executable} -c \"import sys; sys.exit('no room')\""
    with pytest.raises(DrillFailed, match="no room"):
        running(sample, tmp_path, run=["rm {sample}/a.md", fail]).inject()
    assert state(sample) == before


def test_one_command_of_the_way_back_that_fails_keeps_no_other_from_running(sample, tmp_path):
    before = state(sample)
    fail = f'{sys.executable} -c "import sys; sys.exit(1)"'
    log = tmp_path / "log"
    undo = [fail, f"sh -c 'echo undone >> {log}'"]
    drill = running(
        sample, tmp_path, run=["rm {sample}/a.md"], undo=undo, settle=[f"touch {tmp_path}/settled"]
    )
    drill.inject()
    with pytest.raises(DrillFailed, match="ended with 1"):
        drill.revert()
    assert (log.read_text(), (tmp_path / "settled").exists()) == ("undone\n", True)
    assert state(sample) == before


def test_a_fault_that_a_guard_holds_is_in_the_source_and_only_taking_it_out_must_not_be_held(
    sample, tmp_path
):
    held = f'{sys.executable} -c "import sys; sys.exit(4)"'
    drill = running(sample, tmp_path, run=["rm {sample}/a.md"], settle=[held])
    drill.inject()
    assert set(state(sample)) == {"deep/b.md"}
    with pytest.raises(DrillFailed, match="ended with 4"):
        drill.revert()


def test_every_drill_of_the_repository_is_in_the_form_and_says_what_it_is():
    drills = [load(path) for path in sorted((ROOT / "evals" / "drills").glob("*.yaml"))]
    assert len({drill.title for drill in drills}) == len(drills) >= 30
    for drill in drills:
        assert drill.edits or drill.run, drill.name
        assert drill.keep or drill.undo, drill.name
    layers = {drill.name: drill.layers for drill in drills}
    alike = [drill for drill in drills if drill.looks_like]
    assert len(alike) >= 5  # pairs
    assert all(drill.layers != layers[drill.looks_like] for drill in alike)
    assert sum(len(drill.layers) > 1 for drill in drills) >= 8


def test_edits_of_the_repository_match_what_lies_there():
    places = {"repo": str(ROOT), "sample": str(ROOT / "evals/datasets/sample/r2")}
    for path in sorted((ROOT / "evals" / "drills").glob("*.yaml")):
        for edit in load(path).edits:
            file = edit.file
            for name, value in places.items():
                file = file.replace(f"{{{name}}}", value)
            root, _, pattern = file.partition("//")
            files = list(Path(root).glob(pattern)) if pattern else [Path(root)]
            texts = [f.read_text(encoding="utf-8") for f in files]
            assert any(re.search(edit.find, t, re.MULTILINE) for t in texts), (path.name, edit.find)


def test_a_file_that_is_no_drill_is_named(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("layer: nobody\n")
    with pytest.raises(DatasetError, match=r"bad\.yaml"):
        load(path)


def test_a_double_fault_is_both_drills_and_what_both_restart_is_restarted_once(tmp_path):
    settle = 'settle: ["restart", "{}"]'
    for name, layer in (("a", "data"), ("b", "serving")):
        steps = f"keep: [{name}]\nrun: [run-{name}]\nundo: [undo-{name}]\n{settle.format(name)}"
        (tmp_path / f"{name}.yaml").write_text(f"layer: {layer}\ntitle: {name}\n{steps}\n")
    (tmp_path / "double.yaml").write_text("both: [a, b]\ntitle: both\n")
    drill = load(tmp_path / "double.yaml")
    assert (drill.layers, drill.title) == (("data", "serving"), "both")
    assert (drill.keep, drill.run) == (["a", "b"], ["run-a", "run-b"])
    assert drill.undo == ["undo-b", "undo-a"]  # the last one in is the first one out
    assert drill.settle == ["restart", "a", "b"]


def test_of_a_double_fault_one_is_taken_out_and_the_other_stays_until_both_are(tmp_path):
    for half in "ab":
        (tmp_path / half).write_text("well")
        (tmp_path / f"{half}.yaml").write_text(
            f"{{layer: {'data' if half == 'a' else 'serving'}, title: t, keep: [{tmp_path / half}],"
            f" edits: [{{file: {tmp_path / half}, find: well, replace: broken}}],"
            f" undo: [touch {tmp_path}/undone-{half}]}}"
        )
    (tmp_path / "double.yaml").write_text("{both: [a, b], title: t}")
    double = Running(load(tmp_path / "double.yaml"), {}, tmp_path / "saved")
    double.inject()
    double.take_out(["serving"])
    assert [(tmp_path / half).read_text() for half in "ab"] == ["broken", "well"]
    assert [(tmp_path / f"undone-{half}").exists() for half in "ab"] == [False, True]
    double.revert()
    assert [(tmp_path / half).read_text() for half in "ab"] == ["well", "well"]
    assert (tmp_path / "undone-a").exists()


def test_a_double_fault_of_a_drill_that_is_not_there_is_told(tmp_path):
    (tmp_path / "double.yaml").write_text("both: [absent]\ntitle: both\n")
    with pytest.raises(DatasetError, match="absent"):
        load(tmp_path / "double.yaml")
