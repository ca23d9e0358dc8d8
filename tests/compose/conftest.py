"""The stack as containers: built, started, and gone without a trace afterwards."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "faultline-test"
OFFLINE = ("docker-compose.yml", "infra/compose/offline.yml")
SEED = ROOT / ".seed"
PORT = 28080
QUESTION = "By what time must I tell my lead that I am ill?"
START_SECONDS = 1500  # cold: every image is built
SETTLE_SECONDS = 300
ENV = os.environ | {
    "COMPOSE_PROJECT_NAME": PROJECT,
    "APPLICATION_PORT": str(PORT),
    "EVALS_REPLAY": "true",
    "DOCKER_BUILDKIT": "1",
    "PYTHONPATH": str(ROOT / "infra" / "demo" / "src"),
}


@dataclass(frozen=True)
class Containers:
    """The running stack, by the commands that a person would type."""

    files: tuple[str, ...]
    from_seed: bool

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        flags = [flag for file in self.files for flag in ("-f", file)]
        return docker("compose", *flags, *words, check=check)

    def execute(
        self, service: str, *command: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        return self.compose("exec", "-T", service, *command, check=check)

    def make(self, *words: str) -> None:
        command = [sys.executable, "-m", "demo.compose", *words]
        env = ENV | {"COMPOSE_FILES": " ".join(self.files)}
        env["SEED"] = str(SEED) if self.from_seed else "/nonexistent"
        subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=START_SECONDS)

    def inspect(self, service: str) -> dict[str, Any]:
        id = self.compose("ps", "--all", "--quiet", service).stdout.strip()
        (found,) = json.loads(docker("inspect", id).stdout)
        return dict(found)

    def config(self) -> dict[str, Any]:
        return dict(json.loads(self.compose("config", "--format", "json").stdout))

    def healthy(self, service: str) -> bool:
        return bool(self.inspect(service)["State"]["Health"]["Status"] == "healthy")

    def answers(self) -> bool:
        """Whether a question is answered by the model, rightly and with a source."""
        key = (ROOT / ".secrets" / "user").read_text()
        command = ("env", f"APPLICATION_KEY={key}", "application", "ask", "--json", QUESTION)
        done = self.execute("application", *command, check=False)
        answer = json.loads(done.stdout) if done.stdout.startswith("{") else {}
        is_right = "09:00" in answer.get("text", "") and bool(answer["citations"])
        return is_right and answer["status"] == "answered"

    def status(self) -> dict[str, int]:
        """Documents by source, of those that were synced."""
        done = self.execute("worker", "ingestion", "status", "--json", check=False)
        rows = json.loads(done.stdout) if done.stdout.startswith("[") else []
        return {row["source"]: row["documents"] for row in rows if row["last_good_run_at"]}


def docker(
    *words: str, check: bool = True, said: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Docker's command, with `said` as its input."""
    done = subprocess.run(
        ["docker", *words],
        cwd=ROOT,
        env=ENV,
        input=said,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert not check or done.returncode == 0, f"docker {' '.join(words)}:\n{done.stderr}"
    return done


def until(holds: Callable[[], bool], what: str, seconds: float = SETTLE_SECONDS) -> None:
    """Poll, since another process decides when."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(1)


def known(*kind: str) -> list[str]:
    """Ids of what Docker knows of this project."""
    label = f"label=com.docker.compose.project={PROJECT}"
    return docker(*kind, "--quiet", "--filter", label).stdout.split()


@contextmanager
def running(containers: Containers) -> Iterator[Containers]:
    """Build and start it, with the sample in the index; leave nothing of it behind."""
    user = ROOT / ".secrets" / "user"
    before = user.read_text() if user.exists() else None
    user.unlink(missing_ok=True)  # its key is in the volumes of another project
    try:
        containers.make("up")
        until(lambda: "sample" in containers.status(), "the sample is in the index")
        yield containers
    finally:
        containers.compose("down", "--volumes", "--remove-orphans", "--timeout", "20")
        user.unlink(missing_ok=True)
        if before is not None:
            user.write_text(before)
    assert not [*known("ps", "--all"), *known("volume", "ls"), *known("network", "ls")]
