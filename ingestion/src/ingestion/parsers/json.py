"""JSON as text: lists of records as tables, everything else as `path: value` lines."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ingestion.dates import first_date
from ingestion.markup.structure import in_lower_case, structured
from ingestion.markup.table import table
from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised

MAX_COLUMNS = 50


def parse(raw: bytes, name: str) -> Parsed:
    """What a JSON document says; its title is its field "title" or "name", else the file's name."""
    value = _value(decoded(raw))
    fields = in_lower_case(value) if isinstance(value, Mapping) else {}
    plain = {key: each for key, each in fields.items() if not isinstance(each, list | Mapping)}
    title = next((plain[key] for key in ("title", "name") if isinstance(plain.get(key), str)), "")
    text = normalised("\n\n".join(_blocks(value, "")))
    parsed = structured(text, normalised(str(title)), name)
    return replace(parsed, stated_at=first_date(plain), metadata=plain)


def _value(text: str) -> object:
    """A JSON value; several of them, a line each, are a list."""
    try:
        return json.loads(text, parse_float=_Written, parse_int=_Written)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(line, parse_float=_Written, parse_int=_Written) for line in lines]


class _Written(str):
    """A number as it was written: 1.10 stays 1.10."""

    __slots__ = ()


def _blocks(value: object, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _blocks(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        columns = _columns(value)
        if columns:
            rows = [[_shown(record.get(column)) for column in columns] for record in value]
            yield (f"{path}:\n\n" if path else "") + table([columns, *rows])
        elif not any(isinstance(each, list | Mapping) for each in value):
            joined = ", ".join(map(_shown, value))
            yield f"{path}: {joined}" if path else joined
        else:
            for number, each in enumerate(value, 1):
                yield from _blocks(each, f"{path}[{number}]")
    elif shown := _shown(value):
        yield f"{path}: {shown}" if path else shown


def _columns(value: list[object]) -> list[str]:
    """The fields of a list of flat records, or [] if it is something else."""
    columns: dict[str, None] = {}
    for record in value:
        if not isinstance(record, Mapping):
            return []
        for key, each in record.items():
            if isinstance(each, Mapping) or (
                isinstance(each, list) and any(isinstance(e, list | Mapping) for e in each)
            ):
                return []
            columns[str(key)] = None
    return [*columns] if len(value) > 1 and 0 < len(columns) <= MAX_COLUMNS else []


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "" if value is None else str(value)
