"""HTML in Markdown -> Markdown: tables become grids, raised text keeps apart, hidden text goes."""

import html
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser

from ingestion.markup.convert import markdown_of
from ingestion.markup.hidden import is_hidden_markup
from ingestion.markup.marks import mark_of

_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)\b[^<>]{0,2000}>")
_MARK = re.compile(r"<(sup|sub)>\s*(<a\b[^<>]{0,300}>)?([^<>\n]{1,40})(?:</a>)?\s*</\1>", re.I)
_VOID = frozenset("area base br col embed hr img input link meta source wbr".split())  # noqa: SIM905  # short
AROUND = 60  # characters beside a raised text that say what it is

Cut = tuple[int, int, str]  # start, end, and what stands there instead


def cuts_of(text: str, code: list[tuple[int, int]]) -> Iterator[Cut]:
    """The tables and the hidden elements of a text, outside code and not within each other."""
    open_tags: dict[str, list[tuple[int, int, bool]]] = {}
    found: list[Cut] = []
    ranges, at = sorted(code), 0
    for tag in _TAG.finditer(text):
        while at < len(ranges) and ranges[at][1] <= tag.start():
            at += 1
        if at < len(ranges) and ranges[at][0] <= tag.start():
            continue
        name, start = tag[2].lower(), tag.start()
        if name in _VOID or tag[0].endswith("/>"):
            continue
        opened = open_tags.setdefault(name, [])
        if not tag[1]:
            opened.append((start, tag.end(), is_hidden_markup(tag[0])))
        elif opened:
            first, _, is_hidden = opened.pop()
            if is_hidden:
                found.append((first, tag.end(), ""))
            elif name == "table" and not opened:
                found.append((first, tag.end(), "table"))
    last = 0
    for first, end, kind in sorted(found, key=lambda cut: (cut[0], -cut[1])):
        if first >= last:
            yield first, end, _grid(text[first:end]) if kind else ""
            last = end


def _grid(table: str) -> str:
    body = LexborHTMLParser(table).body  # it closes what was left open
    return f"\n\n{markdown_of(body.inner_html or '').strip()}\n\n" if body else ""


def with_marks(text: str, code: list[tuple[int, int]]) -> str:
    """The text with `sup` and `sub` as they read in one line, outside code."""
    if "<su" not in text.lower():
        return text
    parts, last, ranges, at = list[str](), 0, sorted(code), 0
    for found in _MARK.finditer(text):
        while at < len(ranges) and ranges[at][1] <= found.start():
            at += 1
        line = text.rfind("\n", 0, found.start()) + 1
        in_code = at < len(ranges) and ranges[at][0] <= found.start()
        if in_code or text.count("`", max(line, found.start() - 2000), found.start()) % 2:
            continue
        before = text[max(line, found.start() - AROUND) : found.start()]
        after = text[found.end() : found.end() + AROUND].partition("\n")[0]
        said = html.unescape(found[3]).strip()
        is_link = "#" in (found[2] or "")
        parts += [
            text[last : found.start()],
            mark_of(found[1].lower(), said, before, after, is_link),
        ]
        last = found.end()
    return "".join([*parts, text[last:]])
