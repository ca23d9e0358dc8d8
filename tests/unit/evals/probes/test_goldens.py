import json
from pathlib import Path

import pytest

from contracts.status import RawDocument
from evals.probes import goldens
from evals.watch.model import Probe

GOLDEN = Path(__file__).parents[4] / "evals/datasets/sample/golden.jsonl"
PAGE = "sample/leave.md"
SPAN = "Everybody on a permanent contract has 28 days of paid annual leave"
PROBE = Probe(
    id="golden/q1",
    question="How much leave?",
    origin="golden",
    strata=("golden",),
    values=("28 days",),
    documents=(PAGE,),
    spans=(SPAN,),
)
ACCEPTED = {PAGE: "v1", "sample/faq.md": "v1"}


def raw(text: str = "", version: str | None = "v2", found: bool = True) -> dict[str, RawDocument]:
    return {PAGE: RawDocument(document_id=PAGE, found=found, version=version, text=text)}


def test_goldens_name_documents_of_the_index_and_the_truth_of_their_revision() -> None:
    probes = {probe.id: probe for probe in goldens.probes(GOLDEN)}
    assert len(probes) == 80
    pension = probes["golden/q53"]
    assert pension.values[0] == "9 percent"
    assert pension.documents == ("sample/handbook/pension.pdf",)
    assert pension.strata == ("golden", "golden:temporal", "sample:pdf")


def test_a_question_that_the_revision_cannot_answer_must_be_refused() -> None:
    probes = {probe.id: probe for probe in goldens.probes(GOLDEN)}
    for id in ("golden/q61", "golden/q57"):  # never answerable, and no more since r2
        assert (probes[id].values, probes[id].strata) == ((), ("golden", "golden:unanswerable"))
        assert goldens.pending(probes[id], {}, {}) == "current"


def test_an_answer_in_two_formats_speaks_for_neither() -> None:
    probes = {probe.id: probe for probe in goldens.probes(GOLDEN)}
    assert probes["golden/q15"].strata == ("golden", "golden:fact")  # manual.pdf and wiring.docx


def test_a_golden_whose_document_is_the_accepted_one_is_current() -> None:
    assert goldens.pending(PROBE, raw(SPAN, "v1"), ACCEPTED) == "current"


def test_a_golden_is_retired_once_its_page_reads_well_without_the_value() -> None:
    assert goldens.pending(PROBE, raw(SPAN.replace("28", "30")), ACCEPTED) == "retired"


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(raw(f"New intro. {SPAN}."), id="still there"),
        pytest.param(raw(""), id="no text"),
        pytest.param(raw("Enable JavaScript to run this app. Home News"), id="script shell"),
        pytest.param(raw(" ".join(SPAN.replace("28", "30"))), id="wrong encoding"),
        pytest.param(raw(SPAN.replace("28", "30"), None, found=False), id="gone"),
        pytest.param({}, id="not fetched"),
    ],
)
def test_a_changed_source_that_proves_nothing_leaves_the_golden_pending(
    found: dict[str, RawDocument],
) -> None:
    assert goldens.pending(PROBE, found, ACCEPTED) == "pending"


@pytest.mark.parametrize("written", ["MaraviÄ‡", "Maravi?", "Maravic", "Maravi\ufffd"])
def test_mojibake_of_a_name_does_not_retire_it(written: str) -> None:
    span = "Ilse Maravić has been managing director since March 2019"
    probe = PROBE.model_copy(update={"values": ("Ilse Maravić",), "spans": (span,)})
    text = span.replace("Maravić", written)
    assert goldens.pending(probe, raw(text), ACCEPTED) == "pending"
    other = span.replace("Ilse Maravić", "Anselm Ray")
    assert goldens.pending(probe, raw(other), ACCEPTED) == "retired"


def test_a_second_document_that_is_unchanged_keeps_a_golden_alive() -> None:
    both = PROBE.model_copy(update={"documents": (PAGE, "sample/faq.md"), "spans": (SPAN, SPAN)})
    faq = RawDocument(document_id="sample/faq.md", found=True, version="v1", text=SPAN)
    found = raw(SPAN.replace("28", "30")) | {"sample/faq.md": faq}
    assert goldens.pending(both, found, ACCEPTED) == "pending"


def test_a_value_that_moved_within_its_page_does_not_retire_its_golden() -> None:
    moved = raw(SPAN.replace("28 days", "some weeks") + ". New staff have 28\ndays.")
    assert goldens.pending(PROBE, moved, ACCEPTED) == "pending"


@pytest.mark.parametrize(("gone", "every"), [(4, 10), (5, 10), (5, 50), (6, 50)])
def test_a_few_goldens_may_retire_at_once_but_many_are_damage_and_stay(
    gone: int, every: int
) -> None:
    probes, found, accepted = [], {}, {}
    for number in range(every):
        page = f"sample/{number}.md"
        text = SPAN.replace("28", "30") if number < gone else SPAN
        changed = {"id": f"golden/q{number}", "documents": (page,)}
        probes.append(PROBE.model_copy(update=changed))
        found[page] = RawDocument(document_id=page, found=True, version="v2", text=text)
        accepted[page] = "v1"
    kept, told = goldens.without_retired(probes, found, accepted)
    is_damage = gone > max(4, every / 10)
    assert len(kept) == (every if is_damage else every - gone)
    assert bool(told) == is_damage


def test_canaries_never_retire_since_we_own_their_documents() -> None:
    canary = PROBE.model_copy(update={"id": "canary/1", "origin": "canary"})
    found = raw(SPAN.replace("28", "30"))
    assert goldens.without_retired([canary], found, ACCEPTED) == ([canary], [])


def test_the_watcher_and_the_oracle_share_no_golden() -> None:
    watched, unseen = goldens.halves(goldens.probes(GOLDEN))
    assert {probe.id for probe in watched}.isdisjoint(probe.id for probe in unseen)
    assert len(watched) == len(unseen) == 40


def test_a_question_that_a_revision_does_not_know_is_not_asked_of_it(tmp_path: Path) -> None:
    lines = GOLDEN.read_text().splitlines()
    first = json.loads(lines[0])
    del first["gold"]["r2"]
    path = tmp_path / "golden.jsonl"
    path.write_text("\n".join([json.dumps(first), *lines[1:]]))
    assert len(goldens.probes(path)) == 79


def test_a_golden_of_two_changed_pages_is_retired_only_when_both_have_lost_it() -> None:
    faq = "sample/faq.md"
    twice = PROBE.model_copy(update={"documents": (PAGE, faq), "spans": (SPAN, SPAN)})
    lost, kept = SPAN.replace("28", "30"), SPAN
    for text, state in ((kept, "pending"), (lost, "retired")):
        also = {faq: RawDocument(document_id=faq, found=True, version="v2", text=text)}
        assert goldens.pending(twice, raw(lost) | also, ACCEPTED) == state


def test_any_way_to_write_the_value_keeps_a_golden_alive() -> None:
    several = PROBE.model_copy(update={"values": ("four weeks", "28 days")})
    for text in (SPAN, SPAN.replace("28 days", "28\n  days")):
        assert goldens.pending(several, raw(text), ACCEPTED) == "pending"


def test_half_of_a_pages_words_are_enough_to_read_like_it() -> None:
    half = PROBE.model_copy(update={"spans": ("28 days of leave",)})
    assert goldens.pending(half, raw("days of rest"), ACCEPTED) == "retired"
    assert goldens.pending(half, raw("days and rest"), ACCEPTED) == "pending"
