"""Settings of the vector store, from the environment (`VECTORSTORE_...`)."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")  # a file for each, as compose mounts them


class Settings(BaseSettings):
    """What one vector store process needs to know."""

    model_config = SettingsConfigDict(
        env_prefix="VECTORSTORE_",
        frozen=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    host: str = "127.0.0.1"
    port: int = Field(default=6333, ge=1, le=65535)
    path: Path = Path(".state/vectors")
    api_key: SecretStr | None = None
    read_only_api_key: SecretStr | None = None
    max_body_mb: int = Field(default=32, ge=1)
    min_free_mb: int = Field(default=256, ge=0)  # below it, writes that need room get 507
    strict: bool = False  # refuse filters by fields without an index, as Qdrant's strict mode does

    @model_validator(mode="after")
    def _keyed_where_others_can_reach_it(self) -> Self:
        alone = is_loopback(self.host) and not self.read_only_api_key
        if not self.api_key and not alone:
            raise ValueError("set VECTORSTORE_API_KEY: only a loopback host may go without a key")
        return self


def is_loopback(host: str) -> bool:
    """True if only this machine can reach a server that listens on this host."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
