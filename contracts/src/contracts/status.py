"""Contract 5, status: what each layer says of itself to evals and to people."""

from datetime import datetime
from typing import Literal

from contracts import Contract

Outcome = Literal["added", "modified", "unchanged", "deleted", "quarantined"]


class Quarantined(Contract):
    """A document that could not be indexed, and why; the raw file is left where it was."""

    path: str
    reason: str
    sha256: str
    raw_bytes: int
    attempts: int


class Move(Contract):
    """A document whose content was found again under another path in the same run."""

    old_path: str
    new_path: str


class RunReport(Contract):
    """What one ingestion run did; every path it saw has exactly one outcome (invariant I9)."""

    contract: Literal["status/1"] = "status/1"
    run_id: str
    flow_run_id: str | None  # Prefect's, where a flow ran it
    source: str
    tenant: str
    index: str
    collection: str
    status: Literal["complete", "partial", "failed"]  # partial: something was quarantined
    started_at: datetime
    seconds: float
    outcomes: dict[str, Outcome]  # by path in the source
    moves: list[Move]
    quarantined: list[Quarantined]
    chunks_written: int
    chunks_embedded: int
    chunks_swept: int
    error: str | None = None

    def count(self, outcome: Outcome) -> int:
        """Number of paths with this outcome."""
        return sum(1 for found in self.outcomes.values() if found == outcome)


class SourceStatus(Contract):
    """Freshness of one source, from `ingestion status --json`."""

    contract: Literal["status/1"] = "status/1"
    source: str
    index: str
    documents: int
    chunks: int
    last_good_run: str | None
    last_good_run_at: datetime | None
    lag_seconds: float | None  # since the last good run
    quarantined: int


class BundleStatus(Contract):
    """The application's build and bundle, from `GET /v1/status`."""

    contract: Literal["status/1"] = "status/1"
    build: str
    bundle: str  # digest, computed from the files as they lie on disk
    prompts: dict[str, str]  # prompt name -> version
    settings: dict[str, float | int | str | bool]  # retrieval and sampling settings


class Check(Contract):
    """One dependency as readiness saw it."""

    ok: bool
    detail: str


class Readiness(Contract):
    """Reply of `GET /health/ready`; 200 when every check that is required holds, else 503."""

    status: Literal["ready", "degraded", "down"]
    checks: dict[str, Check]
