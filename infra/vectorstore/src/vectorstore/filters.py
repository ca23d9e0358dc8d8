"""Filters: from Qdrant's JSON to the engine's conditions."""

from typing import Any

import qdrant_edge as edge

from vectorstore.translate import as_is, each, made, object_of, one_of, point_id

BOUNDS = dict.fromkeys(("gt", "gte", "lt", "lte"), as_is)


class Flag:
    """A boolean the engine takes for one: it reads Python's own as 1 and 0, but numpy's rightly."""

    def __init__(self, value: bool) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return self._value


Flag.__name__, Flag.__module__ = "bool_", "numpy"


def match_value(value: Any) -> Any:
    """Match of a keyword, an integer or a boolean."""
    taken: Any = Flag(value) if isinstance(value, bool) else value
    return edge.MatchValue(taken)


def range_of(raw: Any, path: str) -> Any:
    """Bounds of a number, or of a date as soon as one bound is a string."""
    dates = isinstance(raw, dict) and any(isinstance(bound, str) for bound in raw.values())
    return object_of(edge.RangeDateTime if dates else edge.RangeFloat, **BOUNDS)(raw, path)


def condition_of(raw: Any, path: str) -> Any:
    """A condition on a payload field, a filter inside a filter, or one on the point itself."""
    keys = set(raw) if isinstance(raw, dict) else set()
    if "key" in keys:
        return field_condition(raw, path)
    return (filter_of if keys & {*FILTER} else point_condition)(raw, path)


match = one_of(
    **{
        "value": made(match_value),
        "any": made(edge.MatchAny),
        "except": made(edge.MatchExcept),
        "text": made(edge.MatchText),
        "text_any": made(edge.MatchTextAny),
        "phrase": made(edge.MatchPhrase),
    }
)
field_condition = object_of(
    edge.FieldCondition,
    key=as_is,
    match=match,
    range=range_of,
    values_count=object_of(edge.ValuesCount, **BOUNDS),
    is_empty=as_is,
    is_null=as_is,
)
conditions = each(condition_of, or_one=True)
FILTER = {
    "must": conditions,
    "should": conditions,
    "must_not": conditions,
    "min_should": object_of(edge.MinShould, conditions=conditions, min_count=as_is),
}
filter_of = object_of(edge.Filter, **FILTER)
point_condition = one_of(
    key=as_is,
    has_id=lambda raw, path: edge.HasIdCondition(set(each(point_id)(raw, path))),
    has_vector=made(edge.HasVectorCondition),
    is_empty=object_of(edge.IsEmptyCondition, key=as_is),
    is_null=object_of(edge.IsNullCondition, key=as_is),
    nested=object_of(edge.NestedCondition, key=as_is, filter=filter_of),
)
