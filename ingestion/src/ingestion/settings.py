"""Settings of ingestion, from `INGESTION_*` variables; built once and handed down."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingestion.errors import UsageError
from ingestion.sources.settings import SourceSettings, load_sources

SECRETS = Path("/run/secrets")  # a file for each, as compose mounts them

SOURCES_FILE = Path("sources.yaml")  # read where it exists


def _address(url: str) -> str:
    parts = urlsplit(url)  # whose port is read, since only that refuses what is no number
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("it must be a URL such as http://127.0.0.1:6333")
    return url


Address = Annotated[str, AfterValidator(_address)]


class Settings(BaseSettings):
    """Where things are, and the defaults of a sync."""

    model_config = SettingsConfigDict(
        env_prefix="INGESTION_",
        frozen=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    index: str = "faultline"
    tenant: str = "default"
    qdrant_url: Address = "http://127.0.0.1:6333"
    qdrant_api_key: SecretStr | None = None
    embed_url: Address = "http://127.0.0.1:8001"
    embed_api_key: SecretStr | None = None
    prefect_auth_string: SecretStr | None = None  # password of Prefect's API and of its page
    state_dir: Path = Path(".state")
    timeout_seconds: float = Field(default=120, gt=0)  # of one request to the embedder or the store

    chunk_tokens: int = Field(default=200, ge=16)
    overlap_tokens: int = Field(default=24, ge=0)
    max_file_bytes: int = Field(default=50_000_000, gt=0)
    batch_bytes: int = Field(default=100_000, gt=0)  # of raw files: two seconds or more of work
    max_dropped: float = Field(default=0.3, ge=0, le=1)  # of a source's documents, in one run
    max_damaged: float = Field(default=0.1, ge=0, le=1)  # of them, by what looks a broken export

    # What reading one document may take; it is quarantined when it needs more.
    parse_seconds: float = Field(default=120, gt=0)  # by the clock, however busy the machine is
    parse_cpu_seconds: int = Field(default=30, gt=0)
    parse_memory_mb: int = Field(default=750, ge=100)  # with what it has anyway: under 1 GB

    sources: dict[str, SourceSettings] = {}  # by name; `ingestion serve` keeps them in sync
    sources_file: Path | None = None  # more of them; default: sources.yaml, where it exists
    interval_seconds: int = Field(default=900, gt=0)  # between two scheduled syncs of a source

    @model_validator(mode="before")
    @classmethod
    def _with_sources_of_the_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        file = values.get("sources_file") or (SOURCES_FILE if SOURCES_FILE.exists() else None)
        if not file:
            return values
        declared, given = load_sources(Path(file)), values.get("sources") or {}
        if both := sorted(declared.keys() & given.keys()):
            raise UsageError(f"{file} and INGESTION_SOURCES both declare {both[0]}: keep one.")
        return values | {"sources": declared | given}
