"""reStructuredText: docutils renders it, and the page is read as HTML."""

from docutils.core import publish_parts  # type: ignore[import-untyped]  # it ships no types

from ingestion.markup.convert import markdown_of
from ingestion.markup.structure import structured
from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,  # an unknown directive is no error here
    "halt_level": 6,
    "initial_header_level": 2,
    "syntax_highlight": "none",
    "output_encoding": "unicode",
    "table_style": "colwidths-grid",
}


def parse(raw: bytes, name: str) -> Parsed:
    """The document with its title, sections and tables; comments are left out."""
    source = normalised(decoded(raw))
    parts = publish_parts(source, writer="html5", settings_overrides=_SETTINGS)
    text = normalised(markdown_of(parts["html_body"]))
    return structured(text, "", name)
