"""What this processor offers: its cores, and bfloat16 only where it multiplies it."""

import os
from pathlib import Path
from typing import Literal

Precision = Literal["bfloat16", "float32"]

_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # the last is arm's
_TOO_NARROW = {"AVX2", "DEFAULT"}  # torch held back by ATEN_CPU_CAPABILITY


def choose_precision(wanted: str, flags: set[str], capability: str = "") -> Precision:
    """The precision to load at.

    `wanted` is the setting, `flags` the processor's, `capability` torch's own instruction set,
    as `torch.backends.cpu.get_cpu_capability()` names it, where torch does the work.
    """
    if wanted in ("bfloat16", "float32"):
        return "bfloat16" if wanted == "bfloat16" else "float32"
    has_bfloat16 = bool(_BFLOAT16_FLAGS & flags) and capability not in _TOO_NARROW
    return "bfloat16" if has_bfloat16 else "float32"


def usable_cores() -> int:
    """How many cores this process may use; all of them where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):  # on Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Instruction-set flags of this processor; none where the system does not tell them."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return set()
    names = ("flags", "Features")  # x86, arm
    return next(
        (set(line.split(":")[1].split()) for line in lines if line.startswith(names)), set()
    )
