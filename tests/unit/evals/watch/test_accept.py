"""A healthy stack is pinned, measured and proved; a sick one is refused, and its pin removed."""

import json
from types import SimpleNamespace

import pytest

from contracts.status import AuditReport, Finding, Pin
from evals.errors import NotAccepted, Unavailable
from evals.probes import canaries
from evals.settings import Settings
from evals.watch import accept as module
from evals.watch.accept import ROUNDS, ROUNDS_OF_NOISE, accept, candidates, drop_older
from evals.watch.facts import Facts
from evals.watch.memo import accept_name
from evals.watch.model import CELLS, CellReply, Probe

PROBES = [
    Probe(
        id=f"p{number:02}",
        question=f"Question {number}?",
        origin="golden" if number % 2 else "canary",
        strata=(),
        values=("28 days",) if number % 4 else (),
    )
    for number in range(80)
]


@pytest.fixture
def stack(layers, monkeypatch):
    """Layers that answer rightly in every cell, and what was done to them."""
    layers.done, layers.rounds = [], []
    layers.reply = lambda probe, cell: {}

    def ask_cells(settings, pinned_index, probes, id, each, cells=CELLS):
        layers.rounds.append((id, pinned_index, [probe.id for probe in probes], cells))
        right = {"score": 1.0, "status": "answered", "text": "28 days"}
        return [
            CellReply(
                **right | {"prompt": f'{{"probe": "{probe.id}"}}'} | layers.reply(probe.id, cell),
                probe=probe.id,
                cell=cell,
            )
            for probe in probes
            for cell in cells
        ]

    def pin(name):
        layers.done.append(f"pin {name}")
        return Pin(**layers.accepted().pin.model_dump() | {"name": name})

    def write(folder, before_deletion=False):
        layers.done.append("write with the deleted" if before_deletion else "write")

    sources = SimpleNamespace(
        pin=pin,
        run=lambda source: layers.done.append(f"run {source}"),
        unpin=lambda name: layers.done.append(f"unpin {name}"),
    )
    monkeypatch.setattr(module.canaries, "write", write)
    monkeypatch.setattr(module, "Sources", lambda command, index: sources)
    monkeypatch.setattr(module, "ask_cells", ask_cells)
    monkeypatch.setattr(module, "candidates", lambda settings: PROBES)
    return layers


def accepted(stack, reason=None):
    return accept(stack.settings, stack.cycles(), stack.each, reason)


def test_a_healthy_stack_is_accepted_with_all_that_later_cycles_are_held_against(stack):
    found = accepted(stack, "The old model is gone.")
    assert found.reason == "The old model is gone."
    assert stack.done[-1] == f"pin {found.pin.name}"
    assert found.pin.name.startswith("accepted-20")
    assert (found.probes.probes, set(found.baseline.scores.values())) == (PROBES, {1.0})
    assert {(r.probe, r.cell) for r in found.cycle.replies} == {
        (probe.id, cell) for probe in PROBES for cell in CELLS
    }
    assert found.facts == Facts(
        embedder=stack.models.embedder(),
        llms={"http://a": stack.models.llm("http://a")},
        application=stack.status,
        index=stack.content().digest,
    )
    assert found.application == stack.status
    assert set(found.replica_replies.values()) == {"28 days"}
    assert found.versions == {stack.page: "v1"}
    assert found.baseline.deltas["audit of sample"] == 0.05


def test_documents_that_the_audit_doubts_at_the_accept_are_noise_later(stack):
    lost = [Finding(document_id="d", kind="shape", detail="It is odd.")]
    report = AuditReport(source="sample", index="i", documents=4, checked=4, findings=lost)
    stack.sources.audit = lambda source, sample, seed: report
    tolerated = accepted(stack).baseline.deltas["audit of sample"]
    assert tolerated == pytest.approx(0.05 + 0.25 + 2 * (0.25 * 0.75 / 4) ** 0.5)


def test_deleted_canary_pages_are_synced_once_and_taken_out_before_the_index_is_pinned(stack):
    found = accepted(stack)
    synced = ["write with the deleted", "run canary", "write", "run canary"]
    assert stack.done == [*synced, f"pin {found.pin.name}"]


def test_the_cells_are_compared_over_the_pinned_copy_in_a_cycle_of_their_own(stack):
    found = accepted(stack)
    *rounds, proof = stack.rounds
    assert {cells for _, _, _, cells in rounds} == {("11",)}
    assert (proof[1], proof[3]) == ("pinned", CELLS)
    assert proof[0] == accept_name(found.cycle.id)  # so that later cycles may replay it
    assert len({id for id, *_ in stack.rounds}) == len(stack.rounds)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("10", "11"), r"\+1\.000 for data"),
        (("01", "11"), r"\+1\.000 for application"),
        (CELLS, r"\+1\.000 for serving"),
        (("00", "01"), r"-1\.000 for data"),  # a gain is a disagreement too
    ],
)
def test_cells_that_disagree_are_refused_by_layer_and_the_pin_is_removed(stack, cells, said):
    def reply(probe, cell):
        is_proof = len(stack.rounds) > ROUNDS
        return {"score": 0.0} if is_proof and cell in cells else {}

    stack.reply = reply
    with pytest.raises(NotAccepted, match=f"disagree by {said}"):
        accepted(stack)
    pinned = stack.done[-2].removeprefix("pin ")
    assert stack.done[-1] == f"unpin {pinned}"


@pytest.mark.parametrize(("broken", "refused"), [(4, False), (5, True)])  # of 80
def test_cells_may_disagree_by_near_ties_and_no_more(stack, broken, refused):
    def reply(probe, cell):
        is_proof = len(stack.rounds) > ROUNDS
        return {"score": 0.0} if is_proof and cell in ("10", "11") and probe in lost else {}

    lost = {probe.id for probe in PROBES[:broken]}
    stack.reply = reply
    if refused:
        with pytest.raises(NotAccepted, match=r"disagree by \+0\.062 for data.*: p\d"):
            accepted(stack)
    else:
        assert len(accepted(stack).probes.probes) == 80 - broken


def test_a_refusal_tells_what_each_cell_answered(stack):
    def reply(probe, cell):
        is_proof = len(stack.rounds) > ROUNDS
        return {"score": 0.0, "text": "3 days"} if is_proof and cell in ("10", "11") else {}

    stack.reply = reply
    with pytest.raises(NotAccepted, match=r"00\+01 answered: 28 days, 10\+11 answered: 3 days"):
        accepted(stack)


def test_an_accepted_application_that_prompts_in_its_own_way_is_refused(stack):
    stack.reply = lambda probe, cell: {"prompt": f'{{"marker": "{cell[1]} {probe}"}}'}
    with pytest.raises(Unavailable, match="APPLICATION_MARKER_KEY"):
        accepted(stack)


def test_one_request_that_differs_is_noise_of_the_ranking(stack):
    def reply(probe, cell):
        return {"prompt": '{"other": 1}'} if (probe, cell) == ("p05", "11") else {}

    stack.reply = reply
    assert accepted(stack).probes.probes == PROBES


def test_what_users_got_at_the_accept_is_what_was_accepted(layers):
    accepted = layers.accepted()
    replies = [
        reply.model_copy(update={"text": reply.cell, "prompt": f'{{"cell": "{reply.cell}"}}'})
        for reply in accepted.cycle.replies
    ]
    cycle = accepted.cycle.model_copy(update={"replies": replies})
    accepted = accepted.model_copy(update={"cycle": cycle})
    assert {reply.text for reply in accepted.replies.values()} == {"11"}
    assert accepted.requests == {probe.id: {"cell": "11"} for probe in layers.probes}


@pytest.mark.parametrize("error", [Unavailable("The application is gone."), KeyboardInterrupt()])
def test_an_error_or_ctrl_c_on_the_way_removes_the_pin(stack, raises, monkeypatch, error):
    monkeypatch.setattr(module, "ask_cells", raises(error))
    with pytest.raises(type(error)):
        accepted(stack)
    assert stack.done[-1].startswith("unpin accepted-")


def test_probes_that_the_cells_mark_differently_are_dropped(stack):
    stack.reply = lambda probe, cell: {"score": 0.0} if (probe, cell) == ("p05", "10") else {}
    found = accepted(stack)
    assert [p.id for p in found.probes.probes] == [p.id for p in PROBES if p.id != "p05"]
    assert "p05" not in found.baseline.scores


def test_probes_that_are_wrong_are_not_asked_in_the_cells(stack):
    stack.reply = lambda probe, cell: {"score": 0.5} if probe == "p05" else {}
    assert "p05" not in {probe.id for probe in accepted(stack).probes.probes}
    assert "p05" not in stack.rounds[-1][2]


@pytest.mark.parametrize("varying", ["text", "score"])
def test_only_probes_that_vary_are_asked_many_rounds(stack, varying):
    def reply(probe, cell):
        odd = len(stack.rounds) % 2 if varying == "text" else len(stack.rounds) == 2
        other = {"text": "28 days [1]"} if varying == "text" else {"score": 0.5}
        return other if probe == "p05" and odd else {}

    stack.reply = reply
    accepted(stack)
    rounds = [ids for _, _, ids, cells in stack.rounds if cells == ("11",)]
    assert [len(ids) for ids in rounds[:ROUNDS]] == [len(PROBES)] * ROUNDS
    assert rounds[ROUNDS:] == [["p05"]] * (ROUNDS_OF_NOISE - ROUNDS)
    assert len({tuple(ids) for ids in rounds[:ROUNDS]}) == ROUNDS  # each in another order


def test_a_stack_that_does_not_vary_is_asked_few_rounds(stack):
    accepted(stack)
    assert len(stack.rounds) == ROUNDS + 1


@pytest.mark.parametrize("change", [{"build": "b2"}, {"bundle": "x2"}])
def test_a_reference_that_is_not_the_live_application_is_refused_before_anything_is_pinned(
    stack, change
):
    stack.statuses["http://ref"] = stack.status.model_copy(update=change)
    with pytest.raises(Unavailable, match="is not the live one"):
        accepted(stack)
    assert not [done for done in stack.done if done.startswith("pin ")]


@pytest.mark.parametrize(("command", "ended"), [("true", "well"), ("false", "badly"), ("", "well")])
def test_the_command_that_pins_the_application_must_end_well(stack, command, ended):
    stack.settings = stack.settings.model_copy(update={"pin_application_command": command})
    if ended == "well":
        assert accepted(stack).application == stack.status
    else:
        with pytest.raises(Unavailable, match="could not be pinned"):
            accepted(stack)


@pytest.mark.parametrize(("wrong", "calls"), [("cells", ["", "--undo"]), ("", [""])])
def test_a_refused_accept_takes_the_accepted_build_back_and_a_good_one_keeps_it(
    stack, tmp_path, wrong, calls
):
    told = tmp_path / "calls"
    pinning = f"sh -c 'echo $1 >> {told}' pin"
    stack.settings = stack.settings.model_copy(update={"pin_application_command": pinning})
    if wrong:
        stack.reply = lambda probe, cell: {"score": float(cell != "10")}
        with pytest.raises(NotAccepted):
            accepted(stack)
    else:
        accepted(stack)
    assert told.read_text().split("\n")[:-1] == calls


def test_the_pin_before_the_last_is_kept_and_the_one_before_that_removed(stack):
    pins = [
        stack.accepted().pin.model_copy(update={"name": name}) for name in ("new", "old", "older")
    ]
    drop_older(stack.settings, pins[:2])
    assert stack.done == []
    drop_older(stack.settings, pins)
    assert stack.done == ["unpin older"]


def test_candidates_are_canaries_and_every_second_golden_with_their_twins(tmp_path):
    golden = tmp_path / "golden.jsonl"
    rows = [
        {"id": f"q{n}", "question": "?", "kind": "fact", "gold": {"r2": {"answerable": False}}}
        for n in range(4)
    ]
    golden.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ids = [probe.id for probe in candidates(Settings(golden=golden))]
    of_goldens = [id for id in ids if id.startswith("golden/")]
    assert of_goldens == ["golden/q0", "golden/q2"]
    own = [probe for probe in canaries.probes() if probe.values]
    assert len(ids) == 2 + len(canaries.probes()) + len(own)
