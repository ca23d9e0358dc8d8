"""Keeps the processes alive with Supervisor (the `supervisor` package): one socket, one file."""

import os
import signal
import subprocess
import time
import xmlrpc.client
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import psutil
from supervisor.xmlrpc import Faults, SupervisorTransport

from demo.crashes import GIVEN_UP, forget
from demo.layout import BY_NAME, ROOT
from demo.processes import Process
from demo.settings import Settings

START_SECONDS = 420  # vLLM's first start on two slow cores, with room
STARTS = 4  # the first, and the retries of PROGRAM

# The state folder comes from a variable, whose value Supervisor takes as it is.
HEADER = """\
[unix_http_server]
file={socket}
chmod=0700
[supervisord]
logfile=%(ENV_STATE_DIR)s/logs/supervisord.log
logfile_maxbytes=10MB
logfile_backups=2
pidfile=%(ENV_STATE_DIR)s/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
YIELDING = "nice -n 10 "  # while these start on two cores, somebody asks the first question
LAST = "nice -n 19 "  # of what ends by itself
PROGRAM = """\
[program:{name}]
command={first}{python} -m demo.cli exec {name}
autostart=false
priority={priority}
autorestart=unexpected
exitcodes={ends_with}
startsecs={steady_seconds}
startretries=3
stopwaitsecs=30
stopasgroup={group}
killasgroup=true
redirect_stderr=true
stdout_logfile=%(ENV_FAULTLINE_LOGS)s/{name}.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
"""


class StartError(Exception):
    """Something could not start; the message says what to do next."""


@dataclass(frozen=True)
class State:
    """What Supervisor says of one process."""

    name: str
    state: str  # STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL
    pid: int
    detail: str


def paths(settings: Settings) -> dict[str, str]:
    """The paths of its file, by variable: Supervisor fills in the name of a log twice."""
    logs = str(settings.state_dir / "logs")
    return {"STATE_DIR": str(settings.state_dir), "FAULTLINE_LOGS": logs.replace("%", "%%")}


class Supervisor:
    """The supervisor of one state folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.logs = settings.state_dir / "logs"

    def _rpc(self) -> xmlrpc.client.ServerProxy:
        transport = SupervisorTransport(None, None, f"unix://{self.settings.socket}")
        return xmlrpc.client.ServerProxy("http://localhost", transport=transport)

    def is_running(self) -> bool:
        """Whether this state folder's supervisor answers."""
        try:
            self._rpc().supervisor.getState()
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def launch(self, processes: list[Process]) -> None:
        """Write the configuration and start the supervisor itself, detached, with nothing in it."""
        self.logs.mkdir(parents=True, exist_ok=True)
        state = self.settings.state_dir
        # No path of this machine stands in the file, where a space, `%` or `;` means something.
        python = BY_NAME["demo"].command("python").relative_to(ROOT)
        parts = [HEADER.format(socket=self.settings.socket)]
        for process in processes:
            first = LAST if process.ends else YIELDING if process.late else ""
            # What ends by itself may do so at once, and ends its own commands when it is told to.
            rules = {
                "ends_with": f"0,1,2,{GIVEN_UP}" if process.ends else GIVEN_UP,
                "steady_seconds": 0 if process.ends else 5,
                "priority": 1000 if process.ends else 999,  # the highest is stopped first
                "group": "false" if process.ends else "true",
            }
            parts.append(PROGRAM.format(name=process.name, python=python, first=first, **rules))
        path = state / "supervisord.conf"
        path.write_text("".join(parts))
        env = os.environ | paths(self.settings)
        command = [str(BY_NAME["demo"].command("supervisord")), "-c", str(path)]
        subprocess.run(command, check=True, env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
        while not self.is_running():
            time.sleep(0.1)

    def start(self, name: str) -> None:
        """Start one process and return at once."""
        forget(self.settings, name)
        self._rpc().supervisor.startProcess(name, False)

    def restart(self, process: Process, *, wait: bool = True) -> None:
        """Stop one process, start it again, and wait until it is healthy.

        Raises StartError where it dies while it is waited for, and leaves it stopped.
        """
        try:
            self.stop_one(process.name)
            self.start(process.name)
        except xmlrpc.client.Fault as fault:
            raise StartError(
                f"The running stack has no process {process.name} ({fault.faultString}): "
                "`make demo-stop`, then `make demo`."
            ) from fault
        if not wait:
            return
        try:
            self.wait([process], starts=1)
        except StartError:
            self.stop_one(process.name)
            raise

    def wait(
        self,
        waiting: list[Process],
        say: Callable[[str], None] = lambda _: None,
        starts: int = STARTS,
    ) -> None:
        """Return when all are healthy, telling of each; raises StartError with last words."""
        left, pids = list(waiting), defaultdict[str, set[int]](set)
        until = time.monotonic() + START_SECONDS
        while left:
            states = {state.name: state for state in self.states()}
            for process in list(left):
                state = states[process.name]
                seen = pids[process.name]
                seen |= {state.pid} - {0}
                is_down = state.state in ("BACKOFF", "EXITED", "FATAL")
                given_up = state.state == "FATAL" or len(seen) + is_down > starts
                if given_up or time.monotonic() > until:
                    raise StartError(self._death(process, state.detail))
                if is_healthy(process) and (process.health or state.state == "RUNNING"):
                    left.remove(process)
                    say(process.name)
            time.sleep(0.3)

    def _death(self, process: Process, detail: str) -> str:
        log = self.logs / f"{process.name}.log"
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""
        return f"{process.name} did not start ({detail}). Its last words ({log}):\n{tail}"

    def stop_one(self, name: str) -> None:
        """Stop one process and what it started, if it runs."""
        pid = next((state.pid for state in self.states() if state.name == name), 0)
        tree = psutil.Process(pid).children(recursive=True) if psutil.pid_exists(pid) else []
        try:
            self._rpc().supervisor.stopProcess(name)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise
        _end(tree)

    def states(self) -> list[State]:
        """The state of every process."""
        rows: list[dict[str, str | int]] = self._rpc().supervisor.getAllProcessInfo()  # type: ignore[assignment]
        return [
            State(str(r["name"]), str(r["statename"]), int(r["pid"]), str(r["description"]))
            for r in rows
        ]

    def stop(self) -> bool:
        """Stop everything, children's children included; False when nothing ran."""
        if not self.is_running():
            return False
        pid = self._rpc().supervisor.getPID()
        tree = psutil.Process(int(str(pid))).children(recursive=True)
        self._rpc().supervisor.shutdown()
        parent = [psutil.Process(int(str(pid)))] if psutil.pid_exists(int(str(pid))) else []
        _end([*parent, *tree])
        self.settings.socket.unlink(missing_ok=True)
        return True


def _end(tree: list[psutil.Process]) -> None:
    """Wait for processes that were told to stop, and kill those that do not."""
    _, alive = psutil.wait_procs(tree, timeout=45)
    for process in alive:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)


def is_healthy(process: Process) -> bool:
    """Whether its health URL answers 200; a process without one counts as healthy."""
    if process.health is None:
        return True
    try:
        return httpx.get(process.health, timeout=3).status_code == 200
    except httpx.HTTPError:
        return False
