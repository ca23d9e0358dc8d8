"""How fresh each source of an index is, from the index itself and the reports of past runs."""

from collections import Counter
from datetime import datetime
from pathlib import Path

from contracts.status import SourceStatus
from ingestion.held import HeldRun
from ingestion.index import documents_and_chunks
from ingestion.runs import Runs
from ingestion.settings import Settings
from ingestion.store import connect


def statuses(index: str, settings: Settings, now: datetime) -> list[SourceStatus]:
    """A status per source, by name; raises Unavailable if the store does not answer."""
    client = connect(settings.qdrant_url, settings.qdrant_api_key, settings.timeout_seconds)
    documents, chunks = documents_and_chunks(client, index)
    runs = Runs(settings.state_dir)
    return [
        _status(tenant, source, index, documents, chunks, settings.state_dir, now)
        for tenant, source in sorted(documents.keys() | runs.sources(index))
    ]


def _status(
    tenant: str,
    source: str,
    index: str,
    documents: Counter[tuple[str, str]],
    chunks: Counter[tuple[str, str]],
    state_dir: Path,
    now: datetime,
) -> SourceStatus:
    last = Runs(state_dir).last_good(index, tenant, source)
    return SourceStatus(
        source=source,
        index=index,
        documents=documents[tenant, source],
        chunks=chunks[tenant, source],
        last_good_run=last.run_id if last else None,
        last_good_run_at=last.started_at if last else None,
        lag_seconds=(now - last.started_at).total_seconds() if last else None,
        quarantined=len(last.quarantined) if last else 0,
        hold=HeldRun.of(state_dir, index, tenant, source).hold(),
    )
