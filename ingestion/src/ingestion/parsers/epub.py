"""A book: its chapters in reading order, each read as a page of HTML."""

import posixpath
import zipfile
from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree

from ingestion.dates import date_of
from ingestion.errors import DocumentError
from ingestion.markup.structure import structured
from ingestion.parsers import package, parser_of
from ingestion.parsers.document import Parsed
from ingestion.text import normalised

_DC = "{http://purl.org/dc/elements/1.1/}"
_PAGES = ("application/xhtml+xml", "text/html")


def parse(raw: bytes, name: str) -> Parsed:
    """The spine's chapters; title and date come from the package document."""
    with package.opened(raw, doctypes=True) as book:
        if "META-INF/encryption.xml" in book.namelist():
            raise DocumentError(
                "it is protected or has encrypted parts: save it without protection"
            )
        container = _xml(book, "META-INF/container.xml")
        root = next(
            str(e.get("full-path")) for e in container.iter() if e.tag.endswith("}rootfile")
        )
        opf = _xml(book, root)
        items = {e.get("id"): e for e in opf.iter() if e.tag.endswith("}item")}
        spine = [e for e in opf.iter() if e.tag.endswith("}itemref") and e.get("linear") != "no"]
        chapters = []
        for reference in spine:
            item = items.get(reference.get("idref"))
            if item is None or item.get("media-type") not in _PAGES:
                continue
            if "nav" in (item.get("properties") or "").split():
                continue
            href = unquote(str(item.get("href")).partition("#")[0])
            path = posixpath.normpath(posixpath.join(posixpath.dirname(root), href))
            chapters.append(parser_of("html").parse(book.read(path), "").text)
    fields = {e.tag.removeprefix(_DC): e.text or "" for e in opf.iter() if e.tag.startswith(_DC)}
    text = normalised("\n\n".join(filter(None, chapters)))
    parsed = structured(text, normalised(fields.get("title", "")), name)
    return replace(parsed, stated_at=date_of(fields.get("date", "")), metadata=dict(fields))


def _xml(book: zipfile.ZipFile, path: str) -> ElementTree.Element:
    return ElementTree.fromstring(book.read(path))  # noqa: S314  # `opened` refuses entities
