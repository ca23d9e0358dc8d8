"""Strict mode: a filter by a field that has no index is refused, as Qdrant Cloud refuses it.

Qdrant's `unindexed_filtering_retrieve` and `unindexed_filtering_update`, both false.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from vectorstore.errors import Refused

FILTERS = ("filter", "update_filter", "corpus")
CLAUSES = ("must", "should", "must_not", "min_should", "conditions")
ANY = ("keyword", "integer", "float", "bool", "datetime", "uuid", "text", "geo")


def require_indexes(body: Any, types: Mapping[str, str]) -> None:
    """Refuse a request that filters by a field without an index of a type that serves it.

    `types` are the collection's payload indexes by field. Raises: Refused, with status 400.
    """
    for field, wanted in _in_body(body):
        if types.get(field) not in wanted:
            raise Refused(
                400,
                f'Bad request: Index required but not found for "{field}" of one of the following '
                f"types: [{', '.join(wanted)}]. Help: Create an index for this key or use a "
                "different filter.",
            )


def _in_body(raw: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Fields of every filter in a request's body, with the types of index that serve them."""
    for value in raw if isinstance(raw, list) else []:
        yield from _in_body(value)
    for name, value in raw.items() if isinstance(raw, dict) else ():
        if name in FILTERS:
            yield from _in_filter(value, "")
        elif name != "payload":  # which is the client's own
            yield from _in_body(value)


def _in_filter(raw: Any, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for value in raw if isinstance(raw, list) else []:
        yield from _in_filter(value, prefix)
    if not isinstance(raw, dict):
        return
    if isinstance(raw.get("key"), str):
        yield f"{prefix}{raw['key']}", _types_for(raw)
    for name, value in raw.items():
        if name == "nested" and isinstance(value, dict):
            yield from _in_filter(value.get("filter"), f"{prefix}{value.get('key')}[].")
        elif name in (*CLAUSES, "is_empty", "is_null"):
            yield from _in_filter(value, prefix)


def _types_for(condition: Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(bounds := condition.get("range"), dict):
        dates = any(isinstance(bound, str) for bound in bounds.values())
        return ("datetime",) if dates else ("integer", "float")
    if not isinstance(match := condition.get("match"), dict):
        return ANY
    if match.keys() & {"text", "text_any", "phrase"}:
        return ("text",)
    values = next(iter(match.values()), None)
    value = next(iter(values), None) if isinstance(values, list) else values
    if isinstance(value, bool):
        return ("bool",)
    return ("integer",) if isinstance(value, int) else ("keyword", "uuid")
