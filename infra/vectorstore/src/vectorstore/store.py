"""The store: one directory, held by one process, with its collections and their aliases."""

import fcntl
import json
import os
import re
import shutil
from pathlib import Path
from threading import Lock
from typing import IO, Any

from vectorstore import requests
from vectorstore.aliases import changed
from vectorstore.collection import Collection
from vectorstore.errors import DirectoryUnusable, Refused, no_collection
from vectorstore.settings import Settings

NAME = re.compile(r"(?!\.)[^<>:\"/\\|?*\x00-\x1f]{1,120}")


class Store:
    """Collections and aliases under one directory. Any thread may call.

    `catalogue.json` says which collections and aliases there are. It is replaced in one step, so a
    crash leaves the old or the new state; directories that it does not name are left-overs.
    """

    def __init__(self, settings: Settings) -> None:
        self._path = settings.path
        self._min_free_bytes = settings.min_free_mb * 2**20
        self._lock_file = hold(self._path)
        self._catalogue_lock = Lock()
        try:
            self._open()
        except BaseException:
            self._lock_file.close()
            raise

    def _open(self) -> None:
        catalogue = self._path / "catalogue.json"
        content = read_json(catalogue) if catalogue.exists() else {}
        self._aliases: dict[str, str] = content.get("aliases", {})
        self._collections = {
            name: Collection(
                self._path / "collections" / name, *requests.collection(spec), new=False
            )
            for name, spec in content.get("collections", {}).items()
        }

    def close(self) -> None:
        """Flush and close every collection, and let another process have the directory."""
        for collection in self._collections.values():
            collection.close()
        self._lock_file.close()

    def _commit(self, collections: dict[str, Collection], aliases: dict[str, str]) -> None:
        specs = {name: collection.spec for name, collection in collections.items()}
        replace_json(self._path / "catalogue.json", {"collections": specs, "aliases": aliases})
        self._collections, self._aliases = collections, aliases

    def find(self, name: str) -> Collection:
        """Collection of that name or alias."""
        collection = self._collections.get(self._aliases.get(name, name))
        if collection is None:
            raise no_collection(name)
        return collection

    def require_space(self) -> None:
        """Refuse what needs room while enough is left to delete and to start again."""
        if shutil.disk_usage(self._path).free < self._min_free_bytes:
            raise Refused(507, f"No space left on the disk of {self._path}: free some, try again")

    def names(self) -> dict[str, Any]:
        """Names of all collections."""
        return {"collections": [{"name": name} for name in sorted(self._collections)]}

    def exists(self, name: str) -> dict[str, bool]:
        """Whether a collection or an alias has that name."""
        return {"exists": self._aliases.get(name, name) in self._collections}

    def create(self, name: str, raw: Any) -> bool:
        """Make a collection, over what a crash may have left under its name."""
        spec, config = requests.collection(raw)
        with self._catalogue_lock:
            if name in self._collections or name in self._aliases or not NAME.fullmatch(name):
                problem = "already exists!" if self.exists(name)["exists"] else "has no valid name"
                raise Refused(409, f"Wrong input: Collection `{name}` {problem}")
            directory = self._path / "collections" / name
            shutil.rmtree(directory, ignore_errors=True)
            collection = Collection(directory, spec, config, new=True)
            self._commit(self._collections | {name: collection}, self._aliases)
        return True

    def delete(self, name: str) -> bool:
        """Delete a collection and its aliases; an alias does not name a collection here."""
        with self._catalogue_lock:
            remaining = dict(self._collections)
            collection = remaining.pop(name, None)
            if collection is None:
                return False
            self._commit(remaining, {a: c for a, c in self._aliases.items() if c != name})
            collection.close()
            shutil.rmtree(self._path / "collections" / name, ignore_errors=True)
        return True

    def aliases(self, name: str | None = None) -> dict[str, Any]:
        """All aliases, or those of one collection."""
        pairs = [(a, c) for a, c in sorted(self._aliases.items()) if name in (None, a, c)]
        return {"aliases": [{"alias_name": a, "collection_name": c} for a, c in pairs]}

    def change_aliases(self, raw: Any) -> bool:
        """Apply every action or none: readers see the aliases before or after, never between."""
        with self._catalogue_lock:
            self._commit(self._collections, changed(self._aliases, raw, self._collections.keys()))
        return True


def hold(directory: Path) -> IO[str]:
    """Lock file of the directory, held until it is closed or the process ends."""
    directory.mkdir(parents=True, exist_ok=True)
    file = (directory / ".lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        owner = (directory / ".lock").read_text()
        raise DirectoryUnusable(
            f"{directory} is in use by the vector store with process id {owner}: "
            "stop that one, or give this one another VECTORSTORE_PATH"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def read_json(path: Path) -> Any:
    """What `replace_json` wrote."""
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DirectoryUnusable(
            f"{path} is damaged ({error}): restore it, or move {path.parent} away and ingest again"
        ) from error


def replace_json(path: Path, content: Any) -> None:
    """Replace the file, and return once the new one would survive a crash."""
    new = path.with_suffix(".tmp")
    with new.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
