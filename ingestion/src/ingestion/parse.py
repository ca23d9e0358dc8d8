"""Raw bytes of a document -> its text with headings, tables and pages: pure functions.

The text that leaves here is what every span points into. A change of what the parsers extract must
raise `PARSERS`: it is part of the collection spec, so everything is read anew.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from ingestion.dates import stated_date
from ingestion.errors import DocumentError
from ingestion.parsers import FORMATS, NOT_SUPPORTED, format_of, parser_of
from ingestion.parsers.document import Heading, Parsed, Table
from ingestion.text import decoded, normalised

__all__ = [
    "FORMATS",
    "NOT_SUPPORTED",
    "PARSERS",
    "Heading",
    "Parse",
    "Parsed",
    "Table",
    "decoded",
    "format_of",
    "normalised",
    "parse",
]

PARSERS = 4
MAX_CHARACTERS = 20_000_000  # of text: cutting and embedding it takes memory too

Parse = Callable[[bytes, str, str], Parsed]  # of raw bytes, a format and a path, as `parse` does


def parse(raw: bytes, format: str, path: str) -> Parsed:
    """Text and structure of a document; DocumentError says why it cannot be read.

    The title is in NFC, as the text is, because a file's name may come in NFD from a Mac.
    """
    try:
        parsed = parser_of(format).parse(raw, PurePosixPath(path).stem)
        if len(parsed.text) > MAX_CHARACTERS:
            raise DocumentError(f"it has over {MAX_CHARACTERS:,} characters of text: split it")
        stated_at = parsed.stated_at or stated_date(parsed.text)
        return replace(parsed, title=normalised(parsed.title), stated_at=stated_at)
    except (DocumentError, MemoryError):
        raise
    except RecursionError as error:
        raise DocumentError("it is nested too deeply to be read") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise DocumentError(f"it cannot be read as {format} ({reason})") from error
