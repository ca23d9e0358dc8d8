"""What a person may set for `make demo`, by variables or in .env; kept for later commands."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic_settings import BaseSettings, SettingsConfigDict

from demo.layout import ROOT

# Absolute, since processes run in the repository's folder and people anywhere.
Place = Annotated[Path, AfterValidator(Path.absolute)]


class Settings(BaseSettings):
    """The user's choices. Chat model, embedder and vector store are each a URL and a key."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    state_dir: Place = ROOT / ".state"
    models_dir: Place | None = None  # default: models/ under the state folder
    demo: Literal["full", "lite"] = "full"
    accept: bool = True  # take the first baseline by itself, once the stack is up
    port_offset: int = 0
    llm_url: str | None = None
    llm_key: str | None = None
    # the served name: hosted, by default the first that it lists; here, what MODEL stands for
    llm_model: str | None = None
    model: str | None = None  # a catalogue name, a folder or a hub id; default: model_choice.py
    answer_profile: Literal["tiny", "small", "standard"] | None = None  # default: the model's
    llm_quirks: str | None = None  # a comma list; default: the catalogue's for MODEL
    embed_url: str | None = None
    embed_key: str | None = None
    embed_model: str | None = None
    qdrant_url: str | None = None
    qdrant_api_key: str | None = None
    qdrant_read_only_api_key: str | None = None  # the application's; default: the one above
    sample: Place = ROOT / "evals" / "datasets" / "sample" / "r2"

    @property
    def models(self) -> Path:
        """Folder of fetched models."""
        return self.models_dir or self.state_dir / "models"

    @property
    def canaries(self) -> Path:
        """Folder of the watcher's own documents, a source of their own."""
        return self.state_dir / "canaries"

    @property
    def socket(self) -> Path:
        """Supervisor's socket: in /tmp, as a socket's path may have no more than 107 bytes."""
        name = hashlib.sha256(str(self.state_dir.resolve()).encode()).hexdigest()[:12]
        return Path("/tmp") / f"faultline-{name}.sock"  # noqa: S108 - the folder's hash names it, mode 0700

    def save(self) -> None:
        """Keep these choices (readable by the owner only) for `demo exec` and restarts."""
        path = self.state_dir / "demo.json"
        path.touch(mode=0o600)
        path.write_text(self.model_dump_json(indent=1))


def load() -> Settings:
    """The choices of the running stack where there is one, else those of the variables."""
    settings = Settings()
    kept = settings.state_dir / "demo.json"
    if kept.exists():
        return Settings(**json.loads(kept.read_text()))
    return settings


def secret(settings: Settings, name: str) -> str:
    """A secret of this stack: made on first use, 0600, under secrets/ in the state folder."""
    return kept_secret(settings, name) or keep_secret(settings, name, secrets.token_urlsafe(24))


def kept_secret(settings: Settings, name: str) -> str | None:
    """A secret that was kept, or None."""
    path = settings.state_dir / "secrets" / name
    return path.read_text() if path.exists() else None


def keep_secret(settings: Settings, name: str, value: str) -> str:
    """Write a secret, readable by its owner only, and return it."""
    folder = settings.state_dir / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    return value


def overrides(settings: Settings) -> dict[str, dict[str, str]]:
    """Process -> variables that `demo restart --set` changed and that still hold."""
    path = settings.state_dir / "overrides.json"
    kept: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    return kept


def override(settings: Settings, process: str, put: dict[str, str], drop: list[str]) -> None:
    """Keep the variables of `put` for a process (readable by the owner only); forget `drop`."""
    every = overrides(settings)
    own = every.pop(process, {}) | put
    own = {name: value for name, value in own.items() if name not in drop}
    path = settings.state_dir / "overrides.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(every | ({process: own} if own else {}), indent=1))
