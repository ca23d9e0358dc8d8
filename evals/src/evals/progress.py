"""Many requests at a time, with a progress bar on standard error where a person watches."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Parallel:
    """Applies a function to items on `workers` threads; the first error ends the work."""

    workers: int

    def __call__(self, function: Callable[[T], R], items: Sequence[T], label: str) -> list[R]:
        """Results in the items' order."""
        console = Console(stderr=True)
        with ThreadPoolExecutor(self.workers) as pool:
            results = pool.map(function, items)
            try:
                return list(
                    track(
                        results, label, len(items), console=console, disable=not console.is_terminal
                    )
                )
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
