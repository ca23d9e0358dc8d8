"""A Markdown text -> its headings and tables, with their positions."""

import re
from collections.abc import Mapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingestion.parsers.document import Heading, Parsed, Table

_blocks = MarkdownIt("commonmark").enable("table").disable("inline")


def structured(text: str, title: str, name: str) -> Parsed:
    """A Markdown text with its headings and tables; without a title, the first heading is it."""
    lines = line_starts(text)
    tokens = blocks(text)
    headings, tables = [], []
    for i, token in enumerate(tokens):
        if token.type == "heading_open" and token.map:
            content = tokens[i + 1].content.strip()
            headings.append(Heading(lines[token.map[0]], int(token.tag[1]), content))
        elif token.type == "table_open" and token.map:
            first, last = token.map
            tables.append(Table(lines[first], lines[first + 1], lines[min(last, len(lines) - 1)]))
    headings = [heading for heading in headings if heading.text]
    title = title or (headings[0].text if headings else name)
    return Parsed(title, text, tuple(headings), tuple(tables))


def blocks(text: str) -> list[Token]:
    """The blocks of a Markdown text; what stands within a line is not looked at."""
    return _blocks.parse(text)


def line_starts(text: str) -> list[int]:
    """Where each line starts, and where the text ends."""
    return [0, *(match.end() for match in re.finditer("\n", text)), len(text)]


def in_lower_case(fields: Mapping[Any, Any]) -> dict[str, object]:
    """Metadata by field names in lower case."""
    return {str(name).lower(): value for name, value in fields.items()}
