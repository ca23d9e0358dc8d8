"""What the suites need of the world; `clients/` and `progress.py` hold the real ones."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from contracts.answer import Answer, Passage
from contracts.status import RunReport

Mode = Literal["dense", "sparse", "hybrid"]
T = TypeVar("T")
R = TypeVar("R")


class Searcher(Protocol):
    """Finds passages in the index under test."""

    def search(self, question: str, limit: int, mode: Mode = "hybrid") -> list[Passage]:
        """Passages, best first."""


class Asker(Searcher, Protocol):
    """Answers questions from the index under test."""

    def ask(self, question: str) -> Answer:
        """One whole answer."""


class Syncer(Protocol):
    """Brings the index under test up to date with a source."""

    def sync(self, source: Path, options: Sequence[str] = ()) -> RunReport:
        """Run one ingestion to its end."""


class Each(Protocol):
    """Applies a function to many items, several at a time, results in the items' order."""

    def __call__(self, function: Callable[[T], R], items: Sequence[T], label: str) -> list[R]:
        """`label` names the work to a person who waits."""
