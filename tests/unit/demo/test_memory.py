"""Free memory is what the machine has and every control group above this process allows."""

from pathlib import Path

import pytest

from demo.memory import memory_available_gb

GB = 10**9


def machine(tmp_path: Path, group: str, limits: dict[str, dict[str, object]]) -> float | None:
    proc, cgroups = tmp_path / "proc", tmp_path / "sys" / "fs" / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {16 * GB // 1024} kB\n")
    (proc / "self" / "cgroup").write_text(group)
    for folder, files in limits.items():
        (cgroups / folder).mkdir(parents=True, exist_ok=True)
        for name, value in files.items():
            (cgroups / folder / name).write_text(f"{value}\n")
    return memory_available_gb(proc, tmp_path / "sys")


V2 = {"memory.max": 8 * GB, "memory.current": 3 * GB}
V1 = {"memory.limit_in_bytes": 8 * GB, "memory.usage_in_bytes": 3 * GB}


@pytest.mark.parametrize(
    ("group", "limits", "free_gb"),
    [
        ("0::/", {}, 16),
        ("0::/", {"": V2}, 5),
        ("0::/", {"": V2 | {"memory.max": "max"}}, 16),
        ("0::/a/b", {"a": V2, "a/b": V2 | {"memory.max": "max"}}, 5),
        ("0::/a/b", {"a/b": V2, "other": V2 | {"memory.max": 1}}, 5),
        ("0::/", {"": V2 | {"memory.stat": f"anon 1\ninactive_file {2 * GB}"}}, 7),
        ("0::/", {"": V2 | {"memory.current": 9 * GB}}, 0),
        ("4:memory:/a\n0::/", {"memory/a": V1}, 5),
        ("4:memory:/a\n", {"memory": V1}, 5),  # in a container, its own group is at the root
        ("4:memory:/", {"memory": V1 | {"memory.limit_in_bytes": 2**63 - 4096}}, 16),
        ("4:cpu:/a", {"a": V2}, 16),
    ],
)
def test_a_limit_of_a_control_group_counts(
    tmp_path: Path, group: str, limits: dict[str, dict[str, object]], free_gb: float
) -> None:
    assert machine(tmp_path, group, limits) == pytest.approx(free_gb, abs=0.001)


def test_a_system_that_does_not_tell_is_unknown(tmp_path: Path) -> None:
    assert memory_available_gb(tmp_path, tmp_path) is None
