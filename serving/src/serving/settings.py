"""Settings of the serving layer: environment variables named SERVING_*."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")  # a file for each, as compose mounts them

_SOURCE_CATALOG = Path(__file__).parents[2] / "catalog"  # in a checkout
_WHEEL_CATALOG = Path(__file__).parent / "catalog"  # in an installed wheel


def _default_catalog() -> Path:
    return _WHEEL_CATALOG if _WHEEL_CATALOG.is_dir() else _SOURCE_CATALOG


class Settings(BaseSettings):
    """Built once by a command and handed down; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_prefix="SERVING_",
        frozen=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    models_dir: Path = Path(".state/models")
    catalog: Path = Field(default_factory=_default_catalog)  # a folder of *.yaml

    embed_host: str = "127.0.0.1"
    embed_port: int = Field(default=8001, ge=1, le=65535)
    embed_model: str = "all-MiniLM-L6-v2"  # a name in the catalogue, or a folder
    embed_api_key: SecretStr | None = None
    embed_precision: Literal["auto", "bfloat16", "float32"] = "auto"
    embed_remembered: int = Field(default=20_000, ge=0)  # last vectors, 1.5 kB each at 384 dims
    embed_upstream_url: str | None = None  # a hosted OpenAI-compatible endpoint for dense vectors
    embed_upstream_key: SecretStr | None = None
    embed_upstream_model: str | None = None
    embed_upstream_max_tokens: int | None = Field(default=None, ge=1)  # default: the local model's
    embed_upstream_timeout_seconds: float = Field(default=30, gt=0)

    rerank_host: str = "127.0.0.1"
    rerank_port: int = Field(default=8002, ge=1, le=65535)
    rerank_model: str = "bge-reranker-v2-m3"  # a name in the catalogue, a folder, or a hub id
    rerank_api_key: SecretStr | None = None

    llm_host: str = "127.0.0.1"
    llm_port: int = Field(default=8000, ge=1, le=65535)
    llm_model: str = "SmolLM2-135M-Instruct"  # a name in the catalogue, or a folder
    llm_api_key: SecretStr | None = None
    llm_max_model_len: int | None = Field(default=None, ge=1)  # tokens; default: the catalogue's
    llm_precision: Literal["auto", "bfloat16", "float32"] = "auto"  # on CPU
    llm_flags: str = ""  # vLLM's own, split as a shell would
    llm_kv_cache_gb: int = Field(default=1, ge=1)  # on CPU
    device: Literal["auto", "cpu", "cuda"] = "auto"
