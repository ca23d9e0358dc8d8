"""Contract 5, status: what each layer says of itself to evals and to people."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts import Record

Outcome = Literal["added", "modified", "unchanged", "deleted", "quarantined"]


class Quarantined(Record):
    """A document that could not be indexed, and why; the raw file is left where it was."""

    path: str
    reason: str
    sha256: str
    raw_bytes: int
    attempts: int


class Move(Record):
    """A document whose content was found again under another path in the same run."""

    old_path: str
    new_path: str


class Hold(Record):
    """Why a guard held a run, which changed nothing: `ingestion approve <run_id>` lets it through.

    An approval is for what the source held then; once the source has changed, it is void.
    """

    run_id: str
    since: datetime
    digest: str  # of the paths and contents of the source, and the guards' limits
    reasons: list[str]  # clauses with figures and examples, one for each guard
    approved_by: str | None = None
    approved_at: datetime | None = None


class RunReport(Record):
    """What one ingestion run did; every path it saw has exactly one outcome (invariant I9).

    A held run did nothing, and has no outcomes.
    """

    contract: Literal["status/1"] = "status/1"
    run_id: str
    flow_run_id: str | None  # Prefect's, where a flow ran it
    source: str
    tenant: str
    index: str
    only: str = ""  # a path: the run looked at this part of the source, and at nothing else
    collection: str
    status: Literal["complete", "partial", "failed", "held"]  # partial: something was quarantined
    started_at: datetime
    seconds: float
    outcomes: dict[str, Outcome]  # by path in the source; a kept report leaves out the unchanged
    unchanged: int = 0  # paths that `outcomes` leaves out
    moves: list[Move]
    quarantined: list[Quarantined]
    chunks_written: int
    chunks_embedded: int
    chunks_swept: int
    exact_duplicates: int = 0  # documents of the source whose text an earlier path has too
    near_duplicates: int = 0  # documents that this run wrote, and that nearly repeat one of them
    error: str | None = None
    hold: Hold | None = None  # that stopped it, or that was approved and let it through
    notes: list[str] = Field(
        default_factory=list
    )  # for a person, e.g. what looks damaged, but not too much of it

    def count(self, outcome: Outcome) -> int:
        """Number of paths with this outcome."""
        listed = sum(1 for found in self.outcomes.values() if found == outcome)
        return listed + (self.unchanged if outcome == "unchanged" else 0)

    @property
    def paths(self) -> int:
        """Number of paths that the run saw."""
        return len(self.outcomes) + self.unchanged


StaleReason = Literal[
    "never in sync",
    "clock wrong",
    "run held",
    "run failed",
    "schedule stopped",
    "source silent",
]


class SourceStatus(Record):
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
    tenant: str | None = None
    owner: str | None = None
    last_run: str | None = None  # good or not
    last_changed_at: datetime | None = None  # a run added, modified or deleted something
    limit_seconds: float | None = None  # of the lag; None: the source is not declared
    over_limit: bool = False
    reason: StaleReason | None = None  # also of a warning, within the limit
    detail: str = ""  # what is wrong, and what to do
    hold: Hold | None = None  # the run that waits for approval
    undeclared: bool = False  # it was declared once, is no more, and readers still see it


class Pin(Record):
    """An immutable copy of an index, from `ingestion pin NAME --json`."""

    contract: Literal["status/1"] = "status/1"
    name: str
    index: str  # the alias to read it by, e.g. in X-Probe-Index
    of: str  # the index that was copied
    collection: str  # the collection that was live then
    documents: int
    chunks: int
    created_at: datetime


class RawDocument(Record):
    """A document fetched again from its source, from `ingestion raw ID... --json`.

    The text comes from a second, simpler extractor, so that no parser is checked by itself.
    """

    contract: Literal["status/1"] = "status/1"
    document_id: str
    found: bool  # False: the source has no such document now
    version: str | None = None  # sha256 of the raw bytes
    text: str = ""


class Finding(Record):
    """One way in which the index differs from what its source says."""

    document_id: str
    kind: Literal["missing", "ghost", "stale", "text lost", "tables lost", "mojibake", "shape"]
    detail: str  # a sentence with the figures


class AuditReport(Record):
    """The index of one source against its raw documents, from `ingestion audit --json`."""

    contract: Literal["status/1"] = "status/1"
    source: str
    index: str
    documents: int  # committed in the index
    checked: int  # of them, fetched again and compared
    findings: list[Finding]
    error: str | None = None  # the source could not be read


class BundleStatus(Record):
    """The application's build and bundle, from `GET /v1/status`."""

    contract: Literal["status/1"] = "status/1"
    build: str
    bundle: str  # digest of the bundle that answers, computed from the files on disk
    released: str | None = None  # digest of the bundle that was released last
    prompts: dict[str, str]  # prompt name -> version
    settings: dict[str, float | int | str | bool]  # retrieval and sampling settings


class GateResult(Record):
    """What evals found of a bundle and a build; `application bundle release` asks for it.

    It lies in evals' `STATE_DIR/gates/<bundle>.json`.
    """

    contract: Literal["status/1"] = "status/1"
    bundle: str
    build: str
    passed: bool
    at: datetime
    summary: str  # a clause for a person


class Check(Record):
    """One dependency as readiness saw it."""

    ok: bool
    detail: str


class Readiness(Record):
    """Reply of `GET /health/ready`; 200 when every check that is required holds, else 503."""

    status: Literal["ready", "degraded", "down"]
    checks: dict[str, Check]
