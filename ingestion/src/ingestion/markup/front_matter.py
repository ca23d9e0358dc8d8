"""The block of fields at the top of a Markdown page, in YAML, TOML or JSON: pure functions."""

import json
import re
import tomllib
from dataclasses import dataclass, field

import yaml  # type: ignore[import-untyped]  # its stubs are another package

_OPENING = re.compile(
    r"(---|\+\+\+|;;;)[ \t]*(yaml|yml|toml|json|(?<=---[ \t])#[^\n]*)?[ \t]*\n", re.IGNORECASE
)
_PLAIN = re.compile(r"([A-Za-z_][\w .-]{0,60}?)\s*[:=]\s*(.*)")
_WORD = re.compile(r"[A-Za-z_][\w.-]*")
USUAL = frozenset(
    ("title", "date", "updated", "tags", "author", "description", "layout", "slug", "permalink")
)
UNREADABLE = "its front matter is not valid {}: it was read line by line"


@dataclass(frozen=True)
class FrontMatter:
    """The fields at the top of a page, and the text below them."""

    body: str
    fields: dict[object, object] = field(default_factory=dict)
    block: str = ""  # as it was written
    note: str = ""


def split(text: str) -> FrontMatter:
    """The fields and the body of a page; a block between two rules that has no fields is body."""
    opening = _OPENING.match(text)
    if not opening:
        return _bare_json(text)
    closing = {"---": r"(?:---|\.\.\.)", "+++": r"\+\+\+", ";;;": ";;;"}[opening[1]]
    end = re.compile(rf"^{closing}[ \t]*(?:\n|\Z)", re.MULTILINE).search(text, opening.end())
    if not end:
        return FrontMatter(text)
    block = text[opening.end() : end.start()]
    usual = {"---": "yaml", "+++": "toml", ";;;": "json"}[opening[1]]
    language = (opening[2] or usual).lower()
    fields, note = {"toml": _toml, "json": _json}.get(language, _yaml)(block)
    if fields is None or not _are_fields(fields, block):
        return FrontMatter(text)
    return FrontMatter(text[end.end() :], fields, block, note)


def _bare_json(text: str) -> FrontMatter:
    """A page whose first lines are a JSON object; other braces are text."""
    if not text.startswith("{"):
        return FrontMatter(text)
    try:
        fields, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return FrontMatter(text)
    block, body = text[:end], text[end:]
    if not (body.startswith("\n") and body.strip() and _are_fields(fields, block)):
        return FrontMatter(text)
    return FrontMatter(body, fields, block)


def _json(block: str) -> tuple[dict[object, object] | None, str]:
    try:
        fields = json.loads(block if block.lstrip().startswith("{") else f"{{{block}}}")
    except ValueError:
        return _line_by_line(block), UNREADABLE.format("JSON")
    return (fields if isinstance(fields, dict) else None), ""


def _yaml(block: str) -> tuple[dict[object, object] | None, str]:
    try:
        fields = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError):  # ValueError: a date such as 2026-02-30
        return _line_by_line(block), UNREADABLE.format("YAML")
    if fields is None:
        return {}, ""  # nothing, or comments only
    return (fields if isinstance(fields, dict) else None), ""


def _toml(block: str) -> tuple[dict[object, object] | None, str]:
    try:
        return dict(tomllib.loads(block).items()), ""
    except tomllib.TOMLDecodeError:
        return _line_by_line(block), UNREADABLE.format("TOML")


def _line_by_line(block: str) -> dict[object, object] | None:
    """Fields of lines such as `key: value`; None if another line stands at the margin."""
    fields: dict[object, object] = {}
    for line in block.splitlines():
        if not line.strip() or line[0] in " \t#-]}":
            continue
        pair = _PLAIN.fullmatch(line.rstrip())
        if not pair:
            return None
        value = pair[2].strip().strip("\"'")
        if re.search(r"\w", value):
            fields[pair[1].strip()] = value
    return fields


def _are_fields(fields: dict[object, object], block: str) -> bool:
    """Whether a mapping is metadata, and no sentence with a colon between two rules."""
    names = [str(name) for name in fields]
    if any(name.lower() in USUAL for name in names) or not block.strip():
        return True
    are_words = all(map(_WORD.fullmatch, names))
    is_named = not names or any(name[0].islower() for name in names)
    return not block.startswith("\n") and are_words and is_named
