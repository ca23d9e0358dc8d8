"""Bundles on disk: the live one, read again when its files change, and copies of earlier ones."""

import hashlib
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path

from application.bundle import DEFAULT_PROFILE, Bundle, Files, Profile, bundle_of, read_files
from application.errors import Misconfigured, NotFound
from contracts.endpoints import digest_of

log = logging.getLogger("application")

RACY_NS = 50_000_000  # files this young may change again within one tick of their clock
Signature = tuple[tuple[str, int, int, int], ...]  # name, time, size, inode


class BundleStore:
    """The bundle of the files at `path`, and copies by digest in `directory`.

    A copy is a folder of the same files, named `<digest>-<digest of its bytes>`: so that evals can
    answer with an old bundle, and a rollback can restore one byte for byte.
    """

    def __init__(self, directory: Path, path: Path, profile: Profile = DEFAULT_PROFILE) -> None:
        self.path = path
        self.profile = profile
        self._prompts = str(path.parent / "prompts")
        self.problem: str | None = None  # of the files as they are now, in a sentence
        self._directory = directory
        self._signature: Signature | None = None
        self._live: Bundle | None = None
        self._loaded: dict[str, Bundle] = {}
        directory.mkdir(parents=True, exist_ok=True)

    @property
    def live(self) -> Bundle:
        """The bundle of the files; the last whole one where an edit broke them.

        Raises Misconfigured where they were never whole. Costs a `stat` of each file.
        """
        signature, now = self._sign(), time.time_ns()
        if signature != self._signature:
            self._read()
            young = any(0 <= now - changed < RACY_NS for _, changed, _, _ in signature)
            self._signature = None if young else signature
        if self._live is None:
            raise Misconfigured(self.problem or f"{self.path} was not read.")
        return self._live

    def get(self, digest: str) -> Bundle:
        """A stored bundle; raises NotFound where there is none, or where it was altered."""
        if digest not in self._loaded:
            self._loaded[digest] = self.bundle_of(self.files(digest))
        return self._loaded[digest]

    def files(self, digest: str, copy: str | None = None) -> Files:
        """The files of a stored bundle, of any copy or of the one named; raises NotFound."""
        known = digest.isalnum()  # else it may lead out of the folder
        found = sorted(self._directory.glob(copy or f"{digest}-*")) if known else []
        if not found:
            raise NotFound(f"No bundle {digest!r} is stored here; see `application bundle list`.")
        for folder in found:
            paths = [path for path in folder.rglob("*") if path.is_file()]
            files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
            if self._name_of(files) == folder.name:
                return files
        raise NotFound(f"The stored bundle {digest} was altered, or this build cannot read it.")

    def keep(self, files: Files) -> str:
        """Stores a copy, whole or not at all, and returns its name; broken files are kept too."""
        copy = self._directory / self._name_of(files)
        if not copy.is_dir():
            made = Path(tempfile.mkdtemp(dir=self._directory, prefix="."))
            (made / "prompts").mkdir()
            for name, content in files.items():
                (made / name).write_bytes(content)
            try:
                made.rename(copy)
            except OSError:  # another process was faster
                shutil.rmtree(made)
        return copy.name

    def _read(self) -> None:
        before, problem = self._live, None
        try:
            files = read_files(self.path)
            bundle = self.bundle_of(files)
        except OSError as error:
            problem = f"{self.path} cannot be read: {error.strerror}."
        except Misconfigured as error:
            problem = str(error)
        else:
            self._live = self._loaded[bundle.digest] = bundle
            if before and before.digest != bundle.digest:
                log.warning("bundle %s answers now; it was %s", bundle.digest, before.digest)
            try:
                self.keep(files)
            except OSError as error:
                log.warning("bundle %s could not be stored: %s", bundle.digest, error)
        if before and problem and problem != self.problem:
            log.error("bundle %s still answers: %s", before.digest, problem)
        self.problem = problem

    def _sign(self) -> Signature:
        try:
            names = sorted(name for name in os.listdir(self._prompts) if name.endswith(".md"))
            paths = (str(self.path), *(f"{self._prompts}/{name}" for name in names))
            stats = [(path, os.stat(path)) for path in paths]
        except OSError:
            return ()
        return tuple((path, s.st_mtime_ns, s.st_size, s.st_ino) for path, s in stats)

    def bundle_of(self, files: Files) -> Bundle:
        """The bundle that `files` describe for this process's profile; raises Misconfigured."""
        return bundle_of(files, self.profile)

    def _name_of(self, files: Files) -> str:
        try:
            digest = self.bundle_of(files).digest
        except Misconfigured:
            digest = "broken"
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        return f"{digest}-{digest_of(hashes)}"
