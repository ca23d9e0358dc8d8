"""How much memory a new process may take on this machine; needs nothing installed."""

from __future__ import annotations

from pathlib import Path

UNLIMITED = 2**60  # cgroup v1 writes a number like this one where there is no limit


def memory_available_gb(proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> float | None:
    """Free memory in GB (10^9 bytes), a container's limit included; None where nothing tells."""
    try:
        lines = (proc / "meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = next((int(line.split()[1]) for line in lines if "MemAvailable" in line), None)
    if kilobytes is None:
        return None
    left = [_left(folder) for folder in _groups(proc, sys / "fs" / "cgroup")]
    return min([kilobytes * 1024, *(size for size in left if size is not None)]) / 1e9


def _groups(proc: Path, root: Path) -> list[Path]:
    """This process's control groups and all above them: each may have a limit of its own."""
    folders = [root, root / "memory"]  # inside a container, its own group is mounted there
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return folders
    for line in lines:
        _, _, controllers_and_path = line.partition(":")
        controllers, _, path = controllers_and_path.partition(":")
        if controllers in ("", "memory"):
            folder = (root / controllers) / path.strip("/")
            while folder not in folders and folder != root:
                folders.append(folder)
                folder = folder.parent
    return folders


def _left(group: Path) -> int | None:
    """Bytes that a group may still take, in version 2 or 1; None where it has no limit."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            value = (group / limit).read_text().strip()
            if not value.isdigit() or int(value) >= UNLIMITED:
                continue
            return max(0, int(value) - int((group / used).read_text()) + _reclaimable(group))
        except (OSError, ValueError):
            continue
    return None


def _reclaimable(group: Path) -> int:
    """Bytes of files in memory that the system gives up when a process wants room."""
    try:
        lines = (group / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    sizes = dict(line.split() for line in lines if len(line.split()) == 2)
    return int(sizes.get("total_inactive_file") or sizes.get("inactive_file") or 0)
