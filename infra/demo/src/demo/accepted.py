"""The accepted build of the application: a copy of its sources, which `app-ref` runs.

It lies in accepted/src in the state folder; `evals accept` calls `demo pin-application`.
"""

import shutil
import tempfile
from pathlib import Path

from demo.layout import ROOT
from demo.settings import Settings

PACKAGES = ("application", "contracts")


def sources(settings: Settings) -> Path:
    """Folder of the accepted packages; app-ref runs only where it exists."""
    return settings.state_dir / "accepted" / "src"


def app_ref_state(settings: Settings) -> Path:
    """State folder of app-ref: events of its own, and the live application's secrets."""
    return settings.state_dir / "app-ref"


def pin(settings: Settings) -> None:
    """Copy the application as it lies now; one rename puts the new copy in the old one's place."""
    link = sources(settings)
    link.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix="src-", dir=link.parent))
    for package in PACKAGES:
        files = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package / "src" / package, new / package, ignore=files)
    _link(link, new.name)
    for old in link.parent.glob("src-*"):
        if old != new:
            shutil.rmtree(old)
    app_ref_state(settings).mkdir(exist_ok=True)
    _link(app_ref_state(settings) / "secrets", "../secrets")


def _link(path: Path, target: str) -> None:
    following = path.with_name(f"{path.name}.next")
    following.unlink(missing_ok=True)
    following.symlink_to(target)
    following.replace(path)
