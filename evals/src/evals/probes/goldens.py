"""Goldens: questions on real documents, and what becomes of one whose source has changed."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal

from contracts.status import RawDocument
from evals.suite.answers import Question, load
from evals.suite.labels import contains, words
from evals.watch.model import Probe

FEW_RETIRED = 4  # probes may always go: two questions, each in two aspects
MOST_RETIRED = 0.1  # of the golden probes, else it is damage: docs/adr/0011
State = Literal["current", "pending", "retired"]


def probes(path: Path, revision: str = "r2", source: str = "sample") -> list[Probe]:
    """Every question of a golden set that knows the revision, as a probe.

    Raises: DatasetError naming the line that is not in the form.
    """
    return [_probe(each, revision, source) for each in load(path) if revision in each.gold]


def halves(every: Sequence[Probe]) -> tuple[list[Probe], list[Probe]]:
    """The watcher's goldens, and those that it never sees, for the oracle of drills."""
    return list(every[::2]), list(every[1::2])


def pending(
    probe: Probe, raw: Mapping[str, RawDocument], accepted_versions: Mapping[str, str]
) -> State:
    """Whether a golden's documents are those of its acceptance; both mappings go by document id.

    A pending golden is scored still: a source that changes its format must not blind the watcher.
    It is retired once each of its documents was read, reads like itself, and holds the value no
    more. A document that is gone, unread or unreadable proves nothing, since a source that lost a
    page looks like one from which it was deleted: then a person retires the probe.
    """
    changed = [
        (document, span)
        for document, span in zip(probe.documents, probe.spans, strict=True)
        if document not in raw or raw[document].version != accepted_versions.get(document)
    ]
    if not changed:
        return "current"
    if len(changed) < len(probe.documents):
        return "pending"  # an unchanged document holds the value still
    confirmed = all(
        document in raw and raw[document].found and _lost(probe, span, raw[document].text)
        for document, span in changed
    )
    return "retired" if confirmed else "pending"


def without_retired(
    every: Sequence[Probe], raw: Mapping[str, RawDocument], accepted_versions: Mapping[str, str]
) -> tuple[list[Probe], list[str]]:
    """The probes without retired goldens; or all, with a sentence, where too many would go.

    `raw` has the documents of those whose source may have changed.
    """
    asked = [probe for probe in every if probe.origin == "golden"]
    retired = {p.id for p in asked if pending(p, raw, accepted_versions) == "retired"}
    if len(retired) > max(FEW_RETIRED, MOST_RETIRED * len(asked)):
        return list(every), [
            f"The values of {len(retired)} of {len(asked)} golden probes are gone from the source "
            "itself. If that is meant, `make accept`."
        ]
    return [probe for probe in every if probe.id not in retired], []


def _probe(question: Question, revision: str, source: str) -> Probe:
    gold = question.gold[revision]
    kind = question.kind if gold.answerable else "unanswerable"
    formats = {PurePosixPath(label.path).suffix.removeprefix(".") for label in gold.documents}
    return Probe(
        id=f"golden/{question.id}",
        question=question.question,
        origin="golden",
        # a fact that stands in two formats survives the loss of one, so it speaks for neither
        strata=(
            "golden",
            f"golden:{kind}",
            *(f"{source}:{f}" for f in formats if len(formats) == 1),
        ),
        values=tuple(gold.values),
        documents=tuple(f"{source}/{label.path}" for label in gold.documents),
        spans=tuple(label.span for label in gold.documents),
    )


def _lost(probe: Probe, span: str, text: str) -> bool:
    """Whether `text` reads like the document, with half of the span's words, and lacks the value.

    A letter beyond ASCII may have become anything: "Maravić" leaves a trace in "MaraviÄ‡".
    """
    ours, theirs = set(words(span)), set(words(text))
    if len(ours & theirs) < len(ours) / 2:
        return False
    traces = (re.sub(r"[^\x00-\x7f]", r"\\S{0,3}", re.escape(value)) for value in probe.values)
    return not any(contains(text, value) for value in probe.values) and not any(
        re.search(rf"(?<!\w){trace}(?!\w)", text, re.IGNORECASE) for trace in traces
    )
