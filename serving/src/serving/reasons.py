"""What a hosted server says of an error, made fit to be shown: one line, no secret, no document."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

SHOWN = 200  # characters
SHORT_KEY = 4  # characters; a shorter key is no secret
PRIVATE = 12  # characters; a shorter piece of a text may stand in the server's own words by chance


def reason_of(body: bytes, key: str = "", private: Sequence[str] = ()) -> str:
    """The server's own sentence in `body`; "" where it has none.

    Neither `key` nor a long piece of the `private` texts is in it.
    """
    try:
        sentence = _sentence(json.loads(body))
    except ValueError:  # an HTML page of a proxy, or nothing
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in sentence[:1000]).split())
    line = _without_copies(line.replace(key, "...") if len(key) >= SHORT_KEY else line, private)
    line = re.sub(r"\b(sk|hf|gsk|pk)[-_][\w*.-]{4,}|\b(Bearer|Basic) \S+", "...", line)
    line = re.sub(r"//[^/\s@]+@", "//", line)
    return line[:SHOWN].strip()


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (a number or a date), or None."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            seconds = float(value) * unit
        except ValueError:
            seconds = _until(value)
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def _until(date: str) -> float:
    """Seconds from now to an HTTP date, at least 0; -1 where it is no date."""
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return -1
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _sentence(told: Any) -> str:
    """The message in the forms that servers use: OpenAI's, FastAPI's, RFC 9457's, Google's."""
    if isinstance(told, str):
        return told
    if isinstance(told, list):
        return _sentence(told[0]) if told else ""
    if isinstance(told, dict):
        for name in ("error", "message", "detail", "msg", "errors"):
            if found := _sentence(told.get(name)):
                return found
    return ""


def _without_copies(line: str, private: Sequence[str]) -> str:
    """`line` with "..." for every long piece of it that stands in a private text too."""
    texts = "\0".join(" ".join(text.split()) for text in private)
    hidden = [False] * len(line)
    for start in range(len(line) - PRIVATE + 1):
        if line[start : start + PRIVATE] in texts:
            hidden[start : start + PRIVATE] = [True] * PRIVATE
    kept = "".join("\0" if hide else c for c, hide in zip(line, hidden, strict=True))
    return re.sub("\0+", "...", kept)
