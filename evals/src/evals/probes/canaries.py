"""Canary pages that we own, in a source of their own, and the probes that ask for their facts.

The pages are in `canaries.toml`; no value in them can be guessed. There is no tenant pair: one
source belongs to one tenant.
"""

import random
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from evals.errors import DatasetError
from evals.probes.formats import FORMATS, blocks
from evals.suite.labels import contains
from evals.watch.model import Probe

SOURCE = "canary"
HEARTBEAT = "heartbeat.md"  # its value changes every cycle; it is no probe
DELETED = "deleted"  # the kind of page whose question must be refused

_BLANK = re.compile(r"\{(\w+)(?::(\w+))?\}")
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_PARAGRAPH = 6  # sentences of filler


@dataclass(frozen=True)
class Page:
    """A page as Markdown, and the probes whose answers it holds."""

    path: str
    kind: str
    text: str
    probes: tuple[Probe, ...]


def probes(seed: int = 7) -> list[Probe]:
    """The questions of the pages, as `write` returns them; nothing is written."""
    return [probe for page in _pages(seed) for probe in page.probes]


def write(folder: Path, seed: int = 7, *, before_deletion: bool = False) -> list[Probe]:
    """Bring a folder to exactly the canary pages, beside the heartbeat; returns their probes.

    A file that is right already is not touched. With `before_deletion` the pages that are to be
    deleted are there still: sync once so, and once without, and their deletion is put to the test.

    Raises: DatasetError if the folder holds files and none of them is a canary page.
    """
    pages = list(_pages(seed))
    wanted = {
        page.path: FORMATS[_format(page.path)](page.text)
        for page in pages
        if before_deletion or page.kind != DELETED
    }
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    if there and not there & (wanted.keys() | {HEARTBEAT}):
        raise DatasetError(
            f"{folder} holds files of another kind, which would be lost: name an empty folder."
        )
    for path in there - wanted.keys() - {HEARTBEAT}:
        (folder / path).unlink()
    for path, content in wanted.items():
        _write(folder / path, content)
    return [probe for page in pages for probe in page.probes]


def heartbeat(folder: Path, value: str) -> None:
    """Write the heartbeat page with a value of this cycle."""
    _write(folder / HEARTBEAT, f"# Heartbeat\n\nThe value of this cycle is {value}.\n".encode())


def _pages(seed: int) -> Iterator[Page]:
    world = tomllib.loads(files("evals.probes").joinpath("canaries.toml").read_text("utf-8"))
    for page in world["pages"]:
        for each in page.get("each", [""]):
            path = page["path"].replace("{each}", each)
            drawn: dict[str, str] = {}
            blank = _filled(world, random.Random(f"{seed}/{path}"), drawn)  # noqa: S311 - no secret
            text = _BLANK.sub(blank, page["text"].replace("{each}", each))
            kind = page["kind"]
            several = kind == "long"  # where in the page the fact stands is a stratum
            probes = tuple(
                Probe(
                    id=f"{SOURCE}/{path}#{key}",
                    question=question.replace("{each}", each),
                    origin="canary",
                    strata=(f"{kind}-{key}" if several else kind, f"{SOURCE}:{_format(path)}"),
                    values=() if kind == DELETED else (drawn[key],),
                    documents=() if kind == DELETED else (f"{SOURCE}/{path}",),
                    spans=() if kind == DELETED else (_span(text, drawn[key]),),
                )
                for key, question in page["ask"].items()
            )
            yield Page(path, kind, text, probes)


def _filled(
    world: dict[str, Any], rng: random.Random, drawn: dict[str, str]
) -> Callable[[re.Match[str]], str]:
    """What stands for each blank of a page; values are kept in `drawn`."""

    def sentence() -> str:
        parts = (rng.choice(world[part]) for part in ("subjects", "verbs", "objects", "endings"))
        return f"{' '.join(parts)}."

    def fill(blank: re.Match[str]) -> str:
        key, wanted = blank[1], blank[2]
        if key == "filler":
            written = [sentence() for _ in range(int(wanted))]
            starts = range(0, len(written), _PARAGRAPH)
            return "\n\n".join(" ".join(written[at : at + _PARAGRAPH]) for at in starts)
        if key == "run":
            words: list[str] = []
            while len(words) < int(wanted):
                words += sentence().replace(".", " .").split()
            return " ".join(words[: int(wanted) - 1]).replace(" .", ".").rstrip(".") + "."
        if wanted == "name":
            drawn[key] = f"{rng.choice(world['first_names'])} {rng.choice(world['last_names'])}"
        elif wanted == "price":
            drawn[key] = f"{rng.randrange(1000, 10000)} crowns"
        else:
            drawn[key] = f"{''.join(rng.sample(_LETTERS, 2))}-{rng.randrange(1000, 10000)}"
        return drawn[key]

    return fill


def _span(text: str, value: str) -> str:
    """The sentence, or the cells of the row, that holds a value."""
    pieces = [
        piece
        for block in blocks(text)
        for piece in (
            re.split(r"(?<=\.) ", block) if isinstance(block, str) else map(" | ".join, block)
        )
    ]
    return next(piece for piece in pieces if contains(piece, value))


def _format(path: str) -> str:
    return PurePosixPath(path).suffix.removeprefix(".")


def _write(file: Path, content: bytes) -> None:
    if file.is_file() and file.read_bytes() == content:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
