"""Writes fresh keys for docker compose to .env, leaving those that it has already.

make secrets
"""

import os
import secrets

from demo.layout import ROOT

NAMES = ("QDRANT_SECRET", "EMBED_SECRET", "LLM_SECRET", "PROBE_SECRET")


def main() -> None:
    """Append what is missing; the file is readable by its owner only."""
    path = ROOT / ".env"
    text = path.read_text() if path.exists() else ""
    present = {line.split("=")[0] for line in text.splitlines()}
    missing = [name for name in NAMES if name not in present]
    if not missing:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as file:
        for name in missing:
            file.write(f"{name}={secrets.token_urlsafe(24)}\n")
    print(f"Wrote {', '.join(missing)} to .env.")


if __name__ == "__main__":
    main()
