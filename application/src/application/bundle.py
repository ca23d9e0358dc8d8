"""The bundle: prompts and settings that decide how a question is answered, known by one digest."""

import re
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from application.errors import Misconfigured
from application.prompts import Prompt, parse_prompt
from contracts import Contract
from contracts.endpoints import digest_of

Mode = Literal["hybrid", "dense", "sparse"]
Files = dict[str, bytes]  # a bundle's folder: "bundle.toml", "prompts/<name>.<version>.md"
TOML = "bundle.toml"
FILE_NAME = re.compile(r"[\w-][\w.-]*")


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

    prompts: dict[str, Prompt]  # by name; the pipeline's one prompt is "answer"
    retrieval: Retrieval
    sampling: Sampling
    evidence: Evidence

    @model_validator(mode="after")
    def _has_its_prompt(self) -> Self:
        if "answer" not in self.prompts:
            raise ValueError("[prompts] names no `answer`")
        return self

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


def read_files(path: Path) -> Files:
    """The TOML at `path` and the prompts it names, or all beside it where it cannot be read.

    Raises OSError where there is no such file; what the files say is not judged here.
    """
    files = {TOML: path.read_bytes()}
    prompts = path.parent / "prompts"
    try:
        named = [prompts / _file(*item) for item in _tables(files)["prompts"].items()]
    except (Misconfigured, KeyError, AttributeError):
        named = sorted(prompts.glob("*.md"))
    return files | {f"prompts/{p.name}": p.read_bytes() for p in named if p.is_file()}


def bundle_of(files: Files) -> Bundle:
    """The bundle that `files` describe; raises Misconfigured."""
    tables = _tables(files)
    try:
        versions = tables.pop("prompts")
        prompts = {name: _prompt(files, name, version) for name, version in versions.items()}
        return Bundle.model_validate({**tables, "prompts": prompts})
    except (ValueError, KeyError, AttributeError) as error:
        raise Misconfigured(f"{TOML} is not a whole bundle: {error}") from error


def load_bundle(path: Path) -> Bundle:
    """The bundle in the TOML at `path` and the prompts beside it; raises Misconfigured."""
    try:
        return bundle_of(read_files(path))
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}.") from error


def _tables(files: Files) -> dict[str, Any]:
    try:
        return tomllib.loads(files.get(TOML, b"").decode())
    except ValueError as error:
        raise Misconfigured(f"{TOML} is no TOML: {error}") from error


def _prompt(files: Files, name: str, version: str) -> Prompt:
    content = files.get(f"prompts/{_file(name, version)}")
    if content is None:
        raise Misconfigured(
            f"There is no prompt file {_file(name, version)}; name one that exists in {TOML}."
        )
    return parse_prompt(content.decode(), name, version)


def _file(name: str, version: str) -> str:
    if not FILE_NAME.fullmatch(f"{name}.{version}"):  # it may not lead out of the folder
        raise Misconfigured(f"A prompt {name!r} {version!r} names no file; use letters and digits.")
    return f"{name}.{version}.md"
