"""Where a figure comes from: the command, the commit, the day and the machine."""

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

INSTRUCTION_SETS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "asimd")  # best first


@dataclass(frozen=True)
class Origin:
    """What a reader needs to measure a figure again."""

    command: str
    commit: str
    date: str
    machine: str


def origin() -> Origin:
    """Of a figure measured here and now, by the command that is running."""
    return Origin(
        command=command(sys.argv),
        commit=_commit(),
        date=datetime.now(UTC).date().isoformat(),
        machine=machine(),
    )


def command(arguments: Sequence[str]) -> str:
    """A command line as others would type it: absolute paths are made relative to here."""
    program, *rest = arguments
    typed = [os.path.relpath(word) if os.path.isabs(word) else word for word in rest]
    return shlex.join([Path(program).name, *typed])


def machine(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Cores, processor and widest instruction set, such as "2 cores, AMD EPYC, avx512_bf16"."""
    facts = _facts(cpuinfo)
    processor = facts.get("model name") or platform.processor() or platform.machine()
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    widest = next((name for name in INSTRUCTION_SETS if name in flags), "instruction set unknown")
    return f"{os.cpu_count()} cores, {processor}, {widest}"


def _facts(cpuinfo: Path) -> dict[str, str]:
    if not cpuinfo.is_file():
        return {}
    pairs = (line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _commit() -> str:
    """Short hash of the checked-out commit, "+" where files differ from it; "unknown" outside."""
    try:
        git = ("git", "describe", "--always", "--exclude=*", "--dirty=+")
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
