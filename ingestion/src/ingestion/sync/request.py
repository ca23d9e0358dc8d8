"""What to sync into which index: from what a person typed, or from a declaration."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.index import DEFAULT_NAMESPACE
from ingestion.errors import NameTaken, UsageError
from ingestion.settings import Settings
from ingestion.sources import Source
from ingestion.sources.opening import opened
from ingestion.sources.settings import SourceSettings

Name = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)


class SyncRequest(BaseModel):
    """What to sync into which index, and how; the parameters of the flow."""

    model_config = ConfigDict(frozen=True)

    reads: SourceSettings
    source: str = Name
    index: str = Name
    tenant: str = Name
    namespace: str = Field(default=DEFAULT_NAMESPACE, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    chunker: Literal["tokens", "whole"] = "tokens"
    truncate: bool = False
    chunk_tokens: int
    overlap_tokens: int
    allow_empty: bool = False
    force: bool = False  # index every document anew, whatever its hash
    only: str = ""  # a path of the source: the rest stays as it is
    is_named: bool = True  # by a person or a declaration; False: by the last part of its path


def path_of(text: str) -> Path:
    """The path that a person typed; UsageError if it is empty, or the URL of a source."""
    if not text.strip():
        raise UsageError("The source is empty: name a folder, or a .jsonl file.")
    if "://" in text or text.startswith("git@"):
        raise UsageError(
            f"{text} is no path: declare it in sources.yaml, and `ingestion run NAME` syncs it."
        )
    return Path(text)


def absolute(location: Path) -> Path:
    """The path from the root, links kept: `current` stays one source wherever it points to."""
    plain = Path(os.path.abspath(location))
    return plain if plain.name and _is_same(plain, location) else location.resolve()


def _is_same(one: Path, other: Path) -> bool:
    """True if both paths lead to one place now, or neither to any."""
    try:
        return one == other or os.path.samefile(one, other)
    except OSError:
        return not one.exists() and not other.exists()


def refuse_shared(name: str, known: str, here: str) -> None:
    """Raise NameTaken if the places differ that one name stands for."""
    if known and known != here and not _is_same(Path(known), Path(here)):
        raise NameTaken(
            f"{name} is already the name of {known}, and syncing {here} by this name would delete "
            "its documents. Give this source a name of its own: "
            f"`ingestion sync {here} --name NAME`. If the documents have moved here: "
            f"`ingestion sync {here} --name {name}`."
        )


def request_for(location: Path, settings: Settings, **options: object) -> SyncRequest:
    """A request with the settings' defaults; the source goes by its folder's or file's name.

    A name that is declared brings its tenant, namespace and contract along, or what only one
    tenant may read would be readable by another.
    """
    location = absolute(location)
    reads = SourceSettings.model_validate(location)
    given = {name: value for name, value in options.items() if value is not None}
    defaults: dict[str, object] = {
        "reads": reads,
        "source": location.name.removesuffix(".gz").removesuffix(".jsonl"),
        "is_named": "source" in given,
        "index": settings.index,
        "tenant": settings.tenant,
        "chunk_tokens": settings.chunk_tokens,
        "overlap_tokens": settings.overlap_tokens,
    }
    if declared := settings.sources.get(str((defaults | given)["source"])):
        if not declared.is_local and "reads" not in given:
            raise UsageError(
                f"{given.get('source', location.name)} is declared as a {declared.kind} source: "
                "sync that by `ingestion run`, or give this one another --name."
            )
        if "source" not in given:
            refuse_shared(
                str(defaults["source"]), str(absolute(Path(declared.location))), str(location)
            )
        where = {"kind": reads.kind, "location": reads.location}
        own = {"tenant": declared.tenant, "namespace": declared.namespace}
        defaults |= {name: value for name, value in own.items() if value is not None}
        defaults["reads"] = declared.model_copy(update=where)
    return SyncRequest.model_validate(defaults | given)


def request_of(name: str, settings: Settings, **options: object) -> SyncRequest:
    """The request of a declared source; UsageError if there is none of that name."""
    source = settings.sources.get(name)
    if source is None:
        known = ", ".join(settings.sources) or "none is"
        where = settings.sources_file or "sources.yaml"
        raise UsageError(f"No source {name} is declared ({known}): add it to {where}.")
    if source.is_local:
        source = source.model_copy(update={"location": str(absolute(Path(source.location)))})
    return request_for(Path(name), settings, source=name, reads=source, **options)


def source_of(
    request: SyncRequest, settings: Settings, note: Callable[[str], None] = lambda text: None
) -> Source:
    """The source that a request reads; `note` is told what a person may want to know of it."""
    kept = settings.state_dir / "sources" / request.tenant / request.source
    return opened(request.reads, kept, settings.max_file_bytes, note)
