"""The bundle: prompts and settings that decide how a question is answered, known by one digest."""

import json
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field

from application.errors import Misconfigured, NotFound
from application.prompts import Prompt, load_prompt
from contracts import Contract
from contracts.endpoints import digest_of

Mode = Literal["hybrid", "dense", "sparse"]


class Retrieval(Contract):
    """What is fetched for a question."""

    mode: Mode
    top_k: int = Field(ge=1, le=20)  # passages in the prompt
    compared: int = Field(ge=1, le=100)  # sentences of them whose meaning is compared
    excerpts: int = Field(ge=1, le=50)  # sentences of those that the model is shown
    candidates: int = Field(ge=1, le=1000)  # hits of each arm before fusion
    over_fetch: int = Field(ge=1, le=10)  # times the limit, since uncommitted hits are dropped
    rrf_k: int = Field(ge=1)


class Sampling(Contract):
    """Sent with every request, so that no engine's default decides an answer."""

    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
    max_tokens: int = Field(ge=1)
    seed: int


class Evidence(Contract):
    """Logistic model of `evidence.features`, and the bars for abstaining."""

    intercept: float
    weights: dict[str, float]
    least_evidence: float = Field(ge=0, le=1)  # below it, no model is asked
    least_support: float = Field(ge=0, le=1)  # share of a statement's terms that its source holds
    supporting: int = Field(ge=1)  # best excerpts that a reply may rest on
    quoted: int = Field(ge=0)  # of one document, instead of a reply without support; 0: abstain
    quoted_from: float = Field(ge=0, le=1)  # share of the best excerpt's rank that others need


class Bundle(Contract):
    """Everything of this layer that may change an answer, apart from its code."""

    prompts: dict[str, Prompt]
    retrieval: Retrieval
    sampling: Sampling
    evidence: Evidence

    @property
    def digest(self) -> str:
        """Names the bundle in provenance and on disk."""
        return digest_of(self.model_dump())

    @property
    def settings(self) -> dict[str, float | int | str | bool]:
        """Every setting under a dotted name, as the status reports it."""
        return _flat(self.model_dump(exclude={"prompts"}))


def _flat(tree: dict[str, object], prefix: str = "") -> dict[str, float | int | str | bool]:
    leaves: dict[str, float | int | str | bool] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            leaves |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, float | int | str | bool):
            leaves[prefix + name] = value
    return leaves


def load_bundle(path: Path) -> Bundle:
    """The bundle that `path` (TOML) and the prompts beside it describe; raises Misconfigured."""
    try:
        tables = tomllib.loads(path.read_text())
        versions = tables.pop("prompts")
        prompts = {
            name: load_prompt(path.parent / "prompts", name, version)
            for name, version in versions.items()
        }
        return Bundle.model_validate({**tables, "prompts": prompts})
    except (OSError, ValueError, KeyError) as error:
        raise Misconfigured(f"{path} is not a whole bundle: {error}") from error


class BundleStore:
    """Bundles that have answered here, by digest, so that evals can answer with an old one."""

    def __init__(self, directory: Path, live: Bundle) -> None:
        self.live = live
        self._directory = directory
        self._loaded = {live.digest: live}
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{live.digest}.json").write_text(live.model_dump_json(indent=2))

    def get(self, digest: str) -> Bundle:
        """The stored bundle; raises NotFound where there is none, or where it was altered."""
        if digest not in self._loaded:
            path = self._directory / f"{digest}.json"
            if not digest.isalnum() or not path.is_file():
                raise NotFound(f"No bundle {digest!r} is stored here; see GET /v1/status.")
            bundle = Bundle.model_validate(json.loads(path.read_text()))
            if bundle.digest != digest:
                raise NotFound(f"The stored bundle {digest} was altered; restore its file.")
            self._loaded[digest] = bundle
        return self._loaded[digest]
