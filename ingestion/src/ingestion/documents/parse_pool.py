"""Parsing in processes of their own, with limits: a document that breaks its parser harms no other.

The processes start with the first document (about a third of a second) and are forked from a
server that has only the parsers loaded, so that one that was killed is back within milliseconds.
"""

import math
import os
import resource
import signal
import sys
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from ingestion.errors import DocumentError, IngestionError
from ingestion.parse import Parse, Parsed, parse

PROCESSES = 2  # one for each batch that is indexed at once
STARTS = 3  # of the pool, for one document
LEAST_COPIES = 3  # of a document's bytes in the process that reads it: received, unpacked, its text


@dataclass(frozen=True)
class Limits:
    """What reading one document may take; the memory comes on top of the process's own."""

    seconds: float
    cpu_seconds: int
    memory_mb: int


class _Reader(ForkServerProcess):
    """A process without the main module of its parent: Prefect's takes 2 s to import."""

    @staticmethod
    def _Popen(process: Any) -> Any:  # noqa: N802  # multiprocessing's name
        main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            return ForkServerProcess._Popen(process)
        finally:
            sys.modules["__main__"] = main


class _Readers(ForkServerContext):
    Process = _Reader


class ParsePool:
    """`parse` in processes that may be killed; any thread may call it, at any time.

    The function has to be one that another process can import.
    """

    def __init__(self, limits: Limits, parse: Parse = parse) -> None:
        self._limits = limits
        self._parse = parse
        self._tasks: set[ProcessFuture[Parsed | None]] = set()
        self._pool: ProcessPool | None = None
        self._starting = threading.Lock()

    def parse(self, raw: bytes, format: str, path: str) -> Parsed:
        """As `parse.parse`; DocumentError also where it crashes or needs more than the limits."""
        limits = self._limits
        too_much = f"reading it needs more than {limits.memory_mb:,} MB of memory"
        if len(raw) * LEAST_COPIES > limits.memory_mb * 1_000_000:
            raise DocumentError(too_much)
        for _ in range(STARTS):
            pool = self._started()
            try:
                task = (self._parse, raw, format, path, limits.cpu_seconds)
                if parsed := self._result(pool, task):
                    return parsed
                raise DocumentError(too_much)
            except TimeoutError as error:
                raise DocumentError(f"it took more than {limits.seconds:g} s to read") from error
            except ProcessExpired as error:
                raise DocumentError(_why_it_died(error.exitcode, limits)) from error
            except (BrokenProcessPool, RuntimeError):  # idle processes died, say for their memory
                self._stop(pool)
            except OSError as error:  # their server did not start, so nothing can be read
                raise IngestionError(
                    f"The processes that read documents cannot be started ({error}): may this user "
                    f"run {sys.executable}, and is there memory?"
                ) from error
        raise IngestionError(
            "The processes that read documents do not stay alive: free some memory, and sync again."
        )

    def close(self) -> None:
        """End the processes and what they read; the next document starts them again."""
        if self._pool:
            self._stop(self._pool)

    def _result(self, pool: ProcessPool, task: tuple[Parse, bytes, str, str, int]) -> Parsed | None:
        future = pool.schedule(_parse, task, timeout=self._limits.seconds)
        self._tasks.add(future)
        try:
            return future.result()
        finally:
            self._tasks.discard(future)

    def _started(self) -> ProcessPool:
        with self._starting:
            if self._pool is None:
                processes = _Readers()
                processes.set_forkserver_preload([__name__, "ingestion.parsers.loaded"])
                memory = (self._limits.memory_mb * 1_000_000,)
                self._pool = ProcessPool(
                    PROCESSES, initializer=_prepare, initargs=memory, context=processes
                )
            return self._pool

    def _stop(self, pool: ProcessPool) -> None:
        with self._starting:
            if self._pool is pool:
                self._pool = None
                for task in [*self._tasks]:  # a thread may wait for it, now in vain
                    task.cancel()  # type: ignore[no-untyped-call]
                pool.stop()  # type: ignore[no-untyped-call]  # pebble types all but this
                pool.join()


def _why_it_died(exit_code: int, limits: Limits) -> str:
    if exit_code == -signal.SIGXCPU:
        return f"it took more than {limits.cpu_seconds} s of processor time to read"
    how = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    return f"its parser crashed ({how}): it is damaged, or needs over {limits.memory_mb:,} MB"


def _parse(parse: Parse, raw: bytes, format: str, path: str, cpu_seconds: int) -> Parsed | None:
    """What `parse` says, in the process that may be killed; None if it runs out of memory."""
    _lower(resource.RLIMIT_CPU, math.ceil(time.process_time()) + cpu_seconds)
    try:
        return parse(raw, format, path)
    except MemoryError:
        return None  # an error would hold on to what fills the memory
    except Exception:
        raise
    except BaseException as error:  # a panic of a parser in Rust
        raise DocumentError(f"it cannot be read as {format} ({error})"[:200]) from error


def _prepare(allowance: int) -> None:
    """Limit this process to `allowance` bytes more than it has mapped; no dumps when it dies."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    _lower(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":  # others refuse or ignore the limit
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + allowance)


def _lower(limit: int, value: int) -> None:
    """Set a limit that the kernel keeps for this process, below the hard one that it has."""
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
