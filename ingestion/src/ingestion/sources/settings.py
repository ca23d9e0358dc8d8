"""A source that is kept in sync, as `sources.yaml` or INGESTION_SOURCES declares it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from contracts.endpoints import digest_of
from ingestion.errors import UsageError
from ingestion.parsers import NAMES

SECONDS_IN = {"s": 1, "m": 60, "h": 3600, "d": 86400}

NAMESPACE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
Namespace = Annotated[str, Field(pattern=f"^{NAMESPACE}$")]
Kind = Literal["folder", "jsonl", "git", "http"]


def _format(name: str) -> str:
    if name not in NAMES:
        raise ValueError(f"Input should be one of {', '.join(NAMES)}")
    return name


Format = Annotated[str, AfterValidator(_format)]


def _seconds(value: Any) -> Any:
    """Seconds from "15m", "36h" or "2d"; anything else goes to pydantic as it is."""
    if isinstance(value, str) and (match := re.fullmatch(r"(\d+) ?([smhd])", value.strip())):
        return int(match[1]) * SECONDS_IN[match[2]]
    return value


def _schedule(value: Any) -> Any:
    if isinstance(value, str) and len(value.split()) == 5:
        try:
            CronSim(value, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(f"{value} is no cron expression ({error})") from error
        return value
    seconds = _seconds(value)
    if isinstance(seconds, str) and not seconds.isdigit():
        raise ValueError('it must be an interval such as "15m", or cron such as "0 6 * * *" (UTC)')
    return int(seconds)


Seconds = Annotated[int, Field(gt=0), BeforeValidator(_seconds)]
Schedule = Annotated[Seconds | str, BeforeValidator(_schedule)]  # an interval, or cron in UTC


def due_after(schedule: int | str, start: datetime, times: int = 1) -> datetime:
    """When the schedule's next run, or the one `times` further on, is due after `start`."""
    if isinstance(schedule, int):
        return start + times * timedelta(seconds=schedule)
    return next(islice(CronSim(schedule, start.astimezone(UTC)), times - 1, None))


class DocumentContract(BaseModel):
    """What every document of a source must be; one that is not goes to quarantine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    formats: tuple[Format, ...] = ()  # none: every format
    language: str | None = Field(default=None, pattern="^[a-z]{2,3}$")  # ISO 639
    min_characters: int = Field(default=0, ge=0)  # letters and digits of the text
    unread_pages: Literal["allow", "refuse"] = "allow"  # of a PDF: a scan without text
    metadata: dict[str, Literal["text", "number", "boolean", "date", "list"]] = {}  # required

    @property
    def digest(self) -> str:
        """Names what is asked of a document; "" where nothing is."""
        return "" if self == DocumentContract() else digest_of(self.model_dump(mode="json"))


class SourceSettings(BaseModel):
    """One source; a path alone stands for one with the defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind  # follows from the location, where that is plain
    location: str = Field(validation_alias=AliasChoices("location", "path"))  # a path or URL
    owner: str | None = None  # whom to ask
    schedule: Schedule | None = Field(  # default: INGESTION_INTERVAL_SECONDS
        default=None, validation_alias=AliasChoices("schedule", "interval_seconds")
    )
    freshness_limit: Seconds | None = None  # since the last good run; default: 3 runs missed
    silence_limit: Seconds | None = None  # since the last change; default: by its usual rhythm
    tenant: str | None = None  # default: `Settings.tenant`
    namespace: str | None = None
    groups: dict[str, Namespace] = {}  # namespace by path or folder of the source; longest wins
    group_key: str | None = None  # field of front matter that names the document's namespace
    tags: tuple[str, ...] = ()  # of every document, beside its own
    url: str = Field(default="", pattern=r"^(https?://[^/\s]+/\S*)?$")  # {path} is filled in
    document: DocumentContract = DocumentContract()

    ref: str = Field(default="HEAD", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")  # git
    folder: str = ""  # git: only what lies below it
    hosts: tuple[str, ...] = ()  # http: the only ones that are asked, redirects included
    urls: tuple[str, ...] = ()  # http: pages beside `location`, which may be a sitemap
    private_addresses: bool = False  # http: for an intranet or a test

    @model_validator(mode="before")
    @classmethod
    def _with_kind(cls, value: Any) -> Any:
        if isinstance(value, str | Path):
            value = {"location": value}
        if isinstance(value, Mapping):
            location = str(value.get("location", value.get("path", "")))
            given = {"location": location} if location else {}
            rest = {key: value[key] for key in value if key not in ("location", "path")}
            value = {"kind": _kind_of(location)} | rest | given
        return value

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        fields = type(self).model_fields
        belongs = {"ref": "git", "folder": "git", "hosts": "http", "urls": "http"}
        for field, kind in belongs.items():
            if self.kind != kind and getattr(self, field) != fields[field].default:
                raise ValueError(f"{field} goes with kind {kind}, and this source is a {self.kind}")
        if self.kind == "http" and not self.hosts:
            raise ValueError("hosts is missing: list the hosts that may be asked")
        return self

    def digest(self, namespace: str) -> str:
        """Names what is asked of documents and said of them; "" where nothing is.

        Where it differs from a committed document's, that one is indexed anew.
        """
        said = (self.groups, self.group_key, self.tags, self.url)
        if not any(said):
            return self.document.digest
        own = namespace if self.has_groups else ""
        return digest_of([self.document.digest, own, *said])

    @property
    def has_groups(self) -> bool:
        """Whether its documents may lie in several namespaces."""
        return bool(self.groups or self.group_key)

    @property
    def is_local(self) -> bool:
        """Whether its location is a path of this machine."""
        return self.kind in ("folder", "jsonl")


def _kind_of(location: str) -> Kind:
    if location.endswith(".git") or location.startswith(("ssh://", "file://")):
        return "git"
    if location.startswith(("https://", "http://")):
        return "http"
    return "jsonl" if location.endswith((".jsonl", ".jsonl.gz")) else "folder"


_SOURCES = TypeAdapter(
    dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")], SourceSettings]
)


def load_sources(file: Path) -> dict[str, SourceSettings]:
    """The sources of a `sources.yaml`, by name; their paths are relative to its folder.

    Raises: UsageError that names the file, the source and the field.
    """
    try:
        declared = _SOURCES.validate_python(YAML(typ="safe").load(file.read_text()) or {})
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}): create it.") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is no YAML: {error}") from error
    except ValidationError as error:
        raise UsageError("\n".join(_sentence(file, each) for each in error.errors())) from error
    return {name: _from_folder(source, file.parent) for name, source in declared.items()}


def _sentence(file: Path, error: Any) -> str:
    source, *field = map(str, error["loc"] or ("?",))
    where = f"{file}: source {source}" + (f", {'.'.join(field)}" if field else "")
    return f"{where}: {error['msg'].removeprefix('Value error, ')}."


def _from_folder(source: SourceSettings, folder: Path) -> SourceSettings:
    location = str(folder / source.location) if source.is_local else source.location
    return source.model_copy(update={"location": location})
