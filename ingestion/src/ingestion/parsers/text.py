"""Plain text; its title is the file's name."""

from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised


def parse(raw: bytes, name: str) -> Parsed:
    """The text as it is."""
    return Parsed(name, normalised(decoded(raw)))
