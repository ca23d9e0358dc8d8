"""What passes between the watcher's parts, and what the ledger keeps. No behaviour.

A cell is named by what is live in it: "00" pinned index and pinned application, "10" live index,
"01" live application, "11" what users get. The models are live in all four.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Layer = Literal["data", "serving", "application"]
Cell = Literal["00", "10", "01", "11"]
LAYERS: tuple[Layer, ...] = ("data", "serving", "application")
CELLS: tuple[Cell, ...] = ("00", "10", "01", "11")
POOLED = "all"  # the stream of every probe, beside the strata

Status = Literal[
    "OK",  # nothing is worse; something may have changed without harm
    "SUSPECT",  # past the square root of the threshold: probed again at once
    "FAULT",  # answers are worse, and `layers` did it
    "UNSURE",  # answers are worse, and the cells do not say who did it
    "WORKLOAD",  # probes are well, users' questions have moved
    "RULER",  # the probes or their labels changed, so this cycle compares nothing
    "NO DATA",  # the cells could not be asked; never OK
]


class Frozen(BaseModel):
    """Immutable, and written to the ledger as JSON."""

    model_config = ConfigDict(frozen=True)


class Estimate(Frozen):
    """A mean share of harm in [-1, 1] with its 95% bootstrap interval over probes."""

    value: float
    low: float
    high: float


class Probe(Frozen):
    """A question with its truth. Its strata are streams of the detector, e.g. kind and format."""

    id: str
    question: str
    origin: Literal["canary", "golden"]
    strata: tuple[str, ...]
    values: tuple[str, ...]  # ways to write the answer; empty: abstaining is right
    documents: tuple[str, ...] = ()  # ids of documents that hold it: "<source>/<path>"
    spans: tuple[str, ...] = ()  # the words that hold it, one per document
    aspect: Literal["answer", "own words"] = "answer"  # what is marked; see `probes.score`


class CellReply(Frozen):
    """What one cell answered to one probe, marked."""

    probe: str
    cell: Cell
    score: float  # 0 to 1, see `probes.score`
    status: str  # the answer's, or "error"
    text: str
    reason: str | None = None  # why it abstained, degraded or failed
    cited: tuple[str, ...] = ()  # document ids
    passages: tuple[str, ...] = ()  # document ids, best first
    prompt: str | None = None  # the rendered chat request as JSON
    in_index: bool | None = None  # the ladder; None where it does not apply
    retrieved: bool | None = None
    in_prompt: bool | None = None


class Change(Frozen):
    """A fingerprint that is not the accepted one. It says what changed, never who is at fault."""

    layer: Layer
    what: str  # e.g. "bundle", "build", "model manifest", "embedder", "index content"
    before: str
    after: str
    detail: str = ""  # a sentence for a person
    since: datetime | None = None  # first seen


class Indicator(Frozen):
    """A contract or a drift test that failed at a boundary: corroborates, never decides alone."""

    layer: Layer
    source: Literal["contract", "drift", "audit", "freshness"]
    what: str
    detail: str


class Cycle(Frozen):
    """Everything that one cycle saw."""

    id: str  # UTC, sortable: "20261123T160000Z"
    at: datetime
    seconds: float
    replies: list[CellReply]
    replayed: dict[str, float]  # probe -> score of the accepted chat request, sent again verbatim
    changes: list[Change]
    indicators: list[Indicator]
    lag_seconds: dict[str, float | None]  # source -> since its last good run
    held: tuple[str, ...] = ()  # sources of which a guard holds a run
    generations: int  # asked of the model; the rest were shared
    audits: dict[str, tuple[float, ...]] = {}  # a source's stream -> marks of its documents
    error: str | None = None  # why there is no data


class LayerFacts(Frozen):
    """What a layer said of itself in the last cycle."""

    versions: dict[str, str]  # e.g. {"build": "0.1.0+3f2a", "bundle": "9c1d"}, shown in this order
    contracts: tuple[str, ...] = ()  # every check that ran; those that failed are the indicators


class Verdict(Frozen):
    """The decision after one cycle."""

    cycle: str
    at: datetime
    status: Status
    layers: tuple[Layer, ...] = ()  # at fault, the largest share first; empty unless FAULT
    shares: dict[Layer, Estimate] = {}  # over the hot strata where there are any, else over all
    interaction: float = 0.0
    hot: dict[Layer, tuple[str, ...]] = {}  # strata past the threshold
    evidence: dict[Layer, float] = {}  # e-value of the layer's detector; `threshold` is the alarm
    threshold: float = 0.0
    reason: str = ""  # a sentence, for every status


class Switch(Frozen):
    """One row of the card's table: what stood where, and how right the answers were."""

    data: Literal["pinned", "live"]
    application: Literal["pinned", "live"]
    score: float  # mean over the probes of the hot strata
    right: bool  # within delta of the baseline


class Example(Frozen):
    """A probe that got worse, with the prompts of both sides."""

    question: str
    expected: str
    before: str  # the answer in the healthy cell
    after: str  # the answer that users get
    prompt_before: str | None
    prompt_after: str | None
    ladder: str  # where the value was lost, in words


class Revert(Frozen):
    """What would heal it, and by how much: the swap is the revert test."""

    layer: Layer
    command: str
    expected: Estimate


class Card(Frozen):
    """A verdict that a person can act on."""

    verdict: Verdict
    title: str  # one sentence
    switches: list[Switch]
    changes: list[Change]
    indicators: list[Indicator]
    examples: list[Example]
    reverts: list[Revert]
    owners: dict[Layer, str]  # from CODEOWNERS
    ladder: str  # the step at which most hot probes lost the value
    serving_split: str | None = None  # generator or embedder, where serving is named
