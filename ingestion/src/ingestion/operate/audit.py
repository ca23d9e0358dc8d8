"""The index of one source against the source itself, fetched again and read by `raw.py`."""

import hashlib
import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from qdrant_client import QdrantClient

from contracts.index import ChunkPayload, DocumentManifest
from contracts.status import AuditReport, Finding, Quarantined, RawDocument
from ingestion.compare import Indexed, differences
from ingestion.errors import DocumentError, UsageError
from ingestion.index.pins import pins, written_alias
from ingestion.index.reader import Reader
from ingestion.index.store import aliases
from ingestion.raw import extract
from ingestion.settings import Settings
from ingestion.sources import Found, Source
from ingestion.sources.settings import due_after
from ingestion.state.runs import Runs
from ingestion.sync.quarantine import Quarantine
from ingestion.sync.request import SyncRequest, request_of, source_of


@dataclass(frozen=True)
class Auditor:
    """Looks at one source of one index, as readers see it at `now`."""

    request: SyncRequest
    settings: Settings
    client: QdrantClient
    now: datetime
    schedule: int | str  # before its next run, a change that no sync has seen is no finding

    def audit(self, sample: int, seed: int) -> AuditReport:
        """Compare all identities, and the content of some documents; `error` if it is unreadable.

        A finding is one that a second look confirms, since a sync may commit during the first.
        """
        if self.request.index not in aliases(self.client):
            raise UsageError(
                f"There is no index {self.request.index}: `ingestion sync <folder>` makes one."
            )
        try:
            report = self._look(sample, seed)
            if report.findings:
                seen = {(finding.document_id, finding.kind) for finding in report.findings}
                report = self._look(sample, seed)
                both = [f for f in report.findings if (f.document_id, f.kind) in seen]
                report = report.model_copy(update={"findings": both})
        except UsageError as error:
            return self._report(0, 0, (), str(error))
        return report

    def _look(self, sample: int, seed: int) -> AuditReport:
        manifests = {m.path: m for m in self._reader(self.request.index).manifests()}
        source = source_of(self.request, self.settings)
        found = {each.path: each for each in source.scan()}
        if manifests and not found:
            raise UsageError(f"{self.request.reads.location} has no entry: is its folder mounted?")
        findings = list(self._identities(manifests, found, source))
        same = sorted(
            p for p, m in manifests.items() if p in found and found[p].sha256 == m.version
        )
        chosen = random.Random(seed).sample(same, min(sample, len(same)))  # noqa: S311  # no secret
        pinned = self._pinned([manifests[path] for path in chosen])
        checked = 0
        for path in chosen:
            manifest = manifests[path]
            try:
                raw = source.read(path)
                said = extract(raw, manifest.format)
            except DocumentError:
                continue
            if hashlib.sha256(raw).hexdigest() == manifest.version:
                chunks = self._chunks(manifest)
                indexed = Indexed(
                    manifest, chunks, pinned.get((manifest.tenant, manifest.document_id))
                )
                findings += differences(said, indexed)
                checked += 1
        return self._report(len(manifests), checked, findings)

    def _identities(
        self, manifests: dict[str, DocumentManifest], found: dict[str, Found], source: Source
    ) -> Iterator[Finding]:
        """Missing, ghosts and stale: what a sync should have seen, but the index does not show."""
        request, quarantined = self.request, self._quarantined()
        last = Runs(self.settings.state_dir).last_good(
            request.index, request.tenant, request.source, until=self.now
        )
        no_excuse = self.now - (due_after(self.schedule, self.now) - self.now)
        if last:
            no_excuse = max(no_excuse, last.started_at)
        for path in sorted(manifests.keys() | found.keys()):
            manifest, entry = manifests.get(path), found.get(path)
            changed_at = source.changed_at(path)
            if changed_at >= no_excuse:
                continue
            since = f"since {changed_at:%Y-%m-%d %H:%M:%S} UTC"
            document_id = f"{request.source}/{path}"
            if manifest is None:
                if entry and not entry.problem and path not in quarantined:
                    detail = f"in the source {since}, and not in the index"
                    yield Finding(document_id=document_id, kind="missing", detail=detail)
            elif entry is None:
                detail = f"in the index with {manifest.chunks} chunks, and gone from the source"
                yield Finding(document_id=document_id, kind="ghost", detail=detail)
            elif entry.sha256 != manifest.version:
                reason = entry.problem or (path in quarantined and quarantined[path].reason)
                detail = (
                    f"the index holds version {manifest.version[:12]} of "
                    f"{manifest.committed_at:%Y-%m-%d %H:%M:%S} UTC, the source "
                    f"{entry.sha256[:12] or 'an unreadable one'} {since}"
                ) + (f"; in quarantine: {reason}" if reason else "")
                yield Finding(document_id=document_id, kind="stale", detail=detail)

    def _quarantined(self) -> dict[str, Quarantined]:
        request, named = self.request, aliases(self.client)
        collection = named.get(written_alias(request.index), named[request.index])
        key = (self.settings.state_dir, collection, request.tenant, request.source)
        return Quarantine(*key).entries()

    def _reader(self, index: str) -> Reader:
        return Reader(self.client, index, tenant=self.request.tenant, source=self.request.source)

    def _chunks(self, manifest: DocumentManifest) -> list[ChunkPayload]:
        wanted = {name: getattr(manifest, name) for name in ("document_id", "version", "namespace")}
        return list(self._reader(self.request.index).chunks(**wanted).values())

    def _pinned(
        self, manifests: Iterable[DocumentManifest]
    ) -> dict[tuple[str, str], DocumentManifest]:
        """The same documents as the newest pin of the index has them."""
        made = pins(self.client, self.request.index)
        wanted = [(manifest.tenant, manifest.document_id) for manifest in manifests]
        return self._reader(made[-1].index).manifests_of(wanted) if made else {}

    def _report(
        self, documents: int, checked: int, findings: Collection[Finding], error: str | None = None
    ) -> AuditReport:
        return AuditReport(
            source=self.request.source,
            index=self.request.index,
            documents=documents,
            checked=checked,
            findings=list(findings),
            error=error,
        )


def raw_documents(document_ids: Iterable[str], settings: Settings) -> list[RawDocument]:
    """Documents of the declared sources as they are now, in the order asked for.

    Raises: UsageError for a source that is not there or cannot be read.
    """
    opened: dict[str, tuple[Source, dict[str, Found]]] = {}
    documents = []
    for document_id in document_ids:
        name, _, path = document_id.partition("/")
        if name not in opened:
            source = source_of(request_of(name, settings), settings)
            opened[name] = source, {each.path: each for each in source.scan()}
        documents.append(_raw_document(document_id, path, *opened[name]))
    return documents


def _raw_document(
    document_id: str, path: str, source: Source, found: dict[str, Found]
) -> RawDocument:
    if path not in found:
        return RawDocument(document_id=document_id, found=False)
    try:
        raw = source.read(path)
    except DocumentError:
        return RawDocument(document_id=document_id, found=False)
    try:
        text = "" if found[path].problem else extract(raw, found[path].format).text
    except DocumentError:
        text = ""
    version = hashlib.sha256(raw).hexdigest()
    return RawDocument(document_id=document_id, found=True, version=version, text=text)
