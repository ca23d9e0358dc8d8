"""Raw bytes -> text and table rows, a second time and more simply, so that no parser checks itself.

Nothing here comes from `parse.py`. It may see less of a document than the parser, never more: what
it finds must be in the index, so navigation and footers are left out.
"""

import csv
import io
import json
import logging
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from xml.etree import ElementTree

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from ingestion.errors import DocumentError

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of what it could mend

MAX_PART_BYTES = 100_000_000  # of a .docx, unpacked

Row = tuple[str, ...]


@dataclass(frozen=True)
class Raw:
    """What a document says: its text, and the rows of its tables with their cells."""

    text: str
    rows: tuple[Row, ...] = ()


def extract(raw: bytes, format: str) -> Raw:
    """Text and table rows of a document; DocumentError if it cannot be read."""
    try:
        return _EXTRACTORS[format](raw)
    except (
        PyPdfError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
        csv.Error,
        ValueError,
        KeyError,
    ) as error:
        raise DocumentError(f"the second extractor cannot read it ({error})") from error


def _decoded(raw: bytes) -> str:
    declared = re.search(rb"""<meta[^>]{1,200}charset=["']?([\w-]+)""", raw[:2048], re.I)
    marked = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for encoding in (marked, declared[1].decode() if declared else "cp1252"):
        try:
            return raw.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("cp1252", errors="replace")


def _text(raw: bytes) -> Raw:
    return Raw(_decoded(raw))


def _json_row(raw: bytes) -> Raw:
    row = json.loads(raw)
    return Raw(f"{row.get('title') or ''}\n{row.get('text') or ''}")


_RULE = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")


def _markdown(raw: bytes) -> Raw:
    """The file as it is, without its front matter; a table is what stands around a rule of -|-."""
    text = re.sub(r"\A---\r?\n.*?\n---\r?\n(?=.*\w)", "", _decoded(raw), flags=re.DOTALL)
    lines = text.splitlines()
    rows = []
    for i, line in enumerate(lines):
        if i and "|" in line and _RULE.match(line) and "|" in lines[i - 1]:
            rows.append(lines[i - 1])
            rows.extend(_until(lines[i + 1 :], lambda row: "|" not in row))
    return Raw(text, tuple(_cells(re.split(r"(?<!\\)\|", row.strip().strip("|"))) for row in rows))


def _until(lines: Iterable[str], ends: Callable[[str], bool]) -> Iterable[str]:
    for line in lines:
        if ends(line):
            return
        yield line


class _Page(HTMLParser):
    """Text and rows of a page: of its `main` where it has one."""

    LEFT_OUT = frozenset(
        ("head", "script", "style", "noscript", "template", "svg", "iframe", "nav", "footer")
    )
    LEFT_OUT_ROLES = frozenset(("navigation", "banner", "contentinfo"))
    INLINE = frozenset(
        ("a", "abbr", "b", "code", "em", "i", "kbd", "small", "span", "strong", "sub", "sup")
    )

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.rows: list[Row] = []
        self._cells: list[str] | None = None  # of the row that is open
        self._left_out: list[str] = []  # the element that is left out, once per level of it
        self._done = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        role = dict(attrs).get("role")
        if self._left_out:
            self._left_out += [tag] if tag == self._left_out[0] else []
        elif tag in self.LEFT_OUT or role in self.LEFT_OUT_ROLES:
            self._left_out.append(tag)
        elif tag == "main" and not self._done:
            self.parts, self.rows = [], []  # what came before it is no content
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th") and self._cells is not None:
            self._cells.append("")
        self._separate(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element; an end that has no start is passed over."""
        if self._left_out:
            self._left_out = self._left_out[:-1] if tag == self._left_out[0] else self._left_out
        elif tag == "main":
            self._done = True
        elif tag == "tr" and self._cells is not None:
            self.rows.append(_cells(self._cells))
            self._cells = None
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._left_out or self._done:
            return
        self.parts.append(data)
        if self._cells:
            self._cells[-1] += data

    def _separate(self, tag: str) -> None:
        if tag not in self.INLINE:
            self.handle_data("\n")


def _html(raw: bytes) -> Raw:
    page = _Page()
    page.feed(_decoded(raw))
    page.close()
    text = re.sub(r"\s*\n\s*", "\n", "".join(page.parts)).strip()
    return Raw(text, tuple(page.rows))


_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def _docx(raw: bytes) -> Raw:
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        if package.getinfo("word/document.xml").file_size > MAX_PART_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_PART_BYTES:,} bytes")
        xml = package.read("word/document.xml")
    if b"<!DOCTYPE" in xml:
        raise ValueError("it declares XML entities")
    document = ElementTree.fromstring(xml)  # noqa: S314  # no entities, and a limit on its size
    rows = [
        _cells(_paragraphs(cell) for cell in row.findall(f"{_WORD}tc"))
        for row in document.iter(f"{_WORD}tr")
    ]
    return Raw(_paragraphs(document).strip(), tuple(rows))


_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _xlsx(raw: bytes) -> Raw:
    """Rows of every sheet, of their texts alone: how a number is shown is the parser's affair."""
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        if sum(part.file_size for part in package.infolist()) > MAX_PART_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_PART_BYTES:,} bytes")
        parts = {name: package.read(name) for name in package.namelist() if name.endswith(".xml")}
    if any(b"<!DOCTYPE" in xml for xml in parts.values()):
        raise ValueError("it declares XML entities")
    strings = parts.get("xl/sharedStrings.xml", b"<none/>")
    shared = [_strings(item) for item in ElementTree.fromstring(strings).iter(f"{_SHEET}si")]  # noqa: S314  # no entities
    rows: list[Row] = []
    lines: list[list[str]] = []
    for name in sorted(parts):
        if not name.startswith("xl/worksheets/sheet"):
            continue
        for row in ElementTree.fromstring(parts[name]).iter(f"{_SHEET}row"):  # noqa: S314  # no entities
            cells = [(cell.get("t"), _strings(cell)) for cell in row.iter(f"{_SHEET}c")]
            texts = [shared[int(text)] if type == "s" else text for type, text in cells]
            lines.append(texts)
            rows.append(
                _cells(
                    text
                    for (type, _), text in zip(cells, texts, strict=True)
                    if type in ("s", "inlineStr")
                )
            )
    return Raw(_lines(lines), tuple(rows))


def _strings(element: ElementTree.Element) -> str:
    """Texts and values in an element; not how they are pronounced, nor a cell's formula."""
    named = (e for e in element.iter() if e.tag in (f"{_SHEET}t", f"{_SHEET}v"))
    return "".join(e.text or "" for e in named)


def _csv(raw: bytes) -> Raw:
    text = _decoded(raw)
    first = text.strip().partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    return Raw(_lines(rows), tuple(map(_cells, rows)))


def _lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows that say something, as long as Markdown makes them, so that lengths can be compared."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows if any(row))


def _paragraphs(element: ElementTree.Element) -> str:
    """Text of an element, a line a paragraph; a `Fallback` says again what stands before it."""
    if element.tag.endswith("}Fallback"):
        return ""
    before = {f"{_WORD}p": "\n", f"{_WORD}br": "\n", f"{_WORD}tab": "\t"}.get(element.tag, "")
    own = element.text or "" if element.tag == f"{_WORD}t" else ""
    return before + own + "".join(map(_paragraphs, element))


def _pdf(raw: bytes) -> Raw:
    return Raw("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages))


def _cells(cells: Iterable[str]) -> Row:
    return tuple(" ".join(cell.split()) for cell in cells)


_EXTRACTORS: dict[str, Callable[[bytes], Raw]] = {
    "markdown": _markdown,
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
    "csv": _csv,
    "text": _text,
    "jsonl": _json_row,
}
