"""A PDF as text: page by page, with its tables and form fields; pages without text are named."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pypdfium2  # type: ignore[import-untyped]  # it ships no types

from ingestion.errors import DocumentError
from ingestion.markup.structure import in_lower_case
from ingestion.markup.table import table
from ingestion.pages.chars import Char, Page
from ingestion.pages.fields import with_fields
from ingestion.pages.raised import with_marks
from ingestion.pages.tables import tables_of
from ingestion.parsers.document import Parsed, Table, ranges
from ingestion.text import normalised

PDF_END_BYTES = 1024  # in the last of which a whole PDF says that it ends
FEW_CHARACTERS = 10  # letters and digits of a scanned page, such as its number
SCANNED_SHARE = 0.25  # of a page under one picture
_pdfium = threading.Lock()  # PDFium is not thread-safe
_RULE = re.compile(r"^\|(?: --- \|)+$", re.MULTILINE)
_NO_TITLE = re.compile(r"\.\w{2,4}$|^untitled|^Microsoft", re.IGNORECASE)


def parse(raw: bytes, name: str) -> Parsed:
    """Text with the start of each page; hidden text is left out, unread pages are named."""
    if raw.startswith(b"%PDF") and b"%%EOF" not in raw.rstrip(b"\0\r\n\t ")[-PDF_END_BYTES:]:
        raise DocumentError("it is cut short: its end is missing, so fetch it again")
    with _pdfium:
        try:
            pdf = pypdfium2.PdfDocument(raw)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower():
                raise DocumentError("it is encrypted: save it without a password") from error
            raise DocumentError(f"it is not a readable PDF ({error})") from error
        try:
            read = [*_pages(pdf)]
            title = normalised(pdf.get_metadata_value("Title"))
            metadata = in_lower_case(pdf.get_metadata_dict(skip_empty=True))
        finally:
            pdf.close()
    words = set(re.findall(r"\w+-\w+", "\n".join(text for text, _, _ in read)))
    pages = [normalised(_without_breaks(text, words)) for text, _, _ in read]
    unread = tuple(number for number, (_, is_unread, _) in enumerate(read, 1) if is_unread)
    hidden = sum(count for _, _, count in read)
    notes = [f"pages without text, not read: {ranges(unread)}"] if unread else []
    notes += [f"characters that nobody sees left out: {hidden}"] if hidden else []
    text, starts = "", []
    for page in pages:
        text = f"{text}\n\n{page}" if text else page
        starts.append(len(text) - len(page))
    is_title = len(title) > 3 and not _NO_TITLE.search(title)
    return Parsed(
        title if is_title else name,
        text,
        tables=tuple(_tables(text)),
        pages=tuple(starts),
        metadata=metadata,
        notes=tuple(notes),
        unread_pages=unread,
    )


def _pages(pdf: Any) -> Iterator[tuple[str, bool, int]]:
    """Of each page its text, whether it shows something that is no text, and what is hidden."""
    with suppress(pypdfium2.PdfiumError):
        pdf.init_forms()
    form = pdf.formenv
    for number in range(len(pdf)):
        raw = pdf[number]
        page = Page(raw)
        chars = page.chars()
        hidden = sum(char.is_hidden and char.text.isalnum() for char in chars)
        chars = with_marks(chars)
        chars = with_fields(page, form.raw if form else None, chars)
        text = _text(chars, page)
        letters = sum(map(str.isalnum, text))
        is_unread = (not letters and page.shows_something()) or (
            letters < FEW_CHARACTERS and page.picture_share >= SCANNED_SHARE
        )
        yield text, is_unread, hidden
        raw.close()


def _text(chars: Sequence[Char], page: Page) -> str:
    """The characters in PDFium's order, each table in place of its first character."""
    table_of = {}
    for found in tables_of(chars, page.shapes):
        for number in found.numbers:
            table_of[number] = found
    parts, done, in_table = [], set[int](), False
    for number, char in enumerate(chars):
        found_here = table_of.get(number)
        if found_here is not None:
            in_table = True
            if id(found_here) not in done:
                done.add(id(found_here))
                parts.append(f"\n\n{table(found_here.rows)}\n\n")
        elif not char.is_hidden and not (in_table and char.text.isspace()):
            in_table = in_table and not char.text.strip()
            parts.append(char.text)
    text = re.sub(r"[ \t]+", " ", "".join(parts).replace("\r", ""))
    return re.sub(r"\n{3,}", "\n\n", text.replace(" \n", "\n"))


_BREAK = re.compile(
    "(\\w+)(?:\ufffe[ \t]*\n?|[\u00ad\u2010][ \t]*\n|(?<=\\w)-[ \t]*\n)[ \t]*(?=(\\w+))"
)


def _without_breaks(text: str, words: set[str]) -> str:
    """Words that were broken over a line put together; a hyphen of the word itself stays.

    It stays before a digit or a capital, and if the document has the word with its hyphen.
    """

    def joined(found: re.Match[str]) -> str:
        before, after = found[1], found[2]
        is_own = not after[0].islower() or before[-1].isdigit() or f"{before}-{after}" in words
        return f"{before}-" if is_own else before

    return _BREAK.sub(joined, text).replace("\ufffe", "-")


def _tables(text: str) -> Iterator[Table]:
    """Where the tables stand that `_text` wrote."""
    for rule in _RULE.finditer(text):
        start = text.rfind("\n", 0, max(rule.start() - 1, 0)) + 1
        end = rule.end()
        while text.startswith("\n|", end):
            end = text.find("\n", end + 1)
            end = len(text) if end < 0 else end
        yield Table(start, rule.start(), min(end + 1, len(text)))
