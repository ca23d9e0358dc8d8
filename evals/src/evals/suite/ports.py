"""What the suites need of the world; `clients/` and `progress.py` hold the real ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from contracts.answer import Answer, Passage, Turn
from contracts.status import RunReport

Mode = Literal["dense", "sparse", "hybrid"]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Heard:
    """An answer as a client hears it in a stream; times are since the question was sent."""

    answer: Answer
    own_words: str  # what the model said, before the application judged it
    first_token_ms: float | None  # None where the model was not asked
    total_ms: float


class Searcher(Protocol):
    """Finds passages in the index under test."""

    def search(self, question: str, limit: int, mode: Mode = "hybrid") -> list[Passage]:
        """Passages, best first."""


class Asker(Searcher, Protocol):
    """Answers questions from the index under test."""

    def ask(self, question: str) -> Answer:
        """One whole answer."""


class Talker(Searcher, Protocol):
    """Answers questions within a conversation."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """One whole answer."""


class Listener(Searcher, Protocol):
    """Hears answers from the index under test while they come."""

    def listen(self, question: str) -> Heard:
        """One answer, streamed."""


class Syncer(Protocol):
    """Brings the index under test up to date with a source."""

    def sync(self, source: Path, options: Sequence[str] = ()) -> RunReport:
        """Run one ingestion to its end."""


class Each(Protocol):
    """Applies a function to many items, several at a time, results in the items' order."""

    def __call__(self, function: Callable[[T], R], items: Sequence[T], label: str) -> list[R]:
        """`label` names the work to a person who waits."""
