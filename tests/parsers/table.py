"""How a row of the table is held against what a parser gives."""

from collections.abc import Callable
from typing import Any

from tests.parsers.rows import Row


def faults(row: Row, parse: Callable[[bytes, str, str], Any], format: str) -> list[str]:
    """What is missing from a document, and what should not be in it."""
    file, raw, must, must_not = row
    parsed = parse(raw.encode() if isinstance(raw, str) else raw, format, f"folder/{file}")
    notes, stated = "\n".join(parsed.notes), str(parsed.stated_at)
    places = {"note": notes, "title": parsed.title, "stated": stated}

    def has(wanted: str) -> bool:
        prefix, _, rest = wanted.partition(":")
        if prefix in places and rest and not rest.startswith(" "):
            return rest in places[prefix]
        return wanted in parsed.text

    missing = [f"missing: {wanted}" for wanted in must if not has(wanted)]
    return missing + [f"unwanted: {unwanted}" for unwanted in must_not if has(unwanted)]
