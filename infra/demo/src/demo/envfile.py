"""Reads .env as python-dotenv does, with the standard library alone: it runs before any install.

python3 infra/demo/src/demo/envfile.py COMMAND ...     # runs the command with .env's variables

A variable that is set already stays. Only ${NAME} and ${NAME:-default} are filled in; any other `$`
stays as it is. A test holds this reader against python-dotenv.
"""

from __future__ import annotations  # `make doctor` runs this on any Python 3.7 or newer

import os
import re
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parents[4] / ".env"

_BLANKS = r"[^\S\r\n]*"
_SINGLE = r"'((?:\\.|[^'\\])*)'"
_DOUBLE = r'"((?:\\.|[^"\\])*)"'
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_FILLED = re.compile(r"\$\{([^}:]*)(?::-([^}]*))?\}")


def read(text: str, environment: dict[str, str]) -> tuple[dict[str, str], list[int]]:
    """Return the variables of a file's text, and the numbers of the lines that are none.

    Where a value refers to another variable, `environment` comes before the file.
    """
    found: dict[str, str] = {}
    wrong: list[int] = []
    rest = _Rest(text)
    while rest.take(r"\s*") is not None and rest.at < len(text):
        start = rest.at
        try:
            name, value = _binding(rest)
        except ValueError:
            rest.take(r"[^\r\n]*")
            wrong.append(text.count("\n", 0, start) + 1)
            continue
        if name is not None and value is not None:
            found[name] = _filled(value, dict(found, **environment))
    return found, wrong


def _filled(value: str, known: dict[str, str]) -> str:
    return _FILLED.sub(lambda m: known.get(m.group(1), m.group(2) or ""), value)


class _Rest:
    """What is left to read of a text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def take(self, pattern: str) -> str:
        """Read on: the pattern's first group, or all of it. Raises ValueError."""
        match = re.compile(pattern, re.DOTALL).match(self.text, self.at)
        if match is None:
            raise ValueError(pattern)
        self.at = match.end()
        found: str = match.group(match.lastindex or 0)
        return found

    def next(self, start: str) -> bool:
        """Whether it goes on with this."""
        return self.text.startswith(start, self.at)


def _binding(rest: _Rest) -> tuple[str | None, str | None]:
    """One line's name and value; None for those that it has not. Raises ValueError."""
    rest.take(r"(?:export[^\S\r\n]+)?")
    name: str | None = None
    value: str | None = None
    if not rest.next("#"):
        name = rest.take(r"'([^']+)'" if rest.next("'") else r"[^=#\s]+")
    rest.take(_BLANKS)
    if rest.next("="):
        equals = rest.take("=" + _BLANKS)
        value = "" if len(equals) > 1 and rest.next("#") else _value(rest)
    rest.take(_BLANKS + r"(?:#[^\r\n]*)?")
    rest.take(_BLANKS + r"(?:\r\n|\n|\r|\Z)")
    return name, value


def _value(rest: _Rest) -> str:
    if rest.next("'"):
        return re.sub(r"\\([\\'])", r"\1", rest.take(_SINGLE))
    if rest.next('"'):
        escaped = r"\\([\\'\"abfnrtv])"
        return re.sub(escaped, lambda m: _ESCAPES.get(m.group(1), m.group(1)), rest.take(_DOUBLE))
    return re.sub(r"\s+#.*", "", rest.take(r"[^\r\n]*")).rstrip()


def load(file: Path = FILE) -> None:
    """Set the file's variables in this process, less those that are set already."""
    if not file.is_file():
        return
    found, wrong = read(file.read_text(encoding="utf-8"), dict(os.environ))
    for number in wrong:
        sys.stderr.write(f"{file}, line {number} is not NAME=value: it is left out.\n")
    for name, value in found.items():
        os.environ.setdefault(name, value)


if __name__ == "__main__":
    load()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - no shell is wanted
