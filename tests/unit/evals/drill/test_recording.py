"""A recording holds what the detector saw, and nothing that was said."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.fakes.scored_cycles import BASELINE, PROBES, asked, faulty, rescored

from evals.drill import recording
from evals.drill.recording import Recording, recorded
from evals.errors import DatasetError
from evals.watch.decide import UNREACHABLE
from evals.watch.model import CELLS, CellReply, Change

AT = datetime(2026, 1, 1, tzinfo=UTC)
REPLY = CellReply(probe="p00", cell="11", score=1, status="answered", text="", retrieved=True)


# what a ruler is made of, of an accept
ACCEPT = SimpleNamespace(
    probes=SimpleNamespace(probes=PROBES), baseline=BASELINE, replies={PROBES[0].id: REPLY}
)


def wider():
    """Another accept."""
    deltas = BASELINE.deltas | {"all": 0.5}
    baseline = BASELINE.model_copy(update={"deltas": deltas})
    return SimpleNamespace(**vars(ACCEPT) | {"baseline": baseline})


def keep(
    folder,
    name="d",
    layers=("data",),
    cycles=(),
    commit="c0ffee",
    accepted=ACCEPT,
    taken_out=(),
):
    drill = {"drill": name, "title": "t", "layers": layers, "commit": commit, "at": AT}
    recording.keep(folder, accepted, cycles, taken_out, **drill)


def test_a_cycle_is_kept_as_scores_by_cell_and_probe():
    found = recorded(faulty(data=[0, 1]), PROBES)
    assert found.scores["11"][:3] == (0.0, 0.0, 1.0)
    assert found.scores["01"][:3] == (1.0, 1.0, 1.0)
    assert found.generations == 60


def test_cells_that_sent_the_same_request_share_a_letter():
    prompts = dict(zip(CELLS, ("one", "two", "one", "two"), strict=True))
    cycle = rescored([0], {cell: {"prompt": prompt} for cell, prompt in prompts.items()})
    assert recorded(cycle, PROBES).requests[0] == "abab"


def test_what_sent_no_request_shares_one_only_with_the_same_reply():
    cycle = rescored([0], {"11": {"status": "abstained"}})
    assert recorded(cycle, PROBES).requests[:2] == ("aaab", "aaaa")


def test_a_reply_that_never_came_is_no_wrong_one():
    lost = {"status": "error", "reason": f"{UNREACHABLE}: refused", "score": 0.0}
    found = recorded(rescored([0], {"11": lost}), PROBES)
    assert (found.scores["11"][0], found.requests[0]) == (None, None)


def test_the_layers_of_which_something_differs_are_kept_once_each():
    change = Change(layer="serving", what="model", before="a", after="b")
    assert recorded(asked(changes=[change, change]), PROBES).changed == ("serving",)


def test_a_recording_is_read_as_it_was_kept_without_cycles_that_have_no_data(tmp_path):
    keep(tmp_path, cycles=[faulty(data=[0]), asked(error="no index")])
    (found,), rulers = recording.read(tmp_path)
    assert (found.drill, found.layers, len(found.cycles)) == ("d", ("data",), 1)
    assert rulers[found.ruler].baseline == BASELINE
    assert rulers[found.ruler].retrieved[:2] == (True, None)


def test_no_words_of_a_reply_are_kept(tmp_path):
    cycle = rescored([0], {cell: {"text": "secret", "prompt": "secret"} for cell in CELLS})
    keep(tmp_path, cycles=[cycle])
    assert "secret" not in (tmp_path / "d.json").read_text()


def test_healthy_cycles_of_one_commit_add_up_and_a_drill_is_recorded_anew(tmp_path):
    for _ in range(2):
        keep(tmp_path, "benign-none", (), [asked()])
        keep(tmp_path, "d", ("data",), [asked()])
    counts = {each.drill: len(each.cycles) for each in recording.read(tmp_path)[0]}
    assert counts == {"benign-none": 2, "d": 1}
    keep(tmp_path, "benign-none", (), [asked()], accepted=wider())  # of another accept: beside them
    assert [len(each.cycles) for each in recording.read(tmp_path)[0]] == [2, 1, 1]
    keep(tmp_path, "benign-none", (), [asked()], commit="another")
    assert [len(each.cycles) for each in recording.read(tmp_path)[0]] == [1, 1, 1]


def test_a_cycle_says_which_of_two_faults_had_been_taken_out_before_it(tmp_path):
    cycles = [faulty(data=[0]), None, faulty(data=[1])]
    keep(tmp_path, layers=("data", "serving"), cycles=cycles, taken_out=((), (), ("serving",)))
    (found,), _ = recording.read(tmp_path)
    assert [each.taken_out for each in found.cycles] == [(), ("serving",)]


def test_a_recording_without_its_ruler_is_told(tmp_path):
    keep(tmp_path, cycles=[asked()])
    for path in (tmp_path / "rulers").iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match="record the drills again"):
        recording.read(tmp_path)


def test_a_folder_without_recordings_says_how_to_make_them(tmp_path):
    with pytest.raises(DatasetError, match="--record"):
        recording.read(tmp_path / "absent")


def test_a_file_that_is_no_recording_is_told(tmp_path):
    (tmp_path / "d.json").write_text("{}")
    with pytest.raises(DatasetError, match="no recording"):
        recording.read(tmp_path)


def test_a_ruler_that_no_drill_needs_any_more_goes_with_its_healthy_cycles(tmp_path):
    kept, published = tmp_path / "kept", tmp_path / "published"
    keep(kept, cycles=[asked()])
    keep(published, "benign-none", (), [asked()])
    recording.publish(kept, published)
    assert [each.drill for each in recording.read(published)[0]] == ["benign-none", "d"]
    keep(kept, cycles=[asked()], accepted=wider())
    recording.publish(kept, published)
    (found,), rulers = recording.read(published)
    assert (found.drill, [*rulers]) == ("d", [found.ruler])


def test_healthy_cycles_are_published_before_the_drills_of_the_same_accept(tmp_path):
    kept, published = tmp_path / "kept", tmp_path / "published"
    keep(published, cycles=[asked()])
    keep(kept, "benign-none", (), [asked()], accepted=wider())
    recording.publish(kept, published)
    found, rulers = recording.read(published)
    assert ([each.drill for each in found], len(rulers)) == (["benign-none", "d"], 2)


def test_publishing_nothing_leaves_what_lies_there(tmp_path):
    keep(tmp_path / "published", cycles=[asked()])
    recording.publish(tmp_path / "absent", tmp_path / "published")
    assert len(recording.read(tmp_path / "published")[0]) == 1


def test_a_recording_is_benign_where_no_layer_is_broken():
    fields = {"title": "t", "commit": "c", "at": AT, "ruler": "r", "cycles": ()}
    assert Recording(drill="benign-none", layers=(), **fields).is_benign
    assert not Recording(drill="d", layers=("data",), **fields).is_benign
