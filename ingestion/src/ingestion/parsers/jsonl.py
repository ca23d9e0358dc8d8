"""A row `{"_id", "title", "text"}` of a JSON lines source."""

import json

from ingestion.errors import DocumentError
from ingestion.markup.structure import in_lower_case
from ingestion.parsers.document import Parsed
from ingestion.text import normalised


def parse(raw: bytes, name: str) -> Parsed:
    """The row's title and text; its other fields are metadata."""
    row = json.loads(raw)
    title, text = row.get("title") or "", row.get("text") or ""
    if not isinstance(title, str) or not isinstance(text, str):
        raise DocumentError('"title" and "text" must be strings')
    metadata = in_lower_case({name: row[name] for name in row if name not in ("_id", "text")})
    return Parsed(normalised(title), normalised(text), metadata=metadata)
