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
PORTS = {
    "qdrant": 6333,
    "embedder": 8001,
    "llm": 8000,
    "application": 8080,
    "app-ref": 8080,
    "prefect": 4200,
    "watcher": 8090,
}
REACHED = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor

def is_reached(address):
    try:
        return bool(socket.create_connection(address, 3))
    except OSError:
        return False

ports = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(ports)) as pool:
    for name, reached in zip(ports, pool.map(is_reached, ports.items())):
        if reached:
            print(name)
"""
# A name of another network is asked for in vain; Docker knows those of its own at once.
BRIEFLY = ("env", "RES_OPTIONS=timeout:1 attempts:1")
QUESTION = "By what time must I tell my lead that I am ill?"
START_SECONDS = 1500  # cold: every image is built
SETTLE_SECONDS = 300
ENV = os.environ | {
    "COMPOSE_PROJECT_NAME": PROJECT,
    "APPLICATION_PORT": str(PORT),
    "EVALS_REPLAY": "true",
    "MODEL": "SmolLM2-135M-Instruct",
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

    def reachable(self, ports: dict[str, int]) -> set[tuple[str, str]]:
        """Who reaches whom by the networks of the files."""
        services = self.config()["services"]
        networks = {name: {*each["networks"]} for name, each in services.items()}
        pairs = ((one, other) for one in services for other in ports if one != other)
        return {(one, other) for one, other in pairs if networks[one] & networks[other]}

    def reached(self, ports: dict[str, int]) -> set[tuple[str, str]]:
        """Who reaches whom, as seen from inside the containers."""
        told = json.dumps(ports)
        return {
            (one, other)
            for one in self.config()["services"]
            for other in self.execute(one, *BRIEFLY, "python", "-c", REACHED, told).stdout.split()
            if one != other
        }

    def healthy(self, service: str) -> bool:
        return bool(self.inspect(service)["State"]["Health"]["Status"] == "healthy")

    def ask(self) -> dict[str, Any]:
        """The answer to a question, with a person's key; empty where there is none."""
        key = (ROOT / ".secrets" / "user").read_text()
        command = ("env", f"APPLICATION_KEY={key}", "application", "ask", "--json", QUESTION)
        done = self.execute("application", *command, check=False)
        return dict(json.loads(done.stdout)) if done.stdout.startswith("{") else {}

    def answers(self) -> bool:
        """Whether a question is answered with the model, rightly and with a source."""
        return is_right(self.ask())

    def status(self) -> dict[str, int]:
        """Documents by source, of those that were synced."""
        done = self.execute("worker", "ingestion", "status", "--json", check=False)
        rows = json.loads(done.stdout) if done.stdout.startswith("[") else []
        return {row["source"]: row["documents"] for row in rows if row["last_good_run_at"]}


def is_right(answer: dict[str, Any]) -> bool:
    """Whether the model was asked, and the answer has the value and a source."""
    is_answered = answer.get("status") == "answered" and bool(answer["citations"])
    return is_answered and "09:00" in answer["text"]


def docker(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["docker", *words],
        cwd=ROOT,
        env=ENV,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert not check or done.returncode == 0, f"docker {' '.join(words)}:\n{done.stderr}"
    return done


def is_hardened(container: dict[str, Any]) -> None:
    """Fail where a container has a right that it does not need, as `docker inspect` tells it."""
    host = container["HostConfig"]
    assert container["Config"]["User"].partition(":")[0] not in ("", "0", "root")
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert not host["Privileged"]
    assert "Health" in container["State"]


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
