"""The first baseline, which `make demo` takes by itself: how far it is, and how it is stopped.

What is said of it lies in one file of the state folder, for the pages and commands that are asked
meanwhile. It is believed while a process holds the lock beside it; a failure is told until
somebody accepts.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from evals.suite.ports import Each
from evals.watch.model import Frozen

FILE = "first-baseline.json"  # also read by `demo status`
LOCK = "first-baseline.lock"
COMPARED = "The first baseline is taken, and the first cycle compares the stack with it."

T = TypeVar("T")
R = TypeVar("R")


class First(Frozen):
    """What there is to say of the first baseline."""

    sentence: str
    failed: bool = False


class Taking:
    """An `Each` that counts the questions for whoever asks how far it is, until it is stopped."""

    def __init__(self, folder: Path, each: Each) -> None:
        """`folder` is the state folder."""
        self._folder, self._each = folder, each
        self._done = self._of = 0
        self._stopped = threading.Event()
        self._counting = threading.Lock()

    def __call__(self, function: Callable[[T], R], items: Sequence[T], label: str) -> list[R]:
        """Results in the items' order. Raises: KeyboardInterrupt once it is stopped."""

        def counted(item: T) -> R:
            if self._stopped.is_set():
                raise KeyboardInterrupt
            result = function(item)
            with self._counting:
                self._done += 1
                self._tell()
            return result

        return self._each(counted, items, label)

    def plan(self, left: int) -> None:
        """So many questions are still to be asked."""
        self._of = self._done + left
        self._tell()

    def is_taken(self) -> None:
        """It was accepted; what is asked from now on belongs to the first cycle."""
        self._of = 0
        write(self._folder, First(sentence=COMPARED))

    def stop(self, *_: object) -> None:
        """End before the next question; a signal's handler."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asked it to end."""
        return self._stopped.is_set()

    def _tell(self) -> None:
        if self._of:
            done = min(self._done, self._of)
            said = f"The first baseline is being taken: {done} of about {self._of} questions."
            write(self._folder, First(sentence=said))


@contextmanager
def taking(folder: Path, each: Each) -> Iterator[Taking]:
    """One at a time in a state folder; what ends it badly is said to whoever asks later."""
    with _lock(folder):
        found = Taking(folder, each)
        try:
            yield found
        except Exception as error:
            if found.is_stopped:  # what it asked was stopped, too
                forget(folder)
            else:
                said = f"The first baseline could not be taken. {error} `make accept` tries again."
                write(folder, First(sentence=said, failed=True))
            raise
        except BaseException:
            forget(folder)
            raise
        forget(folder)


def read(folder: Path) -> First | None:
    """What there is to say now; None where it is not being taken and did not fail."""
    try:
        found = First.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.failed or _is_locked(folder) else None


def write(folder: Path, first: First) -> None:
    """Whole or not at all."""
    part = folder / f"{FILE}.part"
    part.write_text(first.model_dump_json(), encoding="utf-8")
    part.replace(folder / FILE)


def forget(folder: Path) -> None:
    """There is nothing to say any more."""
    (folder / FILE).unlink(missing_ok=True)


def wait(folder: Path) -> None:
    """Return when no first baseline is being taken."""
    with _lock(folder):
        pass


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        flock(lock, LOCK_EX)
        try:
            yield
        finally:
            flock(lock, LOCK_UN)


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / LOCK).open() as lock:
            flock(lock, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
