"""A CSV or TSV file as one Markdown table per block of rows; its title is the file's name."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from statistics import median

from ingestion.markup.row_blocks import as_markdown
from ingestion.markup.structure import structured
from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised

DELIMITERS = ",;\t|"
_STATED = re.compile(r"\ufeff?\"?sep=([,;\t|])\"?\r?\n", re.IGNORECASE)  # as Excel writes it
ROWS_TO_TELL_THE_DELIMITER = 50
MAX_CELL_CHARACTERS = 100_000_000  # csv's own limit of 131,072 is for the whole process anyway


def parse(raw: bytes, name: str) -> Parsed:
    """The rows, whichever of `DELIMITERS` stands between their cells."""
    text = decoded(raw)
    stated = _STATED.match(text)
    if stated:
        text = text[stated.end() :]
    delimiter = stated[1] if stated else _delimiter(text)
    return structured(normalised(as_markdown(_rows(text, delimiter))), name, name)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str:
    """The one that cuts the first rows into the most cells; a decimal comma is not in each row."""

    def cells(delimiter: str) -> tuple[int, float]:
        rows = islice(filter(None, _rows(text, delimiter)), ROWS_TO_TELL_THE_DELIMITER)
        widths = [len(row) for row in rows] or [0]
        return min(widths), median(widths)

    return max(DELIMITERS, key=cells)
