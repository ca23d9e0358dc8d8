"""Hashes of a model's files: the same files give the same hash wherever they lie."""

import hashlib
import json
from collections import defaultdict
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

NOT_MODEL = {"source.json", "README.md", ".gitattributes", "data_config.json"}
PARTS = {  # what a person calls them -> names of their files; any other is configuration
    "weights": ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.pt", "*.gguf"),
    "chat template": ("chat_template*",),
    "tokenizer": ("*token*", "vocab*", "merges.txt", "spiece.model"),
    "sampling defaults": ("generation_config.json",),
}


def files_sha256(folder: Path, pattern: str = "**/*") -> str:
    """sha256 over the names and contents of the files of `folder` that match `pattern`."""
    total = hashlib.sha256()
    for path in _files(folder, pattern):
        total.update(f"{path.relative_to(folder).as_posix()}\x1f{_sha256(path)}\n".encode())
    return total.hexdigest()


def parts_sha256(folder: Path) -> dict[str, str]:
    """sha256 of a chat model's weights, chat template, tokenizer, and other parts, by name.

    Only parts that have a file are there. A template inside tokenizer_config.json counts as the
    template.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in _files(folder, "**/*"):
        name = path.relative_to(folder).as_posix()
        part = next((p for p, names in PARTS.items() if _matches(path, names)), "configuration")
        content = _sha256(path)
        if path.name == "tokenizer_config.json":
            template, content = _without_template(path)
            if template:
                found["chat template"].append(template)
        found[part].append(f"{name}\x1f{content}")
    return {
        part: hashlib.sha256("\n".join(lines).encode()).hexdigest()
        for part, lines in sorted(found.items())
    }


def _files(folder: Path, pattern: str) -> list[Path]:
    """Files that make the model what it is, in the order of their names."""
    return [
        path
        for path in sorted(folder.glob(pattern))
        if path.is_file()
        and path.name not in NOT_MODEL
        and not path.relative_to(folder).as_posix().startswith(".")
    ]


def _matches(path: Path, names: tuple[str, ...]) -> bool:
    return any(fnmatch(path.name, name) for name in names)


def _without_template(file: Path) -> tuple[str, str]:
    """Hashes of the chat template in a tokenizer_config.json ("" without one), and of the rest."""
    try:
        told = dict(json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return "", _sha256(file)
    template = told.pop("chat_template", None)
    texts = (json.dumps(value, sort_keys=True) for value in (template, told))
    of_template, of_rest = (hashlib.sha256(text.encode()).hexdigest() for text in texts)
    return of_template if template else "", of_rest


def _sha256(path: Path) -> str:
    state = path.stat()
    return _content_sha256(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _content_sha256(path: Path, size: int, modified_ns: int) -> str:
    """Gigabytes are read again only when the file has changed, by its size and time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
