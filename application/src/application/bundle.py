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
Profile = Literal["tiny", "small", "standard"]  # of the chat model; its catalogue entry names it
Files = dict[str, bytes]  # a bundle's folder: "bundle.toml", "prompts/<name>.<version>.md"
TOML = "bundle.toml"
NO_PROMPT = ""  # the version that a profile names to leave out one of the common prompts
DEFAULT_PROFILE: Profile = "small"
FILE_NAME = re.compile(r"[\w-][\w.-]*")


class Retrieval(Contract):
    """What is fetched for a question."""

    mode: Mode
    top_k: int = Field(ge=1, le=50)  # passages
    compared: int = Field(ge=1, le=200)  # sentences of them whose meaning is compared
    context_tokens: int = Field(ge=50)  # of those sentences that the model is shown
    excerpts: int = Field(ge=1, le=500)  # the most sentences that it is shown
    window: int = Field(ge=0, le=20)  # neighbours that each of them brings along on either side
    best_last: bool = False  # whether the best of them stand last, next to the question
    candidates: int = Field(ge=1, le=1000)  # hits of each arm before fusion
    over_fetch: int = Field(ge=1, le=10)  # times the limit, since uncommitted hits are dropped
    rrf_k: int = Field(ge=1)


class Sampling(Contract):
    """Sent with every request, so that no engine's default decides an answer."""

    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
    max_tokens: int = Field(ge=1)
    seed: int
    top_logprobs: int = Field(ge=0, le=20)  # 0: the model is asked for no probabilities


class Evidence(Contract):
    """Logistic model of `evidence.FEATURES`, and the bar for abstaining."""

    intercept: float
    weights: dict[str, float]
    least_evidence: float = Field(ge=0, le=1)  # below it, the answer is an abstention


class Support(Contract):
    """How a reply is held against the passages, and what becomes of what they do not support."""

    sources: int = Field(ge=1)  # best excerpts of the context that a statement may rest on
    unsupported: Literal["mark", "drop", "quote"]  # quote: the best excerpts in the reply's place
    quoted: int = Field(ge=0)  # excerpts of one document in a quotation; 0: abstain instead
    quoted_from: float = Field(ge=0, le=1)  # share of the best excerpt's rank that others need


class Conversation(Contract):
    """How a question that depends on what was said before is made to stand alone."""

    rewrite: bool  # false: each question is answered as it is, and its history is not read
    turns: int = Field(ge=1, le=50)  # of the history that the model reads
    max_tokens: int = Field(ge=8)  # of the rewritten question


class Bundle(Contract):
    """Everything of this layer that may change an answer, apart from its code."""

    profile: Profile
    prompts: dict[str, Prompt]  # by name: "answer", "rewrite" for conversations, "verify"
    retrieval: Retrieval
    sampling: Sampling
    evidence: Evidence
    support: Support
    # None in bundles that are older than conversations; they read no history
    conversation: Conversation | None = None

    @model_validator(mode="after")
    def _has_its_prompt(self) -> Self:
        if "answer" not in self.prompts:
            raise ValueError("[prompts] names no `answer`")
        if self.conversation and "rewrite" not in self.prompts:
            raise ValueError("[conversation] needs `rewrite` in [prompts]")
        return self

    @property
    def verifies(self) -> bool:
        """Whether the model is asked a second time, and its Yes or No counts."""
        return "verify" in self.prompts

    @property
    def digest(self) -> str:
        """Names the bundle in provenance and on disk."""
        return digest_of(self.model_dump(exclude=None if self.conversation else {"conversation"}))

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
    """The TOML at `path` and the prompts that its profiles name.

    All prompts beside it where the TOML cannot be read. Raises OSError where there is no such
    file; what the files say is not judged here.
    """
    files = {TOML: path.read_bytes()}
    prompts = path.parent / "prompts"
    try:
        tables = _tables(files)
        named = {
            prompts / _file(*item)
            for part in _parts(tables)
            for item in part.items()
            if item[1] != NO_PROMPT
        }
    except (Misconfigured, KeyError, AttributeError):
        named = set(prompts.glob("*.md"))
    return files | {f"prompts/{p.name}": p.read_bytes() for p in sorted(named) if p.is_file()}


def bundle_of(files: Files, profile: Profile = DEFAULT_PROFILE) -> Bundle:
    """The bundle that `files` describe for a model of `profile`; raises Misconfigured."""
    tables = _for_profile(_tables(files), profile)
    try:
        versions = tables.pop("prompts")
        named = {name: version for name, version in versions.items() if version != NO_PROMPT}
        prompts = {name: _prompt(files, name, version) for name, version in named.items()}
        return Bundle.model_validate({**tables, "prompts": prompts, "profile": profile})
    except (ValueError, KeyError, AttributeError) as error:
        raise Misconfigured(f"{TOML} is not a whole bundle: {error}") from error


def load_bundle(path: Path, profile: Profile = DEFAULT_PROFILE) -> Bundle:
    """The bundle in the TOML at `path` and the prompts beside it; raises Misconfigured."""
    try:
        return bundle_of(read_files(path), profile)
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}.") from error


def _parts(tables: dict[str, Any]) -> list[dict[str, str]]:
    """Every table of prompts: the common one, and those of profiles."""
    profiles = tables.get("profile", {}).values()
    return [tables["prompts"], *(own["prompts"] for own in profiles if "prompts" in own)]


def _for_profile(tables: dict[str, Any], profile: Profile) -> dict[str, Any]:
    """The common tables, with what `[profile.<name>.<table>]` sets put over them."""
    common = dict(tables)
    try:
        own = common.pop("profile", {}).get(profile, {})
        return common | {name: {**common.get(name, {}), **table} for name, table in own.items()}
    except (AttributeError, TypeError) as error:
        raise Misconfigured(f"[profile.{profile}] in {TOML} holds no tables: {error}") from error


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
