"""Settings of evals: `EVALS_*` environment variables, read once and handed down."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")  # a file for each, as compose mounts them


class Settings(BaseSettings):
    """Where the layers are, where results go, and how the watcher goes about its work."""

    model_config = SettingsConfigDict(
        env_prefix="EVALS_",
        frozen=True,
        env_ignore_empty=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    application_url: str = "http://127.0.0.1:8080"
    reference_url: str = "http://127.0.0.1:8081"  # the accepted build of the application
    index: str = "faultline"  # the live index
    api_key: SecretStr | None = None  # a user's key, where the application asks for one
    probe_key: SecretStr | None = None  # lets a request name the index that it reads
    qdrant_url: str = "http://127.0.0.1:6333"
    qdrant_api_key: SecretStr | None = None  # read-only is enough
    llm_url: str = "http://127.0.0.1:8000"  # with or without /v1
    llm_api_key: SecretStr | None = None
    llm_model: str = "SmolLM2-135M-Instruct"
    llm_replicas: list[str] = []  # JSON list of base URLs behind `llm_url`; each is probed
    embed_url: str = "http://127.0.0.1:8001"
    embed_api_key: SecretStr | None = None
    ingestion_command: str = "ingestion"  # commands are split as a shell would, never run by one
    serving_command: str = "serving"
    pin_application_command: str = ""  # makes the live build the accepted one; empty: done by hand
    golden: Path = Path("evals/datasets/sample/golden.jsonl")
    golden_revision: str = "r2"
    golden_source: str = "sample"  # the source that holds its documents
    canaries: Path = Path(".state/canaries")  # folder of the canary source
    canary_source: str = "canary"
    state_dir: Path = Path(".state")
    results_dir: Path = Path("docs/results")
    cards_dir: Path = Path("docs/lessons/cards")
    scorecard_page: Path = Path("docs/scorecard.md")
    codeowners: Path = Path("CODEOWNERS")
    host: str = "127.0.0.1"  # of the Layers page and the memo gateway
    port: int = 8090
    hosts: list[str] = ["127.0.0.1", "localhost"]  # JSON: names by which they may be asked
    application_page: str = ""  # where a browser finds the application; empty: at `application_url`
    webhook_url: str = ""  # told of every change of verdict
    every_seconds: float = Field(default=3600, gt=0)  # between the starts of two cycles
    replay: bool = False  # workshop profile: accepted replies stand in for a model that is the same
    freshness_seconds: float = Field(default=86_400, gt=0)  # a source in sync longer ago is stale
    weakest_layer: str = Field(default="", validation_alias="WEAKEST_LAYER")  # the team's choice
    commands: dict[str, str] = {}  # how a person types ingestion, application, restart: JSON
    places: dict[str, str] = {}  # what drills edit and run, by name; see `evals trial --help`
    baseline: Literal["whole", "small"] = "whole"  # of `accept`; small: fewest probes and rounds
    parallel: int = 8  # requests in flight
    timeout_seconds: float = 120.0

    @property
    def events(self) -> Path:
        """The application's answer events, JSON lines (contract 3)."""
        return self.state_dir / "events" / "answers.jsonl"

    @property
    def workspace(self) -> Path:
        """The workspace that `evals reports-page` shows."""
        return self.state_dir / "reports"

    @property
    def ledger(self) -> Path:
        """Cycles, verdicts and what was accepted."""
        return self.state_dir / "ledger.sqlite"

    @property
    def generations(self) -> Path:
        """What the model generated at the last accepts, for cycles that replay it."""
        return self.state_dir / "generations"

    @property
    def gates(self) -> Path:
        """Results of `evals gate`, one file a bundle, which `application bundle release` reads."""
        return self.state_dir / "gates"

    def revision_dir(self, dataset: str, revision: str) -> Path:
        """Where chunks and replies of one revision of a dataset are kept."""
        return self.state_dir / "evals" / dataset / revision

    def runs_dir(self, dataset: str) -> Path:
        """Where each system's marked replies to a dataset are kept, one file a system."""
        return self.state_dir / "evals" / dataset / "runs"
