"""Each cycle fetches documents of every source again; what they lost speaks against the data."""

import pytest

from contracts.status import AuditReport, Finding
from evals.watch.model import Indicator


def report(*findings, checked=1, **changed):
    fields = {"source": "sample", "index": "i", "documents": checked, "checked": checked}
    return AuditReport(**fields | {"findings": list(findings)} | changed)


def test_every_source_of_the_index_is_audited_and_other_documents_of_it_in_each_cycle(layers):
    drawn = []

    def audit(source, sample, seed):
        drawn.append((source, sample, seed))
        return report()

    layers.sources.audit = audit
    live = layers.content()
    page = live.documents[layers.page].model_copy(update={"source": "hr", "document_id": "hr/a.md"})
    live = live.model_copy(update={"documents": live.documents | {page.document_id: page}})
    for id in ("20261123T160000Z", "20261123T160000Z", "20261123T170000Z"):
        layers.cycles().audits(live, id)
    first, again, later = drawn[:2], drawn[2:4], drawn[4:]
    assert [(source, sample) for source, sample, _ in first] == [("hr", 60), ("sample", 60)]
    assert again == first
    assert {seed for *_, seed in later}.isdisjoint(seed for *_, seed in first)


def test_every_finding_of_the_audit_speaks_against_the_data(layers):
    lost = Finding(document_id=layers.page, kind="text lost", detail="Half of it is lost.")
    layers.sources.audit = lambda source, sample, seed: report(lost, error="HTTP 500")
    assert layers.indicators() == [
        Indicator(layer="data", source="audit", what="sample", detail=detail)
        for detail in (
            f"Text lost: 1 documents, e.g. {layers.page}: Half of it is lost.",
            "HTTP 500",
        )
    ]
    assert layers.cycle().cycle.audits == {"audit of sample": (1.0,)}


def test_a_kind_of_finding_is_one_sentence_that_counts_its_documents(layers):
    found = [
        Finding(document_id=f"sample/{name}.md", kind=kind, detail=f"{kind} of {name}.")
        for name, kind in [("a", "mojibake"), ("b", "mojibake"), ("b", "mojibake"), ("b", "ghost")]
    ]
    layers.sources.audit = lambda source, sample, seed: report(*found, checked=9)
    assert [indicator.detail for indicator in layers.indicators()] == [
        "Mojibake: 2 documents, e.g. sample/a.md: mojibake of a.",
        "Ghost: 1 documents, e.g. sample/b.md: ghost of b.",
    ]


@pytest.mark.parametrize("kind", ["missing", "ghost", "stale"])
def test_what_a_sync_may_still_mend_is_told_and_is_no_mark(layers, kind):
    late = Finding(document_id=layers.page, kind=kind, detail="It is late.")
    layers.sources.audit = lambda source, sample, seed: report(late, checked=2)
    assert len(layers.indicators()) == 1
    assert layers.cycle().cycle.audits == {"audit of sample": (0.0, 0.0)}


@pytest.mark.parametrize("kind", ["text lost", "tables lost", "mojibake", "shape"])
def test_every_kind_of_lost_content_marks_its_document_once(layers, kind):
    found = Finding(document_id=layers.page, kind=kind, detail="It is lost.")
    layers.sources.audit = lambda source, sample, seed: report(found, found, checked=3)
    assert layers.cycle().cycle.audits == {"audit of sample": (1.0, 0.0, 0.0)}
