"""The context: which excerpts the model reads, within a budget of tokens.

Neighbouring excerpts of one document stand together under one number. So a small budget gives a
handful of sentences, each with its document's title, and a large one gives whole passages.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from application.excerpts import Excerpt
from application.terms import is_table_row

WORD = re.compile(r"\w+")
CHARACTERS_PER_TOKEN = 4  # of English; other scripts are counted by their bytes
FRAME_TOKENS = 4  # number, colon and line end of a block
GAP = 3  # characters between two neighbours

Place = tuple[str, int]  # document and offset in its text


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring excerpts of one document, in its order: what the model sees as `[n]`."""

    excerpts: tuple[Excerpt, ...]
    dated: datetime | None = None

    @property
    def title(self) -> str:
        """Where the words stand: the document's title, its date if that matters, the heading."""
        first = self.excerpts[0]
        title = first.passage.title
        dated = f"{title} ({self.dated:%Y-%m-%d})" if self.dated else title
        return f"{dated}, {first.heading}" if _adds(first.heading, title) else dated

    @property
    def text(self) -> str:
        """The words that the model reads; a row of a table ends as a sentence does."""
        return " ".join(
            f"{e.shown}." if is_table_row(e.text) and e.shown[-1] not in ".!?" else e.shown
            for e in self.excerpts
        )


def blocks(
    ranked: Sequence[Excerpt],
    every: Sequence[Excerpt],
    *,
    tokens: int,
    most: int,
    window: int,
    dates: Mapping[str, datetime],
) -> list[Block]:
    """The best of `ranked`, with `window` neighbours of each from `every`, up to `tokens`.

    Words that stand in two documents are shown once. The block with the best excerpt comes first.
    """
    neighbours = _neighbours(every, window)
    chosen: dict[Place, tuple[int, Excerpt]] = {}
    seen: set[str] = set()
    left = tokens
    for rank, best in enumerate(ranked):
        for excerpt in (best, *neighbours.get(best.place, ())):
            words = " ".join(WORD.findall(excerpt.shown.lower()))
            where = f"{excerpt.passage.title}, {excerpt.heading}"
            cost = tokens_of(excerpt.shown) + tokens_of(where) + FRAME_TOKENS
            if len(chosen) >= most or words in seen or (cost > left and chosen):
                continue
            seen.add(words)
            chosen[excerpt.place] = (rank, excerpt)
            left -= cost
    return _grouped(chosen, dates)


def tokens_of(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text.encode()) // CHARACTERS_PER_TOKEN)


def _grouped(
    chosen: Mapping[Place, tuple[int, Excerpt]], dates: Mapping[str, datetime]
) -> list[Block]:
    runs: list[list[tuple[int, Excerpt]]] = []
    for place in sorted(chosen):
        previous = runs[-1][-1][1] if runs else None
        if previous is not None and _follows(previous, chosen[place][1]):
            runs[-1].append(chosen[place])
        else:
            runs.append([chosen[place]])
    runs.sort(key=lambda run: min(rank for rank, _ in run))
    dated = {excerpt.passage.document_id for run in runs for _, excerpt in run} & set(dates)
    shown = dates if len(dated) > 1 else {}  # one date tells nothing
    return [
        Block(tuple(excerpt for _, excerpt in run), shown.get(run[0][1].passage.document_id))
        for run in runs
    ]


def _neighbours(every: Sequence[Excerpt], window: int) -> dict[Place, list[Excerpt]]:
    """What stands up to `window` excerpts before and after each, nearest first."""
    if not window:
        return {}
    ordered = sorted(every, key=lambda excerpt: excerpt.place)
    found: dict[Place, list[Excerpt]] = {}
    for at, excerpt in enumerate(ordered):
        steps = [at + step for near in range(1, window + 1) for step in (-near, near)]
        found[excerpt.place] = [
            ordered[i]
            for i in steps
            if 0 <= i < len(ordered)
            and ordered[i].passage.document_id == excerpt.passage.document_id
        ]
    return found


def _adds(heading: str, title: str) -> bool:
    return bool(set(WORD.findall(heading.lower())) - set(WORD.findall(title.lower())))


def _follows(one: Excerpt, other: Excerpt) -> bool:
    end = one.passage.start + one.span.end
    same = one.passage.document_id == other.passage.document_id
    return same and other.passage.start + other.span.start - end <= GAP
