"""Installs environments, each from its hashed requirements; a second run takes a second.

python -m demo.install vectorstore application    # these two
python -m demo.install --tests all                # every one, with what its tests need
"""

from __future__ import annotations  # any Python 3.7 or newer reads this, to be told what it lacks

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from demo.layout import BY_NAME, ENVIRONMENTS, PYTHON, ROOT, SEED, TORCH, Environment

TEST_REQUIREMENTS = "tests/requirements.txt"
AT_ONCE = 3  # more wait for each other's downloads


class InstallError(Exception):
    """An installation stopped; the message says what to do next."""


def fingerprint(environment: Environment, tests: bool) -> str:
    """Digest of everything that decides what the environment holds."""
    files = [environment.requirements, *(f"{p}/pyproject.toml" for p in environment.packages)]
    if tests:
        files.append(TEST_REQUIREMENTS)
    digest = hashlib.sha256(f"{sys.version_info[:2]} {TORCH} {environment.torch}".encode())
    for name in files:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def is_current(environment: Environment, tests: bool) -> bool:
    """Whether the environment holds what its files ask for (tests' tools may be there besides)."""
    stamp = environment.folder / "installed"
    if not stamp.exists() or not environment.command("python").exists():
        return False
    wanted = {fingerprint(environment, tests), fingerprint(environment, True)}
    return stamp.read_text() in wanted


def offline() -> bool:
    """Whether a complete seed for exactly these requirements lies here: then it alone is used."""
    stamp = SEED / "seeded"
    return stamp.exists() and stamp.read_text() == seed_fingerprint()


def seed_fingerprint() -> str:
    """Digest of all requirement files: a seed made for others is not used."""
    digest = hashlib.sha256()
    for environment in BY_NAME.values():
        digest.update((ROOT / environment.requirements).read_bytes())
    return digest.hexdigest()


def seed_wheels() -> str:
    """The seed's wheels for pip and uv, as a URL: both split a list of places at its spaces."""
    return (SEED / "wheels").as_uri()


def uv() -> Path:
    """Path of uv: the one on PATH, or one installed here with the standard library's venv."""
    found = shutil.which("uv")
    if found:
        return Path(found)
    folder = ENVIRONMENTS / "uv"
    program = folder / ("Scripts/uv.exe" if sys.platform == "win32" else "bin/uv")
    if not program.exists():
        venv.create(folder, with_pip=True, clear=True)
        python = program.with_name("python.exe" if sys.platform == "win32" else "python")
        source = ["--no-index", "--find-links", seed_wheels()] if offline() else []
        run([str(python), "-m", "pip", "install", "--quiet", *source, "uv>=0.9"])
    return program


def variables() -> dict[str, str]:
    """This process's variables, with pip's settings handed to uv, which has names of its own."""
    env = dict(os.environ)
    for ours, pips in (("UV_FIND_LINKS", "PIP_FIND_LINKS"), ("UV_DEFAULT_INDEX", "PIP_INDEX_URL")):
        if pips in env:
            env.setdefault(ours, env[pips])
    if offline():
        env.update(UV_NO_INDEX="1", UV_OFFLINE="1", UV_FIND_LINKS=seed_wheels())
    env.setdefault("UV_LINK_MODE", "copy" if sys.platform == "win32" else "hardlink")
    return env


def run(command: list[str]) -> str:
    """Run a command quietly: what it printed, or InstallError with its last words and a mend."""
    result = subprocess.run(command, env=variables(), capture_output=True, text=True, cwd=ROOT)
    if result.returncode == 0:
        return result.stdout
    words = (result.stderr or result.stdout).strip()
    if "No space left" in words:
        mend = "The disk is full: free some space (`make doctor` says how much), then run it again."
    elif any(sign in words for sign in ("resolve host", "dns error", "connect", "Connection")):
        mend = (
            "No package index answered: check the network, or run `make seed` on a machine that "
            "has one and copy its folder here (SEED=<folder>)."
        )
    else:
        mend = "Run it again; if it fails the same way, the lines above say where."
    raise InstallError(f"{words[-1500:]}\n{mend}")


def torch_source() -> list[str]:
    """Where torch comes from: a wheel on disk, the backend asked for, or PyTorch's own for CPU.

    TORCH_BACKEND="" takes it from the index that is set for pip.
    """
    given = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS") or ""
    folders = [SEED / "wheels"] if offline() else [Path(each) for each in given.split()]
    if any(list(folder.glob("torch-*")) for folder in folders):
        return []
    backend = os.environ.get("TORCH_BACKEND", "cpu")
    return ["--torch-backend", backend] if backend else []


def install(environment: Environment, tests: bool) -> float:
    """Make one environment; returns seconds, 0 when it was already current."""
    if is_current(environment, tests):
        return 0.0
    started = time.monotonic()
    stamp = environment.folder / "installed"
    if stamp.exists():
        stamp.unlink()
    pip = [str(uv()), "pip", "install", "--quiet", "--python", str(environment.command("python"))]
    hashed = [*pip, "--no-deps", "--require-hashes", "-r"]
    version = f"{PYTHON[0]}.{PYTHON[1]}"
    run([str(uv()), "venv", "--quiet", "--clear", "--python", version, str(environment.folder)])
    if environment.torch:
        run([*pip, "--no-deps", *torch_source(), TORCH])
    if tests:
        run([*hashed, TEST_REQUIREMENTS])  # before the layer's own, whose pins win
    run([*hashed, environment.requirements])
    editable = [word for package in environment.packages for word in ("-e", f"./{package}")]
    run([*pip, "--no-deps", *editable])
    stamp.write_text(fingerprint(environment, tests))
    return time.monotonic() - started


def install_all(names: list[str], tests: bool) -> None:
    """Install several side by side, telling of each as it ends."""
    todo = [BY_NAME[name] for name in names if not is_current(BY_NAME[name], tests)]
    if not todo:
        return
    space = shutil.disk_usage(ROOT).free / 1e9
    needed = sum(environment.disk_gb for environment in todo)
    if space < needed:
        raise InstallError(
            f"{needed:.1f} GB are needed for {len(todo)} environments and {space:.1f} GB are free: "
            "free some space, or use a hosted model (LLM_URL=... make demo): 3.5 GB less."
        )
    where = "from the seed" if offline() else "with downloads"
    print(
        f"Installing {', '.join(e.name for e in todo)} ({needed:.1f} GB, {where}) ...", flush=True
    )
    ENVIRONMENTS.mkdir(exist_ok=True)
    uv()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = {pool.submit(install, environment, tests): environment for environment in todo}
        for job in as_completed(jobs):
            print(f"  {jobs[job].name:<12} {job.result():5.0f} s", flush=True)


def main() -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="+", choices=[*BY_NAME, "all", "stack"])
    parser.add_argument("--tests", action="store_true", help="with what each layer's tests need")
    arguments = parser.parse_args()
    names = arguments.names
    if names == ["all"]:
        names = list(BY_NAME)
    elif names == ["stack"]:
        from demo.layout import demo_environments

        lite = os.environ.get("DEMO") == "lite"
        names = demo_environments(hosted_llm=bool(os.environ.get("LLM_URL")), lite=lite)
    if sys.version_info[:2] < PYTHON:
        sys.exit(
            f"Python {PYTHON[0]}.{PYTHON[1]} or newer is needed; this is {sys.version.split()[0]}."
        )
    try:
        install_all(names, arguments.tests)
    except InstallError as error:
        sys.exit(f"Installation stopped. {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command goes on where it was.")


if __name__ == "__main__":
    main()
