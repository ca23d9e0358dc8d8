"""bfloat16 is chosen where the processor multiplies it, and only there."""

from pathlib import Path

import pytest

from serving import precision
from serving.precision import choose_precision, processor_flags


@pytest.mark.parametrize(
    ("wanted", "flags", "capability", "chosen"),
    [
        ("auto", {"avx512f", "avx512_bf16"}, "AVX512", "bfloat16"),
        ("auto", {"amx_bf16"}, "AVX512", "bfloat16"),
        ("auto", {"asimd", "bf16"}, "SVE256", "bfloat16"),
        ("auto", {"avx2"}, "AVX2", "float32"),
        ("auto", {"avx512_bf16"}, "AVX2", "float32"),  # held back by ATEN_CPU_CAPABILITY
        ("auto", set(), "DEFAULT", "float32"),
        ("float32", {"avx512_bf16"}, "AVX512", "float32"),
        ("bfloat16", set(), "AVX2", "bfloat16"),
    ],
)
def test_precision_follows_the_setting_then_the_processor(
    wanted: str, flags: set[str], capability: str, chosen: str
) -> None:
    assert choose_precision(wanted, flags, capability) == chosen


@pytest.mark.parametrize("line", ["flags\t\t: fpu avx512_bf16", "Features\t: fp avx512_bf16"])
def test_flags_are_read_as_x86_and_arm_write_them(tmp_path: Path, line: str) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{line}\n")
    assert "avx512_bf16" in processor_flags(cpuinfo)


def test_a_system_that_does_not_tell_has_no_flags(tmp_path: Path) -> None:
    assert processor_flags(tmp_path / "none") == set()


def test_cores_are_counted_where_the_system_tells_no_affinity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision.os, "cpu_count", lambda: 7)
    monkeypatch.delattr(precision.os, "sched_getaffinity", raising=False)
    assert precision.usable_cores() == 7
    monkeypatch.setattr(precision.os, "cpu_count", lambda: None)
    assert precision.usable_cores() == 1
