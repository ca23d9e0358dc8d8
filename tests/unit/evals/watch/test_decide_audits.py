"""Documents that the audit finds damaged speak against the data, though no probe misses them."""

from tests.fakes.scored_cycles import BASELINE, PROBES, asked, faulty, run

from evals.watch.audit import damaged
from evals.watch.decide import healed
from evals.watch.detector import State
from evals.watch.model import Cycle, Verdict


def audited(lost: int, of: int = 57) -> Cycle:
    """A cycle whose audit finds so many documents of the sample damaged."""
    marks = (1.0,) * lost + (0.0,) * (of - lost)
    return asked(audits={"audit of sample": marks, "audit of one not accepted": (1.0,) * 9})


AUDITED = BASELINE.model_copy(update={"deltas": BASELINE.deltas | {"audit of sample": 0.05}})


def after_audits(*lost: int, state: State | None = None) -> tuple[Verdict, State]:
    """The verdict after cycles whose audits find so many damaged."""
    return run(*[audited(number) for number in lost], state=state, baseline=AUDITED)


def test_documents_that_lost_content_name_the_data_though_no_probe_misses_it() -> None:
    verdict, _ = after_audits(10, 10, 10, 10)
    assert (verdict.status, verdict.layers) == ("FAULT", ("data",))
    assert verdict.hot == {"data": ("audit of sample",)}
    assert verdict.reason.endswith("; documents lost content: 18% in the audit of sample.")
    assert healed(verdict, audited(10), PROBES, AUDITED).value == 0


def test_documents_that_lost_content_are_a_suspicion_before_they_are_a_fault() -> None:
    assert after_audits(10, 10, 10)[0].status == "SUSPECT"


def test_a_few_documents_that_changed_are_no_suspicion_for_a_month() -> None:
    assert {after_audits(*[2] * cycles)[0].status for cycles in (1, 100, 720)} == {"OK"}


def test_documents_put_back_end_the_fault_in_the_next_cycle() -> None:
    verdict, state = after_audits(10, 10, 10, 10)
    verdict, state = after_audits(2, state=state)  # as many as an edit may change
    assert verdict.status == "OK"
    assert "Healed (data)" in verdict.reason


def test_an_audit_beside_another_layers_fault_names_both() -> None:
    state = after_audits(10, 10, 10)[1]  # a suspicion
    both = faulty(serving=range(30)).model_copy(update={"audits": audited(10).audits})
    verdict, _ = run(both, state=state, baseline=AUDITED)
    assert set(verdict.layers) == {"data", "serving"}


def test_an_audit_that_compared_nothing_says_nothing() -> None:
    cycle = asked(audits={"audit of sample": ()})
    assert damaged(cycle, AUDITED.deltas) == {}
    assert run(cycle, baseline=AUDITED)[0].status == "OK"


def test_as_much_damage_as_is_tolerated_is_none() -> None:
    assert damaged(audited(5, of=100), AUDITED.deltas) == {}
    assert damaged(audited(6, of=100), AUDITED.deltas) == {"audit of sample": 0.06}
