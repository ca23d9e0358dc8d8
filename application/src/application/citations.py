"""Citations: every statement of a reply held against the excerpts that the model was shown.

A model's own marks are a hint, never a proof: the excerpts it names are looked at first, and a
statement is cited only where the support check finds an excerpt that says it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from application.context import Block
from application.excerpts import Excerpt
from application.ports import Judged, Support
from application.terms import sentences
from application.upstream import Deadline
from contracts.answer import Citation, Statement

MARK = re.compile(r"\s*[\[【](\d+)(?:[,;\s]+\d+)*[\]】]")
ITEMS = re.compile(r"[,;\n、]\s+(?:(?:and|or|und|et|y|e|en) )?|\s(?:and|und|et|y|en)\s")
MOST_ITEMS = 12
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Checked:
    """A reply's statements with their support, and the citations that their marks point to."""

    statements: list[Statement]
    citations: list[Citation]
    breaks: list[str]  # what stands before each statement: a blank or a line end

    @property
    def text(self) -> str:
        """The statements in order, each followed by its marks."""
        marked = [
            before + " ".join([s.text, *(f"[{number}]" for number in s.citations)])
            for before, s in zip(self.breaks, self.statements, strict=True)
        ]
        return "".join(marked).strip()

    def kept(self) -> "Checked":
        """Only the supported statements."""
        pairs = zip(self.statements, self.breaks, strict=True)
        kept = [(s, before) for s, before in pairs if s.support == "supported"]
        return Checked([s for s, _ in kept], self.citations, [before for _, before in kept])


async def check(
    reply: str,
    question: str,
    shown: Sequence[Block],
    ranked: Sequence[Excerpt],
    most: int,
    support: Support,
    deadline: Deadline,
) -> Checked:
    """Judges each statement of `reply` by the best `most` excerpts, those it names first.

    The marks in `reply` count the blocks as `shown`; `ranked` are their excerpts, best first.
    """
    cited: list[Excerpt] = []
    statements, breaks = [], []
    for before, statement, marks in _statements(reply):
        named = [e for n in marks if 0 < n <= len(shown) for e in shown[n - 1].excerpts]
        sources = [*named, *(excerpt for excerpt in ranked if excerpt not in named)][:most]
        judged = await _judged(support, statement, question, sources, len(named[:most]), deadline)
        numbers = []
        if judged.label == "supported":
            for place in judged.sources:
                if sources[place] not in cited:
                    cited.append(sources[place])
                numbers.append(cited.index(sources[place]) + 1)
        statements.append(Statement(text=statement, support=judged.label, citations=numbers))
        breaks.append(before)
    return Checked(statements, numbered(cited), breaks)


async def _judged(
    support: Support,
    statement: str,
    question: str,
    sources: Sequence[Excerpt],
    named: int,
    deadline: Deadline,
) -> Judged:
    """The label of a statement; a list is supported where each of its items is."""
    judged = await support.judge(statement, question, sources, named, deadline)
    items = [item for item in ITEMS.split(statement.strip(" .")) if item.strip()]
    if judged.label == "supported" or not 1 < len(items) <= MOST_ITEMS:
        return judged
    each = [await support.judge(item, question, sources, named, deadline) for item in items]
    if any(one.label != "supported" for one in each):
        return judged
    return Judged("supported", sorted({place for one in each for place in one.sources}))


def quote(excerpts: Sequence[Excerpt]) -> tuple[str, list[Citation]]:
    """The excerpts' own words, each with its mark, and their citations."""
    words = (excerpt.shown.strip("|-*+ ") for excerpt in excerpts)
    marked = [f"“{text}” [{number}]" for number, text in enumerate(words, start=1)]
    return " ".join(marked), numbered(excerpts)


def numbered(excerpts: Sequence[Excerpt]) -> list[Citation]:
    """Citations of the excerpts, from 1."""
    return [_citation(excerpt, number) for number, excerpt in enumerate(excerpts, start=1)]


def _statements(reply: str) -> list[tuple[str, str, list[int]]]:
    """What stands before each statement, its words without marks, and the numbers it names."""
    found: list[tuple[str, str, list[int]]] = []
    plain = MARK.sub("", reply)
    places, removed = [], 0  # of the marks, in the text without them
    for mark in MARK.finditer(reply):
        places.append((mark.start() - removed, [int(n) for n in NUMBER.findall(mark[0])]))
        removed += len(mark[0])
    last = 0
    for start, end in sentences(plain):
        named = [n for at, numbers in places if start < at <= end for n in numbers]
        before = "\n" if "\n" in plain[last:start] else " " if found else ""
        found.append((before, plain[start:end], named))
        last = end
    return found


def _citation(excerpt: Excerpt, number: int) -> Citation:
    passage, (start, end) = excerpt.passage, excerpt.span
    return Citation(
        number=number,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        version=passage.version,
        title=passage.title,
        path=passage.path,
        start=passage.start + start,
        end=passage.start + end,
        quote=excerpt.text,
    )
