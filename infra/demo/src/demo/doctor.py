"""Says whether this machine can run the stack, how, and what to mend; needs nothing installed.

make doctor          or   python -m demo.doctor --json
"""

from __future__ import annotations  # any Python 3.7 or newer runs this, to be told what is missing

import argparse
import ctypes.util
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from demo.install import is_current, offline
from demo.layout import BY_NAME, PYTHON, ROOT, demo_environments
from demo.memory import memory_available_gb
from demo.model_choice import (
    DEFAULT,
    FALLBACK,
    STACK_GB,
    Choice,
    catalogue,
    choose,
    described,
    problem,
)

PORTS = {  # process -> (variable, default port)
    "vectorstore": ("VECTORSTORE_PORT", 6333),
    "embedder": ("SERVING_EMBED_PORT", 8001),
    "llm": ("SERVING_LLM_PORT", 8000),
    "application": ("APPLICATION_PORT", 8080),
    "app-ref": ("APP_REF_PORT", 8081),
    "watcher": ("EVALS_PORT", 8090),
    "prefect": ("PREFECT_PORT", 4200),
    "evidently": ("EVIDENTLY_PORT", 8085),
}
UNTESTED = {  # is it Windows -> what is known
    False: "Not tested here: the limit of a parser's memory may not hold.",
    True: "Not tested here, and known to fail (fcntl, resource, supervisor): use Linux.",
}
LITE_SAVES_GB = 0.9


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ok, or a mend in one sentence. A warning does not stop the demo."""

    subject: str
    ok: bool
    detail: str
    mend: str = ""
    warning: bool = False


def port_of(process: str) -> int:
    """The port of a process: its own variable, else the default plus PORT_OFFSET."""
    variable, default = PORTS[process]
    return int(os.environ.get(variable) or default + int(os.environ.get("PORT_OFFSET") or 0))


def is_taken(port: int) -> bool:
    """Whether something on this machine already listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def wanted_processes() -> list[str]:
    """Processes that `make demo` would start with these variables."""
    skip = set()
    if os.environ.get("LLM_URL"):
        skip.add("llm")
    if os.environ.get("QDRANT_URL"):
        skip.add("vectorstore")
    if os.environ.get("DEMO") == "lite":
        skip |= {"watcher", "prefect", "evidently"}
    return [process for process in PORTS if process not in skip]


def can_run_vllm() -> bool:
    """Whether vLLM's CPU wheel exists for this platform."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64", "arm64")


def processor_flags() -> set[str]:
    """Instruction sets that matter here, as Linux names them."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return set()
    return {"avx2", "avx512f", "avx512_bf16", "amx_bf16"} & set(text.split())


def has_bf16() -> bool:
    """Whether models run in bfloat16 here; else they run in float32, and take more memory."""
    return bool(processor_flags() & {"avx512_bf16", "amx_bf16"}) or platform.machine() == "arm64"


def stack_gb() -> float:
    """Memory that everything but the chat model takes."""
    return STACK_GB - (LITE_SAVES_GB if os.environ.get("DEMO") == "lite" else 0)


def is_fetched(name: str) -> bool:
    """Whether a model's files lie in the models folder."""
    state = Path(os.environ.get("STATE_DIR") or ROOT / ".state")
    models = Path(os.environ.get("MODELS_DIR") or state / "models")
    return (models / name.replace("/", "--") / "config.json").exists()


def chosen_model() -> Choice:
    """The chat model that `make demo` serves with these variables, and why, in one line."""
    state = Path(os.environ.get("STATE_DIR") or ROOT / ".state")
    accepted = state / "accepted" / "model"  # as `make accept` left it: demo/accepted.py
    kept = accepted.read_text() if accepted.exists() else None
    return choose(
        os.environ.get("MODEL"),
        memory_available_gb(),
        shutil.disk_usage(ROOT).free / 1e9,
        stack_gb=stack_gb(),
        bf16=has_bf16(),
        kept=kept,
        fetched=is_fetched(DEFAULT),
    )


def weakest_layer() -> Finding:
    """Whether the compensation for the layer that the team spends least time on is switched on."""
    choice = os.environ.get("WEAKEST_LAYER", "")
    if choice == "data":
        on = os.environ.get("DEMO") != "lite"
        what, mend = "a schedule keeps the sources in sync", "Leave out DEMO=lite: it has none."
    elif choice == "serving":
        on = bool(os.environ.get("LLM_URL"))
        what = "the chat model is hosted, so nobody has to run an engine"
        mend = "Set LLM_URL to a hosted model."
    elif choice == "application":
        on = answers_are_measured()
        what = "the golden set was answered with these prompts and settings"
        mend = "Run `make answers` and look at docs/results/answers.json before you release."
    else:
        on, what = False, f"{choice!r} is not a layer" if choice else "not chosen"
        mend = "Set WEAKEST_LAYER=data, serving or application: the worst choice is none."
    detail = f"{choice}: {what}" if on or not choice else f"{choice}: not so that {what}"
    return Finding("weakest layer", on, detail if choice else what, mend, warning=True)


def answers_are_measured() -> bool:
    """Whether prompts and bundle are those of the commit that docs/results/answers.json names."""
    results = ROOT / "docs" / "results" / "answers.json"
    if not results.exists():
        return False
    commit = json.loads(results.read_text())[0]["commit"]
    what = ["application/src/application/prompts", "application/src/application/bundle.toml"]
    command = ["git", "diff", "--quiet", commit, "--", *what]
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def findings(*, ports: bool = True) -> Iterator[Finding]:
    """Look at everything, in the order in which a person would mend it."""
    version = platform.python_version()
    yield Finding(
        "python",
        sys.version_info[:2] >= PYTHON,
        version,
        f"Install Python {PYTHON[0]}.{PYTHON[1]} or newer and run again.",
    )
    hosted = bool(os.environ.get("LLM_URL"))
    yield Finding(
        "platform",
        hosted or can_run_vllm(),
        f"{platform.system()} {platform.machine()}",
        "vLLM's CPU wheel does not exist here: LLM_URL=<any OpenAI-compatible server> make demo.",
    )
    if sys.platform != "linux":
        yield Finding(
            "other system",
            False,
            "the stack was tested on Linux alone",
            UNTESTED[sys.platform == "win32"],
            warning=sys.platform != "win32",
        )
    if sys.platform == "linux" and not hosted:
        yield Finding(
            "libnuma",
            ctypes.util.find_library("numa") is not None,
            "vLLM on CPU loads it",
            "Install it (Debian: apt-get install libnuma1), or use a hosted model: LLM_URL=...",
        )
    bf16 = has_bf16()
    yield Finding(
        "processor",
        True,
        f"{os.cpu_count()} cores, bf16 {'yes' if bf16 else 'no: models run in float32'}",
    )
    lite = os.environ.get("DEMO") == "lite"
    need, room = stack_gb(), 0.5
    if not hosted:
        choice = chosen_model()
        model = described(choice.model)
        wrong = problem(choice.model) or ""
        yield Finding("model", not wrong, choice.sentence[len("Model: ") :], wrong)
        need += (model if model.memory_mb else catalogue()[FALLBACK]).memory_gb(bf16)
        room += 0 if is_fetched(model.name) else model.disk_mb / 1000
    free = memory_available_gb()
    yield Finding(
        "memory",
        free is None or free >= need,
        "unknown" if free is None else f"{free:.1f} GB free, {need:.1f} needed",
        "Close something, name a smaller MODEL, or use a hosted one (LLM_URL=... make demo) or "
        "DEMO=lite make demo.",
    )
    names = demo_environments(hosted_llm=hosted, lite=lite)
    missing = [name for name in names if not is_current(BY_NAME[name], tests=False)]
    need = sum(BY_NAME[name].disk_gb for name in missing) + room
    space = shutil.disk_usage(ROOT).free / 1e9
    yield Finding(
        "disk",
        space >= need,
        f"{space:.1f} GB free, {need:.1f} needed",
        f"Free some space under {ROOT}, or use a hosted model, which needs 3.5 GB less.",
    )
    state = "all installed" if not missing else f"not yet installed: {', '.join(missing)}"
    yield Finding("environments", True, state + (", seed found" if offline() else ""))
    if ports:
        for process in wanted_processes():
            port = port_of(process)
            variable = PORTS[process][0]
            yield Finding(
                f"port {port}",
                not is_taken(port),
                process,
                f"Something else listens there: `make demo-stop` if it is this stack, or "
                f"{variable}=<another> make demo.",
            )
    yield weakest_layer()


def advised_mode(found: list[Finding]) -> str:
    """The command that fits this machine."""
    failed = {finding.subject for finding in found if not finding.ok and not finding.warning}
    if failed & {"platform", "memory", "disk"}:
        return "LLM_URL=<any OpenAI-compatible server> DEMO=lite make demo"
    return "make demo"


def main() -> None:
    """Command line; see the module's docstring. Exit status 1 when something must be mended."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    found = list(findings())
    if parser.parse_args().json:
        print(json.dumps({"findings": [asdict(f) for f in found], "advice": advised_mode(found)}))
    else:
        for finding in found:
            sign = "ok " if finding.ok else ("-- " if finding.warning else "NO ")
            print(f"{sign} {finding.subject:<14} {finding.detail}")
            if finding.mend and not finding.ok:
                print(f"    {'':<14} {finding.mend}")
        print(f"\nAdvised here: {advised_mode(found)}")
    sys.exit(any(not finding.ok and not finding.warning for finding in found))


if __name__ == "__main__":
    main()
