"""What an HTTP upstream's status means, in words that say which setting to change."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from application.errors import ApplicationError
from application.upstream import Refused

READ_BYTES = 64 * 1024  # of an error's body
REASON_CHARACTERS = 300
PRIVATE_CHARACTERS = 16  # a shorter piece of our own text may be in a server's words by chance
LONGEST_PAUSE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Wording:
    """How messages name an upstream and its settings."""

    name: str
    key: str  # the setting that holds its key
    url: str  # the setting that holds its address
    tuning: str = ""  # what to change where it refuses a parameter


async def checked(
    response: aiohttp.ClientResponse,
    wording: Wording,
    private: Sequence[str] = (),
    too_long: type[ApplicationError] | None = None,
) -> None:
    """Raises Refused for a redirect and a 4xx, and ClientResponseError for a 5xx.

    Texts in `private` never appear in the sentence. `too_long` is raised by the upstream for an
    input that it finds too long.
    """
    status = response.status
    if status < 300:
        return
    if status < 400:
        raise Refused(
            f"The {wording.name} sends to another address ({status}); set {wording.url} to that.",
            status,
        )
    if status >= 500 or status == 408:
        response.raise_for_status()
    told = _told(await response.content.read(READ_BYTES))
    reason = sanitised(told.reason, private)
    name, said = wording.name, f" It says: {reason}" if reason else ""
    wait = retry_after(response.headers.get("Retry-After"))
    error = None
    if status in (401, 403):
        sentence = f"The {name} refused our key ({status}); set {wording.key}."
    elif status == 404:
        url = response.url.with_user(None).with_query(None)
        sentence = f"The {name} answers 404; check {wording.url}: {url} was asked.{said}"
    elif status == 429:
        again = f"in {wait:.0f} s" if wait else "in a moment"
        sentence = f"The {name} is asked too often (429); try again {again}."
    else:
        parameter = sanitised(told.parameter, private)
        about = f", parameter {parameter}" if parameter else ""
        sentence = f"The {name} refused the request ({status}{about}).{said}"
        if wording.tuning:
            sentence += f" {wording.tuning}"
        silent = status == 422 and not told.reason
        if status == 413 or silent or (status in (400, 422) and told.is_about_length):
            error = too_long
    raise Refused(sentence, status, wait if status == 429 else None, error)


@dataclass(frozen=True, slots=True)
class Told:
    """What an error's body says."""

    reason: str = ""
    parameter: str = ""

    @property
    def is_about_length(self) -> bool:
        """Whether it speaks of an input that is too long."""
        return bool(
            re.search(
                r"too (long|large|many tokens)|context.?length|max(imum)?.{0,20}(length|tokens)"
                r"|token limit|exceed",
                self.reason,
                re.IGNORECASE,
            )
        )


def _told(body: bytes) -> Told:
    """The reason and the parameter in the forms that servers use; never an input sent back."""
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        return Told()  # a page of a proxy says nothing of use
    return told_in(parsed)


def told_in(parsed: Any) -> Told:
    """The same, of an error that came as JSON."""
    if isinstance(parsed, list):  # FastAPI's and Google's lists
        return told_in(parsed[0]) if parsed else Told()
    if isinstance(parsed, str):
        return Told(parsed)
    if not isinstance(parsed, dict):
        return Told()
    for field in ("error", "detail", "errors"):
        if parsed.get(field) and not isinstance(parsed[field], bool):
            inner = told_in(parsed[field])
            if inner.reason:
                return inner
    reason = next((parsed[f] for f in ("message", "msg", "detail") if _is_text(parsed.get(f))), "")
    where = parsed.get("param") or parsed.get("loc") or ""
    if isinstance(where, list):
        where = ".".join(str(part) for part in where if part != "body")
    return Told(reason, where if isinstance(where, str) else "")


def sanitised(reason: str, private: Sequence[str]) -> str:
    """`reason` on one line, shortened, without pieces of `private` texts, keys or addresses."""
    line = " ".join("".join(c if c.isprintable() else " " for c in reason[:4000]).split())
    for text in private:
        for piece in {" ".join(text.split()), *(" ".join(x.split()) for x in text.splitlines())}:
            if len(piece) >= PRIVATE_CHARACTERS // 4:
                line = line.replace(piece, "...")
    line = _without_pieces(line, " ".join(" ".join(private).split()))
    line = re.sub(r"\b(sk|fl|hf|gsk|Bearer)[-_ ][\w*.-]{6,}", "...", line)
    line = re.sub(r"//[^/\s@]+@", "//", line)
    return line[:REASON_CHARACTERS].strip()


def _without_pieces(line: str, private: str) -> str:
    """`line` with every run of characters that `private` holds too replaced, if it is long."""
    size, copied = PRIVATE_CHARACTERS, [False] * len(line)
    for start in range(len(line) - size + 1):
        if line[start : start + size] in private:
            copied[start : start + size] = [True] * size
    kept = [c if not hidden else "\0" for c, hidden in zip(line, copied, strict=True)]
    return re.sub("\0+", "...", "".join(kept))


def retry_after(value: str | None) -> float | None:
    """Seconds in a Retry-After header, which holds a number or a date; None where it is neither."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - datetime.now(UTC)).total_seconds()
    if not seconds >= 0:  # also not a number
        return 0.0 if seconds < 0 else None
    return min(seconds, LONGEST_PAUSE_SECONDS)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
