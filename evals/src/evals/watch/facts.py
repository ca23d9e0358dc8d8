"""What each layer is, in fingerprints, and what of it is not as it was accepted.

Changes say what is different and since when; they never say who is at fault.
"""

from collections.abc import Callable

import numpy as np

from contracts.endpoints import SAME_EMBEDDER_COSINE, EmbedderManifest, LlmManifest
from contracts.index import ChunkPayload
from contracts.status import AuditReport, BundleStatus, Finding
from evals.clients.models import Manifest
from evals.clients.qdrant import IndexContent
from evals.watch.model import Change, Frozen, Indicator, Layer, LayerFacts

NAMED = 3  # documents that a sentence names; the rest are counted
Differences = Callable[[Manifest, Manifest], list[str]]


class Facts(Frozen):
    """The three layers at one moment; the index's content is kept apart, being large.

    None stands for what did not answer: that is a finding, and no lack of data.
    """

    embedder: EmbedderManifest | None
    llms: dict[str, LlmManifest | None]  # by the replica's base URL
    application: BundleStatus | None
    index: str  # digest of the index's content


def serving_changes(was: Facts, now: Facts, differences: Differences) -> list[Change]:
    """The embedder and every replica of the chat model against the accepted ones."""
    accepted = next(iter(was.llms.values()))
    pairs: list[tuple[str, Manifest | None, Manifest | None]] = [
        ("embedder", was.embedder, now.embedder)
    ]
    pairs += [
        (f"chat model at {url}" if len(now.llms) > 1 else "chat model", accepted, manifest)
        for url, manifest in now.llms.items()
    ]
    changes = []
    for what, before, after in pairs:
        if after is None:
            said = [f"The {what} does not answer."]
        else:
            said = differences(before, after) if before else []
        if said:
            old, new = (each.digest if each else "none" for each in (before, after))
            changes.append(_change("serving", what, old, new, " ".join(said)))
    return changes


def application_changes(was: BundleStatus, now: BundleStatus | None) -> list[Change]:
    """The live build and bundle against the accepted ones."""
    if now is None:
        said = "The application does not answer."
        return [_change("application", "build", was.build, "none", said)]
    changes = []
    if was.build != now.build:
        detail = "The application runs other code than was accepted."
        changes.append(_change("application", "build", was.build, now.build, detail))
    if was.bundle != now.bundle:
        settings = [
            f"{name} {was.settings.get(name)} -> {now.settings.get(name)}"
            for name in sorted(was.settings | now.settings)
            if was.settings.get(name) != now.settings.get(name)
        ]
        said = f"Settings changed: {', '.join(settings)}." if settings else "A prompt changed."
        if now.released != now.bundle:
            said += " It was edited in place: nobody released it."
        changes.append(_change("application", "bundle", was.bundle, now.bundle, said))
    return changes


def data_changes(pinned: IndexContent, live: IndexContent, ignored: set[str]) -> list[Change]:
    """The live index against the pinned one, apart from `ignored` documents."""
    said = _document_changes(pinned, live, ignored)
    said += _spec_changes(pinned, live) or _chunk_changes(pinned, live, ignored)
    if not said:
        return []
    before, after = pinned.digest_without(ignored), live.digest_without(ignored)
    return [_change("data", "index content", before, after, " ".join(said))]


def written_by_no_sync(pinned: IndexContent, live: IndexContent) -> list[ChunkPayload]:
    """Live chunks that differ from the pinned ones of the same id, which is to say version."""
    return [
        chunk
        for id, chunk in live.chunks.items()
        if (before := pinned.chunks.get(id))
        and not (_said(before) == _said(chunk) and _is_close(pinned.dense[id], live.dense[id]))
    ]


def broken_contracts(now: Facts, live: IndexContent, changes: list[Change]) -> list[Indicator]:
    """What a boundary promises and does not hold; it corroborates a verdict, and alerts at once."""
    broken = [
        Indicator(layer=change.layer, source="contract", what=change.what, detail=change.detail)
        for change in changes
        if change.layer != "data"
    ]
    answering = now.application
    if answering and answering.released not in (None, answering.bundle):
        detail = f"The bundle {answering.bundle} answers, and was never released."
        broken.append(_contract("application", "released bundle", detail))
    embedder = _embedder(live)
    if embedder and now.embedder and embedder != now.embedder.fingerprint.digest:
        detail = "The index was built with another embedder than the one that serves."
        broken.append(_contract("data", "embedder of the index", detail))
    if live.unreadable:
        detail = f"{live.unreadable} chunks have a payload that breaks the contract."
        broken.append(_contract("data", "chunk payload", detail))
    if edited := sum("written by no sync" in change.detail for change in changes):
        detail = f"Chunks were changed in the index itself ({edited} finding)."
        broken.append(_contract("data", "written by syncs only", detail))
    return broken


def audit_failures(report: AuditReport) -> list[str]:
    """A sentence for each kind of finding: how many documents have it, and one of them."""
    kinds: dict[str, list[Finding]] = {}
    for finding in report.findings:
        kinds.setdefault(finding.kind, []).append(finding)
    return [
        f"{kind[0].upper()}{kind[1:]}: {len({f.document_id for f in found})} documents, "
        f"e.g. {found[0].document_id}: {found[0].detail}"
        for kind, found in kinds.items()
    ]


def described(facts: Facts, live: IndexContent) -> dict[Layer, LayerFacts]:
    """What each layer said of itself, for the page."""
    sources = sorted({manifest.source for manifest in live.documents.values()})
    status = facts.application
    unknown = "does not answer"
    return {
        "data": LayerFacts(
            versions={
                "content": live.digest,
                "documents": str(len(live.documents)),
                "chunks": str(len(live.chunks)),
                "sources": ", ".join(sources),
                "chunker": live.spec.chunker if live.spec else unknown,
            },
            contracts=("chunk payload", "written by syncs only", "embedder of the index", *sources),
        ),
        "serving": LayerFacts(
            versions={
                "embedder": facts.embedder.digest if facts.embedder else unknown,
                **{
                    f"chat model at {url}" if len(facts.llms) > 1 else "chat model": (
                        llm.digest if llm else unknown
                    )
                    for url, llm in facts.llms.items()
                },
            },
            contracts=("embedder", "chat model", "replica"),
        ),
        "application": LayerFacts(
            versions={
                "build": status.build if status else unknown,
                "bundle": status.bundle if status else unknown,
                "released": (status and status.released) or "never",
            },
            contracts=("build", "bundle", "released bundle", "users"),
        ),
    }


def _document_changes(pinned: IndexContent, live: IndexContent, ignored: set[str]) -> list[str]:
    before = {id: m.version for id, m in pinned.documents.items() if id not in ignored}
    after = {id: m.version for id, m in live.documents.items() if id not in ignored}
    kinds = {
        "added": after.keys() - before.keys(),
        "gone": before.keys() - after.keys(),
        "modified": {id for id in before.keys() & after.keys() if before[id] != after[id]},
    }
    return [f"{_counted(ids)} {kind}." for kind, ids in kinds.items() if ids]


def _spec_changes(pinned: IndexContent, live: IndexContent) -> list[str]:
    if not pinned.spec or not live.spec or pinned.spec.digest == live.spec.digest:
        return []
    said = [
        f"Its {name} is {new}, and was {old}."
        for name, old, new in (
            ("chunker", pinned.spec.chunker, live.spec.chunker),
            ("sparse setting", pinned.spec.sparse, live.spec.sparse),
            ("embedder", pinned.spec.embedder.model, live.spec.embedder.model),
        )
        if old != new
    ]
    return said or ["It was embedded by another embedder of the same name."]


def _chunk_changes(pinned: IndexContent, live: IndexContent, ignored: set[str]) -> list[str]:
    """Differences within versions that are the same: a sync makes none of them."""
    same = {
        id
        for id, manifest in live.documents.items()
        if (old := pinned.documents.get(id))
        and old.version == manifest.version
        and id not in ignored
    }
    before = {id: chunk for id, chunk in pinned.chunks.items() if chunk.document_id in same}
    after = {id: chunk for id, chunk in live.chunks.items() if chunk.document_id in same}
    both = before.keys() & after.keys()
    rewritten = {after[id].document_id for id in both if _said(before[id]) != _said(after[id])}
    moved = {
        after[id].document_id for id in both if not _is_close(pinned.dense[id], live.dense[id])
    }
    missing = {before[id].document_id for id in before.keys() - after.keys()}
    extra = {after[id].document_id for id in after.keys() - before.keys()}
    kinds = {
        "have chunks with other words or fields": rewritten,
        "have chunks with other vectors": moved,
        "lost chunks": missing,
        "have more chunks": extra,
    }
    return [
        f"{_counted(ids)} of the same version {kind}, written by no sync of that version."
        for kind, ids in kinds.items()
        if ids
    ]


def _said(chunk: ChunkPayload) -> str:
    """All that follows from the version; a sync may describe the same version anew."""
    return chunk.model_dump_json(exclude={"run_id", "tags", "path_tree", "modified_at"})


def _is_close(a: list[float], b: list[float]) -> bool:
    """Whether two vectors, normalised by the index, are one embedder's of one text."""
    if len(a) != len(b):
        return False
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return not norms or float(np.dot(a, b)) / norms >= SAME_EMBEDDER_COSINE


def _embedder(content: IndexContent) -> str | None:
    return content.spec.embedder.digest if content.spec else None


def _counted(ids: set[str]) -> str:
    named = ", ".join(sorted(ids)[:NAMED])
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"{len(ids)} documents ({named}{more})"


def _change(layer: Layer, what: str, before: str, after: str, detail: str) -> Change:
    return Change(layer=layer, what=what, before=before, after=after, detail=detail)


def _contract(layer: Layer, what: str, detail: str) -> Indicator:
    return Indicator(layer=layer, source="contract", what=what, detail=detail)
