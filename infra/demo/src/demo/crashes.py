"""Gives up a process that dies again and again: Supervisor alone would start it for ever.

Supervisor counts only deaths in the first seconds. Every start that it makes is noted here.
"""

import json
import time

from demo.settings import Settings

STARTS = 6  # within
WITHIN_SECONDS = 600.0
GIVEN_UP = 79  # exit status after which Supervisor starts no more
GIVEN_UP_STATES = ("EXITED", "FATAL")  # as Supervisor names them
SENTENCE = (
    "given up, since it died again and again: its log says why. `demo restart {name}` tries again."
)


def may_start(settings: Settings, name: str) -> bool:
    """Note a start by Supervisor; False where there were too many of late."""
    path = settings.state_dir / "starts" / f"{name}.json"
    starts: list[float] = json.loads(path.read_text()) if path.exists() else []
    now = time.time()
    recent = [at for at in starts if now - at < WITHIN_SECONDS]
    if len(recent) >= STARTS:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*recent, now]))
    return True


def forget(settings: Settings, name: str) -> None:
    """Count anew: somebody starts this process on purpose."""
    (settings.state_dir / "starts" / f"{name}.json").unlink(missing_ok=True)
