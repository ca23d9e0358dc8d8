"""What was accepted: a copy of the application's sources, and how every process was launched.

They lie in accepted/ in the state folder. `evals accept` calls `demo pin-application`, `app-ref`
runs the copy, and `demo restart NAME --accepted` goes back to either.
"""

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from demo.layout import ROOT
from demo.settings import Settings, overrides

PACKAGES = ("application", "contracts")
OVERRIDES = "overrides.json"  # beside the packages
NONE = "none"  # what lay before the first copy
MODEL = "model"  # beside the copies: what the accepted stack serves, for `make demo` to keep


def sources(settings: Settings) -> Path:
    """Folder of the accepted packages; app-ref runs only where it exists."""
    return settings.state_dir / "accepted" / "src"


def app_ref_state(settings: Settings) -> Path:
    """State folder of app-ref: events of its own, and the live application's secrets."""
    return settings.state_dir / "app-ref"


def launched(settings: Settings, process: str) -> dict[str, str]:
    """Variables with which the accepted process ran beside the stack's own.

    The application's are those of its accepted sources; its live bundle has a way back of its own.
    """
    if process == "application":
        bundle = ROOT / "application" / "src" / "application" / "bundle.toml"
        return {"PYTHONPATH": str(sources(settings)), "APPLICATION_BUNDLE": str(bundle)}
    kept = sources(settings) / OVERRIDES
    found: dict[str, dict[str, str]] = json.loads(kept.read_text()) if kept.exists() else {}
    return found.get(process, {})


def pin(settings: Settings) -> None:
    """Copy the application as it lies now; one rename puts the new copy in the old one's place.

    An application that runs its accepted sources keeps them: what lies in the repository is what
    was taken back. The copy before stays, for `unpin`.
    """
    link = sources(settings)
    link.parent.mkdir(parents=True, exist_ok=True)
    taken_back = "PYTHONPATH" in overrides(settings).get("application", {})
    new = Path(tempfile.mkdtemp(prefix="src-", dir=link.parent))
    for package in PACKAGES:
        lies = link / package if taken_back else ROOT / package / "src" / package
        shutil.copytree(lies, new / package, ignore=shutil.ignore_patterns("__pycache__"))
    kept = new / OVERRIDES
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(overrides(settings)))
    _link(_before(settings), link.readlink().name if link.exists() else NONE)
    _link(link, new.name)
    for old in link.parent.glob("src-*"):
        if old not in (link.resolve(), _before(settings).resolve()):
            shutil.rmtree(old)
    if settings.model and not settings.llm_url:
        (link.parent / MODEL).write_text(settings.model)
    app_ref_state(settings).mkdir(exist_ok=True)
    _link(app_ref_state(settings) / "secrets", "../secrets")


def unpin(settings: Settings) -> bool:
    """Put what lay there before the last pin back, once; False where that was done already."""
    before = _before(settings)
    if not before.is_symlink():
        return False
    if before.exists():
        _link(sources(settings), before.readlink().name)
        before.unlink()
    else:  # the first one goes with everything that came with it
        shutil.rmtree(before.parent)
    return True


def is_accepted(settings: Settings) -> bool:
    """Whether `evals accept` ever ended well for this state folder, by the watcher's ledger."""
    ledger = settings.state_dir / "ledger.sqlite"
    if not ledger.exists():
        return False
    with closing(sqlite3.connect(ledger, timeout=30)) as opened:
        try:
            return opened.execute("SELECT 1 FROM accepts").fetchone() is not None
        except sqlite3.Error:
            return False  # not made yet: `evals accept` looks again


def first_baseline(settings: Settings, is_running: bool) -> str | None:
    """What `evals accept --first` says of itself while it runs, and after it failed."""
    told = settings.state_dir / "first-baseline.json"
    if not told.exists():
        return None
    said: dict[str, str | bool] = json.loads(told.read_text())
    return str(said["sentence"]) if is_running or said["failed"] else None


def _before(settings: Settings) -> Path:
    return settings.state_dir / "accepted" / "before"


def _link(path: Path, target: str) -> None:
    following = path.with_name(f"{path.name}.next")
    following.unlink(missing_ok=True)
    following.symlink_to(target)
    following.replace(path)
