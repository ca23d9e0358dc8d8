"""Building blocks that turn Qdrant's JSON into the engine's types.

A translation takes a JSON value and its path in the body, and names that path when it fails.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Any
from uuid import UUID

import qdrant_edge as edge

from vectorstore.errors import Refused

Translation = Callable[[Any, str], Any]
NAME_BYTES = 200  # of a vector: the engine makes a file name of it


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Turn any complaint about a value into a refusal that names its path."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, KeyError, AttributeError) as error:
        what = str(error).partition("\n")[0]
        argument = " ".join(getattr(error, "__notes__", []))  # where the engine names it
        where = path.lstrip(".") or "body"
        raise Refused(422, f"Validation error in JSON body: {where}: {what} {argument}") from error


def made(make: Callable[[Any], Any]) -> Translation:
    """Let `make` build the result from the value, and check it."""

    def translate(value: Any, path: str) -> Any:
        with naming(path):
            return make(value)

    return translate


def object_of(make: Callable[..., Any], /, **fields: Translation) -> Translation:
    """Call `make` with the translated fields of a JSON object; null is the same as left out."""

    def translate(raw: Any, path: str) -> Any:
        with naming(path):
            if not isinstance(raw, dict):
                raise TypeError("must be an object")
            if unknown := raw.keys() - fields.keys():
                raise TypeError(f"unknown field {', '.join(sorted(unknown))}")
            given = {name: value for name, value in raw.items() if value is not None}
            return make(**{name: fields[name](given[name], f"{path}.{name}") for name in given})

    return translate


def named(item: Translation) -> Translation:
    """Translate the values of a JSON object, whose keys are names of the client's own."""

    def translate(raw: Any, path: str) -> Any:
        with naming(path):
            if any(len(name.encode()) > NAME_BYTES for name in raw):
                raise ValueError(f"a name may have {NAME_BYTES} bytes")
            return object_of(dict, **dict.fromkeys(raw, item))(raw, path)

    return translate


def one_of(**kinds: Translation) -> Translation:
    """Translate the only field of a JSON object, which must be one of `kinds`."""

    def translate(raw: Any, path: str) -> Any:
        with naming(path):
            if not isinstance(raw, dict) or len(raw) != 1 or not raw.keys() <= kinds.keys():
                raise TypeError(f"must be an object with one of {', '.join(kinds)}")
            [(kind, value)] = raw.items()
            return kinds[kind](value, f"{path}.{kind}")

    return translate


def each(item: Translation, or_one: bool = False) -> Translation:
    """Translate every item of a list; with `or_one`, an object stands for a list of one."""

    def translate(raw: Any, path: str) -> list[Any]:
        values = [raw] if or_one and isinstance(raw, dict) else raw
        with naming(path):
            if not isinstance(values, list):
                raise TypeError("must be a list")
            return [item(value, f"{path}[{i}]") for i, value in enumerate(values)]

    return translate


def word(choices: Mapping[str, Any]) -> Translation:
    """Translate one of a few words."""

    def choose(value: Any) -> Any:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return choices[value]

    return made(choose)


def _point_id(value: Any) -> int | UUID:
    if type(value) is int and 0 <= value < 2**64:
        return value
    if isinstance(value, str):
        return UUID(value)
    raise TypeError("a point id is an unsigned integer or a UUID")


def _limit(value: Any) -> int:
    if type(value) is int and 1 <= value <= 1_000_000:
        return value
    raise TypeError("must be an integer from 1 to 1000000")


def _constant(value: Any) -> int:
    if type(value) is int and 1 <= value < 2**32:
        return value
    raise TypeError("must be an integer above 0")


def _vector(raw: Any) -> Any:
    values = raw["values"] if isinstance(raw, dict) else raw
    if not isinstance(values, list) or not all(map(isfinite, values)):
        raise TypeError("must be finite numbers, or an object of indices and values")
    if values is raw:
        return values
    if not len(values) == len(raw["indices"]) == len(set(raw["indices"])):
        raise ValueError("needs one value for each index, and no index twice")
    return edge.SparseVector(raw["indices"], values)


as_is: Translation = made(lambda value: value)  # left to the engine, which checks its type
point_id = made(_point_id)
limit = made(_limit)
constant = made(_constant)
vector = made(_vector)
