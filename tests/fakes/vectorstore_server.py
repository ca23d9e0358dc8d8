"""The real vector store in a process of its own, on a free port."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from qdrant_client import QdrantClient

KEY, READER = "the-key", "the-read-only-key"
ROOT = Path(__file__).parents[2]
PORTS = range(26333, 26400)


def free_port() -> int:
    first = os.getpid() % len(PORTS)  # so that tests side by side do not meet
    for port in [*PORTS[first:], *PORTS[:first]]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port in {PORTS}")


def command() -> str:
    """`vectorstore` of this environment, or of the one that `make` prepared."""
    here = Path(sys.executable).with_name("vectorstore")
    return str(here if here.exists() else ROOT / ".venvs" / "vectorstore" / "bin" / "vectorstore")


class Server:
    """A vector store in its own process."""

    def __init__(self, path: Path, **settings: str) -> None:
        self.path, self.port = path, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {
            "VECTORSTORE_PATH": str(path),
            "VECTORSTORE_PORT": str(self.port),
            "VECTORSTORE_API_KEY": KEY,
            "VECTORSTORE_READ_ONLY_API_KEY": READER,
            "VECTORSTORE_MIN_FREE_MB": "1",
        } | settings

    def start(self) -> "Server":
        self.process = subprocess.Popen(
            [command(), "serve"],
            env={**os.environ, **self._settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = ""
        for line in self.process.stdout:
            said += line
            if self.url in line:
                return self
        self.process.communicate()
        raise RuntimeError(f"the vector store did not start: {said}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        self.output = self.process.communicate(timeout=60)[0]
        return self.process.returncode

    def client(self, key: str | None = KEY) -> QdrantClient:
        # its check of versions asks from a thread, which a server that is killed meanwhile fails
        return QdrantClient(url=self.url, api_key=key, timeout=30, check_compatibility=False)
