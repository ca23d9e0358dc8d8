"""A part of a source, and the names in a source that a person could take for one another."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from ingestion.sources import is_at

NAMES_TOLD = 20


def is_selected(path: str, only: str) -> bool:
    """True if a path is `only`, or lies below it; every path is where `only` is empty."""
    return not only or is_at(path, only)


def alike(paths: Iterable[str]) -> list[str]:
    """A sentence for each set of paths that differ only by case or by Unicode form.

    They stay documents of their own; a file system elsewhere may keep just one of them.
    """
    groups = defaultdict(list)
    for path in paths:
        groups[unicodedata.normalize("NFC", path).casefold()].append(path)
    said = [_sentence(sorted(group)) for group in groups.values() if len(group) > 1]
    more = len(said) - NAMES_TOLD
    return said[:NAMES_TOLD] + ([f"{more} more names are as alike"] if more > 0 else [])


def _sentence(paths: list[str]) -> str:
    forms = {unicodedata.normalize("NFC", path) for path in paths}
    how = "Unicode form (NFC, NFD)" if len(forms) == 1 else "case"
    if 1 < len(forms) < len(paths):
        how = "case and Unicode form"
    return f"names differ only by {how}, and each is a document: {', '.join(map(ascii, paths))}"
