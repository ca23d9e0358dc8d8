"""Where this process finds the others, and its limits; every name has the prefix APPLICATION_."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")  # a file for each, as compose mounts them

PACKAGE = Path(__file__).parent
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class Settings(BaseSettings):
    """Built once and handed down; how to answer is in the bundle instead."""

    model_config = SettingsConfigDict(
        env_prefix="APPLICATION_",
        frozen=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    host: str = "127.0.0.1"
    port: int = 8080
    index: str = "faultline"
    qdrant_url: str = "http://127.0.0.1:6333"
    qdrant_api_key: SecretStr | None = None
    embed_url: str = "http://127.0.0.1:8001"
    embed_api_key: SecretStr | None = None
    llm_url: str = "http://127.0.0.1:8000"  # with or without /v1
    llm_api_key: SecretStr | None = None
    llm_model: str = "SmolLM2-135M-Instruct"
    probe_llm_url: str = ""  # where generations of a probe's cycle go; empty: to llm_url
    state_dir: Path = Path(".state")
    bundle: Path = PACKAGE / "bundle.toml"  # its prompts lie in `prompts/` beside it
    api_keys: Path | None = None  # default: api-keys.jsonl in the state's secrets
    require_keys: bool = True  # may be off on loopback only
    probe_key_sha256: str = ""  # empty: probes are refused
    marker_key: SecretStr | None = None  # default: its own, made in the state's secrets
    log_texts: bool = False  # questions and answers in events; probes always have them
    deadline_seconds: float = Field(default=30, gt=0)
    layers_url: str = ""  # evals' Layers page, linked from the page where set
    max_in_flight: int = Field(default=64, ge=1)  # above it, 503 with Retry-After

    @property
    def keys_file(self) -> Path:
        """The file of key digests, one JSON object a line."""
        return self.api_keys or self.state_dir / "secrets" / "api-keys.jsonl"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK_HOSTS


def openai_base(url: str) -> str:
    """`url` of an OpenAI-compatible server, given with or without `/v1`, without it."""
    return url.rstrip("/").removesuffix("/v1")
