"""A git repository at a ref, read from its objects: nothing is ever checked out.

The repository is fetched by the `git` command into a bare one of our own, without prompts, hooks,
submodules or a person's configuration; links stay entries of the tree, so they lead nowhere.
"""

import fcntl
import hashlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from ingestion.errors import DocumentError, UsageError
from ingestion.parsers import format_of
from ingestion.sources import Found

FETCH_SECONDS = 600
LOCK_POLL_SECONDS = 0.2
_REF = "refs/faultline/source"
_PROBLEM_OF_MODE = {
    "120000": "links in a git repository are not followed",
    "160000": "submodules are not fetched: declare the repository as a source of its own",
}
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "file:https:ssh",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",  # a command that answers nothing
    "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "LC_ALL": "C",
}
_OPTIONS = ("core.hooksPath=" + os.devnull, "gc.autoDetach=false", "fetch.fsckObjects=true")


class GitSource:
    """Every file of a commit, or of a folder in it; `scan` fetches, `read` stays at its commit."""

    def __init__(
        self,
        url: str,
        ref: str,
        folder: str,
        clone: Path,
        max_file_bytes: int,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._url, self._ref = url, ref
        self._folder = folder.strip("/")
        self._clone = clone
        self._max_file_bytes = max_file_bytes
        self._note = note
        self._blobs: dict[str, str] = {}  # object id by path
        self._committed_at = datetime.fromtimestamp(0, UTC)

    def scan(self) -> Iterator[Found]:
        """Every entry of the tree that the ref names now; UsageError if it cannot be fetched."""
        self._fetch()
        commit, committed = self._git("log", "-1", "--format=%H %ct", _REF).split()
        self._committed_at = datetime.fromtimestamp(int(committed), UTC)
        self._note(f"{self._url} at {self._ref} is commit {commit.decode()}")
        tree = f"{commit.decode()}:{self._folder}"
        listed = self._git("ls-tree", "-r", "-z", "--long", "--end-of-options", tree)
        entries = [_entry(line) for line in listed.split(b"\0") if line]
        self._blobs = {
            path: blob for path, mode, blob, _ in entries if _problem(path, mode) is None
        }
        raw = self._raw(self._blobs[p] for p, _, _, size in entries if self._is_read(p, size))
        hidden = set()
        for path, mode, _, size in entries:
            if (concealed := _hidden_part(path)) and concealed not in hidden:
                hidden.add(concealed)
                yield Found(concealed, "", "", 0, "hidden files and folders are not indexed")
            elif not concealed and path not in self._blobs:
                yield Found(_printable(path), "", "", 0, _problem(path, mode))
            elif self._is_read(path, size):
                yield _found(path, next(raw))
            elif not concealed:
                reason = f"{size:,} bytes are over the limit of {self._max_file_bytes:,}"
                yield Found(path, "", "", size, reason)

    def _is_read(self, path: str, size: int) -> bool:
        return path in self._blobs and size <= self._max_file_bytes

    def read(self, path: str) -> bytes:
        """Raw bytes of a file in the commit that `scan` found."""
        if path not in self._blobs:
            raise DocumentError("it is not in the repository")
        return next(self._raw(iter([self._blobs[path]])))

    def changed_at(self, path: str) -> datetime:
        """When the commit was made: the tree does not say it of each file."""
        return self._committed_at

    def _fetch(self) -> None:
        options = ("--depth=1", "--force", "--no-tags", "--no-recurse-submodules", "--quiet")
        with self._only_writer() as lock:
            # Harmless where the repository is whole; it mends one whose creation was interrupted.
            self._git("init", "--bare", "--quiet", "--template=", ".", lock=lock)
            self._git("fetch", *options, "--", self._url, f"+{self._ref}:{_REF}", lock=lock)

    @contextmanager
    def _only_writer(self) -> Iterator[int]:
        """Wait until no other run fetches, then remove the lock files that a killed one left.

        The git commands inherit the lock: one that outlives its killed parent still holds it.
        """
        self._clone.mkdir(parents=True, exist_ok=True)
        with self._clone.with_suffix(".lock").open("w") as lock:
            deadline = time.monotonic() + FETCH_SECONDS
            while not _is_locked(lock.fileno()):
                if time.monotonic() > deadline:
                    raise UsageError(
                        f"Another run has fetched {self._url} for {FETCH_SECONDS} s: let it end or "
                        "stop it, then sync again."
                    )
                time.sleep(LOCK_POLL_SECONDS)
            for left in self._clone.rglob("*.lock"):
                left.unlink(missing_ok=True)
            yield lock.fileno()

    def _git(self, *arguments: str, lock: int | None = None) -> bytes:
        try:
            done = subprocess.run(
                self._command(*arguments),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=FETCH_SECONDS,
                check=True,
                pass_fds=() if lock is None else (lock,),
            )
        except FileNotFoundError as error:
            raise UsageError("The command git is not there: install it for git sources.") from error
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"git took over {FETCH_SECONDS} s to fetch {self._url}.") from error
        except subprocess.CalledProcessError as error:
            said = " ".join(error.stderr.decode(errors="replace").split())[-300:]
            raise UsageError(
                f"{self._url} at {self._ref} cannot be read: {said or 'git says no more'}. Check "
                "location, ref, folder, and that this account may read it. Nothing was changed."
            ) from error
        return done.stdout

    def _command(self, *arguments: str) -> list[str]:
        options = [word for option in _OPTIONS for word in ("-c", option)]
        return ["git", "-C", str(self._clone), *options, *arguments]

    def _raw(self, blobs: Iterator[str]) -> Iterator[bytes]:
        """Contents of blobs, in their order, by one process."""
        with subprocess.Popen(
            self._command("cat-file", "--batch"),
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as git:
            assert git.stdin  # noqa: S101  # it is a pipe
            assert git.stdout  # noqa: S101
            for blob in blobs:
                git.stdin.write(f"{blob}\n".encode())
                git.stdin.flush()
                answer = git.stdout.readline().split()
                if len(answer) != 3:  # "<id> missing"
                    raise DocumentError("its content is gone from the clone: sync again")
                size = int(answer[2])
                yield git.stdout.read(size)
                git.stdout.read(1)


def _is_locked(file: int) -> bool:
    """Take the lock on an open file; False if another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _environment() -> dict[str, str]:
    """Ours, without what may steer git elsewhere: it is also started by hooks and by tools."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return own | _ENVIRONMENT


def _entry(line: bytes) -> tuple[str, str, str, int]:
    """Path, mode, object id and size of a line of `ls-tree`; links and submodules count as 0."""
    about, path = line.split(b"\t", 1)
    mode, _, blob, size = about.decode().split()
    return os.fsdecode(path), mode, blob, int(size) if size.isdigit() else 0


def _hidden_part(path: str) -> str | None:
    """The outermost hidden file or folder that a path lies in."""
    parts = PurePosixPath(path).parts
    for i, part in enumerate(parts):
        if part.startswith("."):
            return _printable("/".join(parts[: i + 1]))
    return None


def _problem(path: str, mode: str) -> str | None:
    """Why an entry is never read, by its place in the tree alone."""
    if _hidden_part(path):
        return "hidden files and folders are not indexed"
    if _printable(path) != path:
        return "the file name is not UTF-8: rename it"
    return _PROBLEM_OF_MODE.get(mode)


def _printable(path: str) -> str:
    return path.encode(errors="backslashreplace").decode()


def _found(path: str, raw: bytes) -> Found:
    format, problem = "", None
    try:
        format = format_of(path)
    except DocumentError as error:
        problem = str(error)
    return Found(path, format, hashlib.sha256(raw).hexdigest(), len(raw), problem)
