"""Settings of ingestion, from `INGESTION_*` variables; built once and handed down."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SourceSettings(BaseModel):
    """A source that is kept in sync; a path alone stands for one with the defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path  # a folder or file
    tenant: str | None = None  # default: `Settings.tenant`
    namespace: str | None = None
    interval_seconds: int | None = Field(default=None, gt=0)  # default: that of the settings

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str | Path) else value


class Settings(BaseSettings):
    """Where things are, and the defaults of a sync."""

    model_config = SettingsConfigDict(env_prefix="INGESTION_", frozen=True, env_ignore_empty=True)

    index: str = "faultline"
    tenant: str = "default"
    qdrant_url: str = "http://127.0.0.1:6333"
    qdrant_api_key: SecretStr | None = None
    embed_url: str = "http://127.0.0.1:8001"
    embed_api_key: SecretStr | None = None
    state_dir: Path = Path(".state")
    timeout_seconds: float = Field(default=120, gt=0)  # of one request to the embedder or the store

    chunk_tokens: int = Field(default=200, ge=16)
    overlap_tokens: int = Field(default=24, ge=0)
    max_file_bytes: int = Field(default=50_000_000, gt=0)
    batch_bytes: int = Field(default=100_000, gt=0)  # of raw files: two seconds or more of work
    max_dropped: float = Field(default=0.3, ge=0, le=1)  # of a source's documents, in one run
    max_damaged: float = Field(default=0.1, ge=0, le=1)  # of them, by what looks a broken export

    sources: dict[str, SourceSettings] = {}  # by name; `ingestion serve` keeps them in sync
    interval_seconds: int = Field(default=900, gt=0)  # between two scheduled syncs of a source
