"""The formats that ingestion reads: one line here, and one module of this package, for each.

A format's module has one function, `parse(raw: bytes, name: str) -> Parsed`. `name` is the file's
name without its suffix; it is the title of a document that has no other. Importing this package
loads no parser: a source may ask for formats without loading PDFium.
"""

from dataclasses import dataclass
from importlib import import_module
from os.path import splitext
from typing import Protocol, cast

from ingestion.errors import DocumentError
from ingestion.parsers.document import Parsed


@dataclass(frozen=True)
class Format:
    """A format: its name, which is also its module's, and how files and web servers name it."""

    name: str
    suffixes: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ()
    is_plain_text: bool = False  # a person can read its raw bytes


class Parser(Protocol):
    """The module of a format."""

    def parse(self, raw: bytes, name: str) -> Parsed:
        """A document's text and structure; any exception means that it cannot be read."""


_OFFICE = "application/vnd.openxmlformats-officedocument"

REGISTRY = (
    Format("markdown", (".md", ".markdown"), ("text/markdown",), is_plain_text=True),
    Format("html", (".html", ".htm", ".xhtml"), ("text/html", "application/xhtml+xml"), True),
    Format("pdf", (".pdf",), ("application/pdf",)),
    Format("docx", (".docx",), (f"{_OFFICE}.wordprocessingml.document",)),
    Format("xlsx", (".xlsx",), (f"{_OFFICE}.spreadsheetml.sheet",)),
    Format("pptx", (".pptx",), (f"{_OFFICE}.presentationml.presentation",)),
    Format("csv", (".csv", ".tsv"), ("text/csv", "text/tab-separated-values"), is_plain_text=True),
    Format("text", (".txt",), ("text/plain",), is_plain_text=True),
    Format("json", (".json",), ("application/json",), is_plain_text=True),
    Format("xml", (".xml",), ("application/xml", "text/xml"), is_plain_text=True),
    Format("rst", (".rst",), ("text/x-rst", "text/prs.fallenstein.rst"), is_plain_text=True),
    Format("eml", (".eml",), ("message/rfc822",)),
    Format("epub", (".epub",), ("application/epub+zip",)),
    Format("ipynb", (".ipynb",), ("application/x-ipynb+json",)),
    Format("jsonl", is_plain_text=True),  # one row of a JSON lines source
)

NAMES = tuple(format.name for format in REGISTRY)
FORMATS = {suffix: format.name for format in REGISTRY for suffix in format.suffixes}
FORMAT_OF_TYPE = {kind: format.name for format in REGISTRY for kind in format.media_types}
PLAIN_TEXT = frozenset(format.name for format in REGISTRY if format.is_plain_text)
NOT_SUPPORTED = "is not supported; supported:"  # stored in quarantines: `sync.py` looks for it


def format_of(path: str) -> str:
    """The format that a file's name promises; DocumentError if no parser reads it."""
    suffix = splitext(path)[1].lower()
    if suffix not in FORMATS:
        supported = ", ".join(FORMATS)
        raise DocumentError(f"format {suffix or 'without a suffix'} {NOT_SUPPORTED} {supported}")
    return FORMATS[suffix]


def parser_of(format: str) -> Parser:
    """The module that reads a format; it is loaded when it is first asked for."""
    return cast(Parser, import_module(f"{__name__}.{format}"))
