"""The layers as a cycle reaches them, healthy until a test breaks one; and what was accepted."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from contracts.endpoints import EmbedderFingerprint, EmbedderManifest, LlmManifest
from contracts.index import DocumentManifest
from contracts.status import AuditReport, BundleStatus, Pin, RawDocument, SourceStatus
from evals.clients.qdrant import IndexContent
from evals.probes.selection import ProbeSet
from evals.settings import Settings
from evals.suite.ports import Each
from evals.watch.accepted import Accepted
from evals.watch.cycle import Cycles, Seen, empty
from evals.watch.facts import Facts
from evals.watch.model import CELLS, CellReply, Indicator, Probe

AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
PAGE = "sample/leave.md"
SPAN = "Everyone has 28 days of leave in a year."
STATUS = BundleStatus(build="b1", bundle="x1", released="x1", prompts={}, settings={})
EMBEDDER = EmbedderManifest(
    fingerprint=EmbedderFingerprint(
        model="m",
        weights_sha256="w",
        tokenizer_sha256="t",
        pooling="mean",
        normalised=True,
        max_tokens=256,
        dimensions=2,
        probe_vectors=[[1.0, 0.0]],
    ),
    sparse="s",
    precision="p",
    backend="b",
)
LLM = LlmManifest(
    model="m",
    files_sha256="f",
    template_sha256="t",
    engine="e",
    dtype="d",
    max_model_len=1,
    quantization="none",
    sampling_defaults={},
    logprobs=[],
)


class Layers:
    """What the layers say to a cycle, and what of them was accepted."""

    page, span, status = PAGE, SPAN, STATUS

    def __init__(self, settings: Settings, each: Each) -> None:
        self.settings, self.each = settings, each
        self.probes = [
            Probe(
                id=f"{origin}/{number}",
                question=f"Question {number} of {origin}?",
                origin=origin,  # type: ignore[arg-type]  # one of the two
                strata=(),
                values=("28 days",),
                documents=(PAGE,),
                spans=(SPAN,),
            )
            for origin in ("canary", "golden")
            for number in range(2)
        ]
        self.indexes = {"faultline": self.content(), "pinned": self.content()}
        self.statuses = {"http://live": STATUS, "http://ref": STATUS}
        self.replies = self.replied()
        self.asked: list[Probe] = []
        self.asked_as = ""  # the name under which generations are shared
        self.asked_pinned = ""  # the index that the pinned cells read
        self.as_users: set[str] = set()  # probes that went the users' way
        self.raw: dict[str, RawDocument] = {}
        audit = AuditReport(source="sample", index="i", documents=1, checked=1, findings=[])
        self.sources = SimpleNamespace(
            run=lambda source: SimpleNamespace(status="complete", error=None),
            audit=lambda source, sample, seed: audit,
            status=lambda: [self.fresh(60.0)],
            raw=lambda ids: {id: self.raw[id] for id in ids if id in self.raw},
        )
        self.models = SimpleNamespace(
            replicas=["http://a"],
            embedder=lambda: EMBEDDER,
            llm=lambda url: LLM,
            reply=lambda url, request: "28 days",
        )
        self.users_get: str | None = "28 days"

    def content(self, version: str = "v1") -> IndexContent:
        page = DocumentManifest(
            tenant="default",
            source="sample",
            document_id=PAGE,
            path="leave.md",
            title="Leave",
            format="markdown",
            version=version,
            text_sha256="0",
            characters=1,
            chunks=1,
            raw_bytes=1,
            run_id="r",
            committed_at=AT,
        )
        return IndexContent(documents={PAGE: page}, chunks={}, dense={}, spec=None)

    def other_llm(self) -> LlmManifest:
        return LLM.model_copy(update={"template_sha256": "other"})

    def replied(self, **changed: object) -> list[CellReply]:
        """A right reply of every cell to every probe, each from a chat request of its own."""
        fields: dict[str, Any] = {"score": 1.0, "status": "answered", "text": "28 days"}
        return [
            CellReply(
                **fields | {"prompt": f'{{"probe": "{probe.id}"}}'} | changed,
                probe=probe.id,
                cell=cell,
            )
            for probe in self.probes
            for cell in CELLS
        ]

    def fresh(self, lag: float | None) -> SourceStatus:
        return SourceStatus(
            source="sample",
            index="i",
            documents=1,
            chunks=1,
            last_good_run=None,
            last_good_run_at=None,
            lag_seconds=lag,
            quarantined=0,
        )

    def accepted(self) -> Accepted:
        pin = Pin(
            name="accepted-1",
            index="pinned",
            of="faultline",
            collection="c",
            documents=1,
            chunks=1,
            created_at=AT,
        )
        return Accepted(
            at=AT,
            reason=None,
            pin=pin,
            facts=Facts(embedder=EMBEDDER, llms={"http://a": LLM}, application=STATUS, index="i"),
            application=STATUS,
            probes=ProbeSet(
                probes=self.probes,
                baseline={probe.id: 0.9 for probe in self.probes},
                variance={},
                deltas={"all": 0.03},
                rounds=4,
                seed=7,
                digest="d",
            ),
            cycle=empty("before", AT).model_copy(update={"replies": self.replied()}),
            replica_replies={probe.id: "28 days" for probe in self.probes},
            versions={PAGE: "v1"},
        )

    def ask_cells(
        self, settings: Settings, pinned_index: str, probes: Sequence[Probe], id: str, each: object
    ) -> list[CellReply]:
        self.asked, self.asked_as, self.asked_pinned = list(probes), id, pinned_index
        asked = {probe.id for probe in probes}
        return [reply for reply in self.replies if reply.probe in asked]

    def cycles(self) -> Cycles:
        return Cycles(self.settings, self.each)

    def cycle(self) -> Seen:
        return self.cycles().run(self.accepted())

    def indicators(self) -> list[Indicator]:
        seen = self.cycle().cycle
        assert seen.error is None
        return seen.indicators
