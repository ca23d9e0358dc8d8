"""The stack as containers, built and started once, and gone without a trace afterwards."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "faultline-test"
FILES = ("docker-compose.yml", "infra/compose/offline.yml")
PORT = 28080
START_SECONDS = 1500  # cold: every image is built
SETTLE_SECONDS = 300
ENV = os.environ | {
    "COMPOSE_PROJECT_NAME": PROJECT,
    "COMPOSE_FILES": " ".join(FILES),
    "APPLICATION_PORT": str(PORT),
    "EVALS_REPLAY": "true",
    "DOCKER_BUILDKIT": "1",
    "PYTHONPATH": str(ROOT / "infra" / "demo" / "src"),
}


@dataclass(frozen=True)
class Containers:
    """The running stack, by the commands that a person would type."""

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        flags = [flag for file in FILES for flag in ("-f", file)]
        return docker("compose", *flags, *words, check=check)

    def execute(
        self, service: str, *command: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return self.compose("exec", "-T", service, *command, check=check)

    def make(self, *words: str) -> None:
        command = [sys.executable, "-m", "demo.compose", *words]
        subprocess.run(command, cwd=ROOT, env=ENV, check=True, timeout=START_SECONDS)

    def inspect(self, service: str) -> dict[str, Any]:
        id = self.compose("ps", "--all", "--quiet", service).stdout.strip()
        (found,) = json.loads(docker("inspect", id).stdout)
        return dict(found)

    def config(self) -> dict[str, Any]:
        return dict(json.loads(self.compose("config", "--format", "json").stdout))

    def healthy(self, service: str) -> bool:
        return bool(self.inspect(service)["State"]["Health"]["Status"] == "healthy")

    def ask(self, question: str) -> str:
        key = (ROOT / ".secrets" / "user").read_text()
        command = ("env", f"APPLICATION_KEY={key}", "application", "ask", question)
        return self.execute("application", *command, check=False).stdout


def docker(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["docker", *words], cwd=ROOT, env=ENV, capture_output=True, text=True, timeout=START_SECONDS
    )
    assert not check or done.returncode == 0, f"docker {' '.join(words)}:\n{done.stderr}"
    return done


def until(holds: Callable[[], bool], what: str, seconds: float = SETTLE_SECONDS) -> None:
    """Poll, since another process decides when."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(1)


def left() -> list[str]:
    """Everything of this project that Docker still knows."""
    label = f"label=com.docker.compose.project={PROJECT}"
    kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
    return [
        line
        for kind in kinds
        for line in docker(*kind, "--quiet", "--filter", label).stdout.splitlines()
    ]


@pytest.fixture(scope="session")
def stack() -> Iterator[Containers]:
    containers = Containers()
    user = ROOT / ".secrets" / "user"
    before = user.read_text() if user.exists() else None
    user.unlink(missing_ok=True)  # its key is in the volumes of another project
    try:
        containers.make("up")
        until(lambda: "sample" in status(containers), "the sample is in the index")
        yield containers
    finally:
        containers.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")
        user.unlink(missing_ok=True)
        if before is not None:
            user.write_text(before)
    assert left() == []


def status(stack: Containers) -> dict[str, int]:
    """Documents by source."""
    done = stack.execute("worker", "ingestion", "status", "--json", check=False)
    rows = json.loads(done.stdout) if done.stdout.startswith("[") else []
    return {row["source"]: row["documents"] for row in rows if row["last_good_run_at"]}
