"""Where things lie: the repository, and one environment for each process that needs its own."""

from __future__ import annotations  # `make doctor` reads this on any Python 3.7 or newer

import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
ENVIRONMENTS = ROOT / ".venvs"
SEED = Path(os.environ.get("SEED") or ROOT / ".seed").resolve()
PYTHON = (3, 11)
TORCH = "torch==2.13.0"  # out of the hashed files: its CPU and CUDA wheels differ


@dataclass(frozen=True)
class Environment:
    """One virtual environment: hashed requirements first, then our packages without theirs."""

    name: str
    requirements: str
    packages: tuple[str, ...]
    torch: bool = False
    disk_gb: float = 0.2

    @property
    def folder(self) -> Path:
        """Folder of the virtual environment."""
        return ENVIRONMENTS / self.name

    def command(self, name: str) -> Path:
        """Path of an installed command, e.g. `python`."""
        if sys.platform == "win32":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name


_ALL = (
    Environment("vectorstore", "infra/vectorstore/requirements.txt", ("infra/vectorstore",)),
    Environment("ingestion", "ingestion/requirements.txt", ("contracts", "ingestion"), disk_gb=0.5),
    Environment(
        "embed", "serving/requirements-embed.txt", ("contracts", "serving"), torch=True, disk_gb=1.6
    ),
    Environment(
        "llm", "serving/requirements-llm.txt", ("contracts", "serving"), torch=True, disk_gb=3.5
    ),
    Environment("application", "application/requirements.txt", ("contracts", "application")),
    Environment("evals", "evals/requirements.txt", ("contracts", "evals"), disk_gb=1.0),
    Environment("demo", "infra/demo/requirements.txt", ("infra/demo",)),
    Environment("dev", "requirements-dev.txt", ("contracts",), disk_gb=0.4),
)
BY_NAME = {environment.name: environment for environment in _ALL}


def demo_environments(*, hosted_llm: bool, lite: bool) -> list[str]:
    """Names of the environments that `make demo` needs, the slowest to install first."""
    names = ["llm", "embed", "ingestion", "application", "vectorstore", "demo", "evals"]
    if hosted_llm:
        names.remove("llm")
    if lite:
        names.remove("evals")
    return names
