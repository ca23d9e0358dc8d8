"""Settings of evals: `EVALS_*` environment variables, read once and handed down."""

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the layers are, and where results go."""

    model_config = SettingsConfigDict(env_prefix="EVALS_", frozen=True)

    application_url: str = "http://127.0.0.1:8080"
    api_key: SecretStr | None = None  # a user's key, where the application asks for one
    probe_key: SecretStr | None = None  # lets a request name the index that it reads
    qdrant_url: str = "http://127.0.0.1:6333"
    qdrant_api_key: SecretStr | None = None  # read-only is enough
    ingestion_command: str = "ingestion"  # split as a shell would, never run by one
    state_dir: Path = Path(".state")
    results_dir: Path = Path("docs/results")
    parallel: int = 8  # requests in flight
    timeout_seconds: float = 120.0

    @property
    def events(self) -> Path:
        """The application's answer events, JSON lines (contract 3)."""
        return self.state_dir / "events" / "answers.jsonl"

    @property
    def workspace(self) -> Path:
        """The workspace that `evidently ui --workspace` shows."""
        return self.state_dir / "reports"

    def revision_dir(self, dataset: str, revision: str) -> Path:
        """Where chunks and replies of one revision of a dataset are kept."""
        return self.state_dir / "evals" / dataset / revision
