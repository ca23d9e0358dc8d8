"""Raw bytes of a document -> its text with headings, tables and pages: pure functions.

The text that leaves here is what every span points into. A change of what they extract must
raise `PARSERS`: it is part of the collection spec, so everything is read anew.
"""

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from os.path import splitext
from pathlib import PurePosixPath
from typing import Any

import mammoth  # type: ignore[import-untyped]  # it ships no types
import pypdfium2  # type: ignore[import-untyped]  # it ships no types
import yaml  # type: ignore[import-untyped]  # its stubs are another package
from markdown_it import MarkdownIt
from markdownify import ATX, markdownify
from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingestion.dates import date_of, stated_date
from ingestion.errors import DocumentError
from ingestion.spreadsheet import csv_as_markdown, xlsx_as_markdown
from ingestion.text import decoded, normalised

PARSERS = 2

FORMATS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".xlsx": "xlsx",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "text",
}
NOT_SUPPORTED = "is not supported; supported:"  # stored in quarantines: `sync.py` looks for it
MAX_CHARACTERS = 20_000_000  # of text: what is cut and embedded has no process of its own
PDF_END_BYTES = 1024  # in the last of which a whole PDF says that it ends
MAX_UNZIPPED_BYTES = 200_000_000


@dataclass(frozen=True)
class Heading:
    """A heading and where its line starts; level 1 is the outermost."""

    start: int
    level: int
    text: str


@dataclass(frozen=True)
class Table:
    """A Markdown table: `start` to `header_end` is its header row, `end` that of the table."""

    start: int
    header_end: int
    end: int


@dataclass(frozen=True)
class Parsed:
    """A document as text; every position is a character of `text`."""

    title: str
    text: str
    headings: tuple[Heading, ...] = ()
    tables: tuple[Table, ...] = ()
    pages: tuple[int, ...] = ()  # where each page starts, for formats with pages
    stated_at: datetime | None = None  # the date that it states of itself
    metadata: Mapping[str, object] = field(default_factory=dict)  # by field, in lower case


Parse = Callable[[bytes, str, str], Parsed]  # of raw bytes, a format and a path, as `parse` does


def format_of(path: str) -> str:
    """The format that a file's name promises; DocumentError where none of ours does."""
    suffix = splitext(path)[1].lower()
    if suffix not in FORMATS:
        supported = ", ".join(FORMATS)
        raise DocumentError(f"format {suffix or 'without a suffix'} {NOT_SUPPORTED} {supported}")
    return FORMATS[suffix]


def parse(raw: bytes, format: str, path: str) -> Parsed:
    """Text and structure of a document; DocumentError says why it cannot be read."""
    try:
        parsed = PARSER_OF[format](raw, PurePosixPath(path).stem)
        if len(parsed.text) > MAX_CHARACTERS:
            raise DocumentError(f"it has over {MAX_CHARACTERS:,} characters of text: split it")
        return replace(parsed, stated_at=parsed.stated_at or stated_date(parsed.text))
    except (DocumentError, MemoryError):
        raise
    except RecursionError as error:
        raise DocumentError("it is nested too deeply to be read") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise DocumentError(f"it cannot be read as {format} ({reason})") from error


def parse_text(raw: bytes, name: str) -> Parsed:
    """Plain text; its title is the file's name."""
    return Parsed(name, normalised(decoded(raw)))


def parse_json_row(raw: bytes, name: str) -> Parsed:
    """A row `{"_id", "title", "text"}` of a JSON lines file."""
    row = json.loads(raw)
    title, text = row.get("title") or "", row.get("text") or ""
    if not isinstance(title, str) or not isinstance(text, str):
        raise DocumentError('"title" and "text" must be strings')
    metadata = _lower({name: row[name] for name in row if name not in ("_id", "text")})
    return Parsed(normalised(title), normalised(text), metadata=metadata)


def parse_markdown(raw: bytes, name: str) -> Parsed:
    """Markdown as it was written; a front matter gives title and date and is left out of the text.

    A page that is a front matter alone, such as a redirect, keeps it as its text.
    """
    text = normalised(decoded(raw))
    fields: dict[object, object] = {}
    front_matter = re.match(r"---\n(.*?)\n---(\n|$)", text, re.DOTALL)
    if front_matter:
        text = text[front_matter.end() :].strip() or front_matter[1].strip()
        fields = _fields(front_matter[1])
    parsed = _structured(text, str(fields.get("title") or "").strip(), name)
    stated_at = _first_date(map(fields.get, _DATE_FIELDS))
    return replace(parsed, stated_at=stated_at, metadata=_lower(fields))


def parse_html(raw: bytes, name: str) -> Parsed:
    """The main part of a page as Markdown; navigation, scripts and footers are left out."""
    page = LexborHTMLParser(decoded(raw))
    title = page.css_first("head title")
    stated = (node.attributes.get("content") for node in page.css(_DATE_META))
    stated_at = _first_date(stated)  # before the head is cut off
    metas = [node.attributes for node in page.css("head meta[name][content]")]
    metadata = _lower({meta["name"]: meta["content"] for meta in metas})
    name = " ".join(title.text().split()) if title else name
    parsed = _structured(normalised(_markdown(_main_part(page))), "", name)
    return replace(parsed, stated_at=stated_at, metadata=metadata)


def parse_docx(raw: bytes, name: str) -> Parsed:
    """A Word document as Markdown, tables included."""
    _check_package(raw)
    without_images = mammoth.images.img_element(lambda image: {"src": ""})
    html = mammoth.convert_to_html(io.BytesIO(raw), convert_image=without_images).value
    return _structured(normalised(_markdown(LexborHTMLParser(html).root)), "", name)


def parse_xlsx(raw: bytes, name: str) -> Parsed:
    """A workbook as Markdown tables; its title is the file's name, a heading that of a sheet."""
    _check_package(raw)
    return _structured(normalised(xlsx_as_markdown(raw)), name, name)


def parse_csv(raw: bytes, name: str) -> Parsed:
    """Rows as a Markdown table; its title is the file's name."""
    return _structured(normalised(csv_as_markdown(decoded(raw))), name, name)


def _check_package(raw: bytes) -> None:
    """DocumentError where an Office file is encrypted, unpacks to too much, or has XML entities."""
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentError(
            "it is encrypted, or of an old format: save it as .docx or .xlsx without password"
        )
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        if sum(part.file_size for part in package.infolist()) > MAX_UNZIPPED_BYTES:
            raise DocumentError(f"it unpacks to more than {MAX_UNZIPPED_BYTES:,} bytes")
        for part in package.namelist():
            xml = package.read(part) if part.endswith((".xml", ".rels")) else b""
            if b"<!DOCTYPE" in xml or b"<!DOCTYPE" in xml.replace(b"\0", b""):  # or in UTF-16
                raise DocumentError("it declares XML entities, which Office never writes")


_pdfium = threading.Lock()  # PDFium is not thread-safe


def parse_pdf(raw: bytes, name: str) -> Parsed:
    """Text of a PDF with the start of each page."""
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
            pages = [normalised(page.get_textpage().get_text_range()) for page in pdf]
            title = normalised(pdf.get_metadata_value("Title"))
            metadata = _lower(pdf.get_metadata_dict(skip_empty=True))
        finally:
            pdf.close()
    text, starts = "", []
    for page in pages:
        text = f"{text}\n\n{page}" if text else page
        starts.append(len(text) - len(page))
    is_title = len(title) > 3 and not re.search(r"\.\w{2,4}$|^untitled|^Microsoft", title, re.I)
    title = title if is_title else name
    return Parsed(title, text, pages=tuple(starts), metadata=metadata)


PARSER_OF: dict[str, Callable[[bytes, str], Parsed]] = {
    "markdown": parse_markdown,
    "html": parse_html,
    "pdf": parse_pdf,
    "docx": parse_docx,
    "xlsx": parse_xlsx,
    "csv": parse_csv,
    "text": parse_text,
    "jsonl": parse_json_row,
}


_DATE_FIELDS = ("updated", "last_updated", "lastmod", "modified", "effective", "date")
_DATE_META = "meta[property='article:modified_time'], meta[name='last-modified'], meta[name='date']"


def _first_date(values: Iterable[object]) -> datetime | None:
    return next(filter(None, map(date_of, values)), None)


def _lower(fields: Mapping[Any, Any]) -> dict[str, object]:
    return {str(name).lower(): value for name, value in fields.items()}


def _fields(front_matter: str) -> dict[object, object]:
    try:
        fields = yaml.safe_load(front_matter)
    except (yaml.YAMLError, ValueError):  # ValueError: a date such as 2026-02-30
        return {}
    return fields if isinstance(fields, dict) else {}


_blocks = MarkdownIt("commonmark").enable("table").disable("inline")


def _structured(text: str, title: str, name: str) -> Parsed:
    """A Markdown text with its headings and tables; without a title, the first heading is it."""
    lines = [0, *(match.end() for match in re.finditer("\n", text)), len(text)]
    tokens = _blocks.parse(text)
    headings, tables = [], []
    for i, token in enumerate(tokens):
        if token.type == "heading_open" and token.map:
            content = tokens[i + 1].content.strip()
            headings.append(Heading(lines[token.map[0]], int(token.tag[1]), content))
        elif token.type == "table_open" and token.map:
            first, last = token.map
            tables.append(Table(lines[first], lines[first + 1], lines[min(last, len(lines) - 1)]))
    headings = [heading for heading in headings if heading.text]
    title = title or (headings[0].text if headings else name)
    return Parsed(title, text, tuple(headings), tuple(tables))


_NOT_CONTENT = (
    "script, style, noscript, template, svg, iframe, nav, body > footer,"
    "body > header:not(:has(h1)),"
    "[role=navigation], [role=banner], [role=contentinfo], [hidden],"
    "#table_of_contents, #toc, .toc, .table-of-contents"
)
_MAIN = "main, [role=main], article, #content, #main"


def _main_part(page: LexborHTMLParser) -> LexborNode | None:
    """The element with the page's content: a marked one that has most of the text, or the body."""
    for node in page.css(_NOT_CONTENT):
        node.decompose()
    body = page.body
    if body is None:
        return None
    enough = len(body.text()) / 2
    return next((node for node in page.css(_MAIN) if len(node.text()) >= enough), body)


def _markdown(root: LexborNode | None) -> str:
    """HTML as Markdown; a link keeps its target only where it leads to another site."""
    if root is None:
        return ""
    for link in root.css("a"):
        if not (link.attributes.get("href") or "").startswith(("http:", "https:", "mailto:")):
            link.unwrap()
    return markdownify(
        root.html or "",
        heading_style=ATX,
        strip=["img"],
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
        table_infer_header=True,
    )
