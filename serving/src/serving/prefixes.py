"""What some embedders want before a text, such as "query: "."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from serving.catalog import CatalogEntry

Kind = Literal["query", "document"]

_DOCUMENT_PROMPTS = ("document", "passage", "corpus")  # as sentence-transformers looks for them


@dataclass(frozen=True)
class Prefixes:
    """The prefix of each kind of text; empty where the model wants none."""

    query: str = ""
    document: str = ""

    def of(self, kind: Kind) -> str:
        """The prefix of texts of this kind."""
        return self.query if kind == "query" else self.document


def prefixes_of(entry: CatalogEntry, folder: Path | None = None) -> Prefixes:
    """What the catalogue declares, else the prompts that the model's own folder declares."""
    prompts = _prompts(folder) if folder else {}
    found = next((prompts[name] for name in _DOCUMENT_PROMPTS if prompts.get(name)), "")
    query, document = entry.query_prefix, entry.document_prefix
    return Prefixes(
        prompts.get("query", "") if query is None else query,
        found if document is None else document,
    )


def _prompts(folder: Path) -> dict[str, str]:
    """Prompts by name, from a sentence-transformers folder; none where it declares none."""
    try:
        declared = json.loads((folder / "config_sentence_transformers.json").read_text())
        prompts = declared.get("prompts") or {}
        return {str(name): str(prompt) for name, prompt in prompts.items() if prompt}
    except (OSError, ValueError, AttributeError):
        return {}
