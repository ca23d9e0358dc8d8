"""The main part of a web page as Markdown."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser

from ingestion.dates import date_of
from ingestion.markup.convert import markdown_of
from ingestion.markup.hidden import drop_hidden
from ingestion.markup.main_part import main_part
from ingestion.markup.structure import in_lower_case, structured
from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised

_DATE_META = "meta[property='article:modified_time'], meta[name='last-modified'], meta[name='date']"


def parse(raw: bytes, name: str) -> Parsed:
    """Headings, paragraphs and tables; the frame and hidden text are left out."""
    page = LexborHTMLParser(decoded(raw, is_marked_up=True))
    title = page.css_first("head title")
    stated_at = _first(node.attributes.get("content") for node in page.css(_DATE_META))
    metas = [node.attributes for node in page.css("head meta[name][content]")]
    metadata = in_lower_case({meta["name"]: meta["content"] for meta in metas})
    name = " ".join(title.text().split()) if title else name
    hidden = drop_hidden(page)
    parsed = structured(normalised(markdown_of(main_part(page))), "", name)
    notes = (f"hidden parts left out: {hidden}",) if hidden else ()
    return replace(parsed, stated_at=stated_at, metadata=metadata, notes=notes)


def _first(values: Iterable[object]) -> datetime | None:
    return next(filter(None, map(date_of, values)), None)
