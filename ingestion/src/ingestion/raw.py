"""Raw bytes -> text and table rows, a second time and more simply, so that no parser checks itself.

Only the guess of an encoding is shared with the parsers: two guesses would differ needlessly.
It may see less of a document than the parser, never more: what it finds must be in the index, so
navigation, footers and hidden text are left out. A format without a reader here is not compared.
"""

import csv
import io
import json
import logging
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from ingestion.errors import DocumentError
from ingestion.text import decoded, normalised

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of what it could mend

MAX_PART_BYTES = 100_000_000  # of a .docx, unpacked

Row = tuple[str | None, ...]  # None: a cell whose text depends on how it is shown
Span = tuple[str, int, int]  # a cell's text, and over how many columns and rows it reaches
MOST_CELLS = 200_000  # of one table, after its cells were repeated


@dataclass(frozen=True)
class Raw:
    """What a document says: its text, and the rows of its tables with their cells."""

    text: str
    rows: tuple[Row, ...] = ()


def extract(raw: bytes, format: str) -> Raw:
    """Text and table rows of a document; DocumentError if it cannot be read."""
    if format not in _EXTRACTORS:
        raise DocumentError(f"there is no second reader of {format}")
    try:
        said = _EXTRACTORS[format](raw)
        return Raw(normalised(said.text), said.rows)
    except (
        AttributeError,
        RecursionError,
        TypeError,
        PyPdfError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
        csv.Error,
        ValueError,
        KeyError,
    ) as error:
        raise DocumentError(f"the second extractor cannot read it ({error})") from error


def _text(raw: bytes) -> Raw:
    return Raw(decoded(raw))


def _json_row(raw: bytes) -> Raw:
    row = json.loads(raw)
    return Raw(f"{row.get('title') or ''}\n{row.get('text') or ''}")


def _markdown(raw: bytes) -> Raw:
    """The file as it is, without fields at its top; a table is what stands around a rule of -|-."""
    first, *rest = decoded(raw).split("<!--")
    text = first + "".join(part.partition("-->")[2] for part in rest)
    text = re.sub(r"(?mi)^\[(?://|comment)\]: *<> *\(.*\) *$", "", text)
    text = _UNSEEN_ELEMENT.sub("", _without_json(text))
    lines = [*_seen(_below_fields(text.splitlines()))]
    rows: list[Row] = []
    in_table = False
    for i, line in enumerate(lines):
        if i and _is_rule(line) and "|" in lines[i - 1]:
            rows.append(_markdown_row(lines[i - 1]))
            in_table = True
        elif in_table := in_table and "|" in line:
            rows.append(_markdown_row(line))
    return Raw(_ELEMENT.sub(" ", "\n".join(lines)), tuple(rows))


# Tags name nothing that a reader sees; a mark of raised text parts no word.
_ELEMENT = re.compile(r"</?(?!su[bp]\b)[a-zA-Z][\w-]{0,20}(?:\s[^<>]{0,1000})?>")
_UNSEEN_ELEMENT = re.compile(
    r"<(script|style|template)\b[^<>]{0,1000}>.{0,100000}?</\1>"
    r"|<(\w+)\b[^<>]{0,500}(?:\shidden\b|display\s*:\s*none)[^<>]{0,500}>.{0,10000}?</\2>",
    re.IGNORECASE | re.DOTALL,
)


def _without_json(text: str) -> str:
    """Without an object of JSON that is the first thing of a page, and is not all of it."""
    if not text.startswith("{"):
        return text
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return text
    return text[end:] if text[end:].strip() else text


def _below_fields(lines: list[str]) -> list[str]:
    """Without a block of `key: value` lines between two rules at the top."""
    if not lines or not re.fullmatch(
        r"(---|\+\+\+|;;;)\s*(?:yaml|yml|toml|json|#.*)?\s*", lines[0], re.I
    ):
        return lines
    for end, line in enumerate(lines[1:], 1):
        if line.strip() in ("---", "...", "+++", ";;;") and line[:1] in "-.+;":
            return lines[end + 1 :] if any(map(str.strip, lines[end + 1 :])) else lines
        if line[:1] not in ("", " ", "\t", "#", "-", "[", "]", "}", "{", '"') and not re.match(
            r"[\w .-]+\s*[:=]", line
        ):
            return lines
    return lines


def _seen(lines: Iterable[str]) -> Iterator[str]:
    """Without blocks of HTML that are hidden; an empty line ends one."""
    is_hidden = False
    for line in lines:
        opens = line.lstrip().startswith("<") and _HIDES.search(line)
        is_hidden = bool(opens or (is_hidden and line.strip()))
        if not is_hidden:
            yield line


_HIDES = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|\shidden[\s>=]", re.IGNORECASE)


def _is_rule(line: str) -> bool:
    """Whether a line is the rule below a table's header; in time linear in its length."""
    cells = line.strip().strip("|").split("|") if "|" in line else []
    return bool(cells) and all(re.fullmatch(":?-+:?", cell.strip()) for cell in cells)


def _markdown_row(line: str) -> Row:
    plain = re.sub(r"</?su[bp]\b[^<>]{0,100}>", "", _ELEMENT.sub(" ", line.strip()))
    return _cells(re.split(r"(?<!\\)\|", plain.removeprefix("|").removesuffix("|")))


class _Page(HTMLParser):
    """Text and rows of a page: of its `main` where it has one."""

    LEFT_OUT = frozenset(
        (
            "head",
            "script",
            "style",
            "noscript",
            "template",
            "svg",
            "iframe",
            "nav",
            "footer",
            "select",
            "rt",
            "rp",
        )
    )
    LEFT_OUT_ROLES = frozenset(("navigation", "banner", "contentinfo"))
    INLINE = frozenset(
        ("a", "abbr", "b", "code", "em", "i", "kbd", "small", "span", "strong", "sub")
    )
    VOID = frozenset(
        (
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "source",
            "wbr",
        )
    )

    def __init__(self, unseen: frozenset[str]) -> None:
        super().__init__()
        self._unseen = unseen  # classes that the page's own styles hide
        self.parts: list[str] = []
        self.rows: list[Row] = []
        self._tables: list[_Table] = []  # those that are open, the outermost first
        self._left_out: list[str] = []  # the element that is left out, once per level of it
        self._done = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        fields = dict(attrs)
        if self._left_out:
            self._left_out += [tag] if tag == self._left_out[0] else []
        elif tag not in self.VOID and self._is_left_out(tag, fields):
            self._left_out.append(tag)
        elif tag == "main" and not self._done:
            self.parts, self.rows = [], []  # what came before it is no content
        elif tag == "table":
            for outer in self._tables:
                outer.is_plain = False
            is_plain = not self._tables and fields.get("role") not in ("presentation", "none")
            self._tables.append(_Table(is_plain))
        elif self._tables:
            self._tables[-1].open(tag, fields)
        self._separate(tag)

    def _is_left_out(self, tag: str, fields: dict[str, str | None]) -> bool:
        style = "".join((fields.get("style") or "").split()).lower()
        return (
            tag in self.LEFT_OUT
            or fields.get("role") in self.LEFT_OUT_ROLES
            or ("hidden" in fields and fields["hidden"] != "until-found")
            or not self._unseen.isdisjoint((fields.get("class") or "").split())
            or "display:none" in style
            or "visibility:hidden" in style
        )

    def handle_endtag(self, tag: str) -> None:
        """Close an element; an end that has no start is passed over."""
        if self._left_out:
            self._left_out = self._left_out[:-1] if tag == self._left_out[0] else self._left_out
        elif tag == "main":
            self._done = True
        elif tag == "table" and self._tables:
            self._end_table()
        self._separate(tag)

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._left_out or self._done:
            return
        self.parts.append(data)
        for table in self._tables:
            table.take(data)

    def close(self) -> None:
        """Take the tables that were never closed."""
        super().close()
        while self._tables:
            self._end_table()

    def _end_table(self) -> None:
        table = self._tables.pop()
        if table.is_plain and not self._done:
            self.rows += [row for part in table.parts for row in _expanded(part)]

    def _separate(self, tag: str) -> None:
        if tag not in self.INLINE:
            self.handle_data("\n")


@dataclass
class _Table:
    """A table of a page: its parts (head, body, foot), their rows, and their cells."""

    is_plain: bool  # neither in another table, nor around one

    def __post_init__(self) -> None:
        self.parts: list[list[list[Span]]] = [[]]

    def open(self, tag: str, fields: dict[str, str | None]) -> None:
        """A part, a row or a cell begins."""
        if tag in ("thead", "tbody", "tfoot"):
            self.parts.append([])
        elif tag == "tr":
            self.parts[-1].append([])
        elif tag in ("td", "th") and self.parts[-1]:
            rows = 10**6 if fields.get("rowspan") == "0" else _span(fields.get("rowspan"))
            self.parts[-1][-1].append(("", _span(fields.get("colspan")), rows))

    def take(self, data: str) -> None:
        """Text of the cell that is open."""
        if self.parts[-1] and self.parts[-1][-1]:
            text, across, down = self.parts[-1][-1][-1]
            self.parts[-1][-1][-1] = text + data, across, down


def _span(value: str | None) -> int:
    text = (value or "").strip()
    return max(1, min(int(text), 1000)) if text.isdecimal() and len(text) < 6 else 1


def _expanded(rows: Sequence[Sequence[Span]]) -> list[Row]:
    """Rows in which each cell stands wherever it reaches."""
    grid: list[dict[int, str]] = [{} for _ in rows]
    filled = 0
    for number, row in enumerate(rows):
        column = 0
        for text, across, down in row:
            while column in grid[number]:
                column += 1
            below = min(number + down, len(rows))
            filled += across * (below - number)
            if filled > MOST_CELLS:
                return []
            for line in grid[number:below]:
                line.update((c, text) for c in range(column, column + across) if c not in line)
            column += across
    plain = [
        line for line, row in zip(grid, rows, strict=True) if len(row) != 1 or row[0][1] == 1
    ]  # a cell over a whole row is a title
    return [_cells(line.get(c, "") for c in range(max(line, default=-1) + 1)) for line in plain]


def _html(raw: bytes) -> Raw:
    text = decoded(raw, is_marked_up=True)
    page = _Page(frozenset(re.findall(r"\.([\w-]+)\s*\{[^{}]*display\s*:\s*none", text)))
    page.feed(text)
    page.close()
    text = re.sub(r"[ \t\r\f\v]*\n\s*", "\n", "".join(page.parts)).strip()
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
    tables = [t for t in document.iter(f"{_WORD}tbl") if t.find(f".//{_WORD}tbl") is None]
    inner = {t for outer in document.iter(f"{_WORD}tc") for t in outer.iter(f"{_WORD}tbl")}
    rows = [row for table in tables if table not in inner for row in _word_rows(table)]
    return Raw(_paragraphs(document).strip(), tuple(rows))


def _word_rows(table: ElementTree.Element) -> list[Row]:
    """Rows of a table; a cell that goes on from the row above has its text."""
    rows: list[Row] = []
    above: dict[int, str] = {}
    for row in table.findall(f"{_WORD}tr"):
        texts: list[str] = []
        for cell in row.findall(f"{_WORD}tc"):
            across = cell.find(f"{_WORD}tcPr/{_WORD}gridSpan")
            merged = cell.find(f"{_WORD}tcPr/{_WORD}vMerge")
            goes_on = merged is not None and merged.get(f"{_WORD}val") != "restart"
            text = above.get(len(texts), "") if goes_on else _paragraphs(cell)
            texts += [text] * _span(across.get(f"{_WORD}val") if across is not None else None)
        above = dict(enumerate(texts))
        rows.append(_cells(texts))
    return rows


_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def _xlsx(raw: bytes) -> Raw:
    """Rows of the sheets that are shown; a number, whose format is not read here, is None."""
    parts = _xml_parts(raw)
    strings = parts.get("xl/sharedStrings.xml", b"<none/>")
    shared = [_strings(item) for item in ElementTree.fromstring(strings).iter(f"{_SHEET}si")]  # noqa: S314  # no entities
    rows: list[Row] = []
    lines: list[list[str]] = []
    for name in _shown_sheets(parts):
        sheet = ElementTree.fromstring(parts[name])  # noqa: S314  # no entities
        hidden = any(c.get("hidden") in ("1", "true") for c in sheet.iter(f"{_SHEET}col"))
        is_merged = sheet.find(f".//{_SHEET}mergeCell") is not None
        for row in sheet.iter(f"{_SHEET}row"):
            if row.get("hidden") in ("1", "true") or hidden:
                continue
            cells = [(cell.get("t"), _strings(cell)) for cell in row.iter(f"{_SHEET}c")]
            texts = [shared[int(text)] if type == "s" and text else text for type, text in cells]
            lines.append(texts)
            styles = [cell.get("s", "0").strip("0") for cell in row.iter(f"{_SHEET}c")]
            row_of = [
                text if (type in ("s", "inlineStr") and not style) or not text else None
                for (type, _), text, style in zip(cells, texts, styles, strict=True)
            ]
            rows.append(() if is_merged or _has_gaps(row) else _cells(row_of))
    return Raw(_lines(lines), tuple(rows))


def _xml_parts(raw: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        if sum(part.file_size for part in package.infolist()) > MAX_PART_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_PART_BYTES:,} bytes")
        names = [name for name in package.namelist() if name.endswith((".xml", ".rels", ".opf"))]
        parts = {name: package.read(name) for name in names}
    if any(b"<!DOCTYPE" in xml for xml in parts.values()):
        raise ValueError("it declares XML entities")
    return parts


def _shown_sheets(parts: dict[str, bytes]) -> list[str]:
    """Names of the parts of the sheets that are shown, in order."""
    book = ElementTree.fromstring(parts["xl/workbook.xml"])  # noqa: S314  # no entities
    links = ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"])  # noqa: S314  # no entities
    targets = {link.get("Id"): str(link.get("Target")).rpartition("/")[2] for link in links}
    ids = (
        next((value for key, value in sheet.items() if key.endswith("}id")), None)
        for sheet in book.iter(f"{_SHEET}sheet")
        if sheet.get("state", "visible") == "visible"
    )
    names = (f"xl/worksheets/{targets.get(each, '')}" for each in ids)
    return [name for name in names if name in parts]


def _has_gaps(row: ElementTree.Element) -> bool:
    """Whether empty cells were left out of a row, so that a cell's number is not its column."""
    columns = [re.sub(r"\d", "", cell.get("r") or "") for cell in row.iter(f"{_SHEET}c")]
    return any(columns) and columns != [_letters(i) for i in range(1, len(columns) + 1)]


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _strings(element: ElementTree.Element) -> str:
    """Texts and values in an element; not how they are pronounced, nor a cell's formula."""
    named = (e for e in element.iter() if e.tag in (f"{_SHEET}t", f"{_SHEET}v"))
    return "".join(e.text or "" for e in named)


def _csv(raw: bytes) -> Raw:
    text = decoded(raw)
    first = text.strip().partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    return Raw(_lines(rows), tuple(map(_cells, rows)))


def _lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows that say something, as long as Markdown makes them, so that lengths can be compared."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows if any(row))


def _paragraphs(element: ElementTree.Element) -> str:
    """Text of an element, a line a paragraph; a `Fallback` says again what stands before it."""
    if element.tag.endswith(("}Fallback", "}del", "}moveFrom")):
        return ""
    color = element.find(f"{_WORD}rPr/{_WORD}color") if element.tag == f"{_WORD}r" else None
    if color is not None and str(color.get(f"{_WORD}val")).upper() == "FFFFFF":
        return ""
    hidden = element.find(f"{_WORD}rPr/{_WORD}vanish") if element.tag == f"{_WORD}r" else None
    if hidden is not None and hidden.get(f"{_WORD}val") not in ("0", "false", "off"):
        return ""
    before = {f"{_WORD}p": "\n", f"{_WORD}br": "\n", f"{_WORD}tab": "\t"}.get(element.tag, "")
    own = element.text or "" if element.tag == f"{_WORD}t" else ""
    return before + own + "".join(map(_paragraphs, element))


def _pdf(raw: bytes) -> Raw:
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages)
    return Raw(re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text))


def _cells(cells: Iterable[str | None]) -> Row:
    return tuple(None if cell is None else " ".join(cell.split()) for cell in cells)


_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def _pptx(raw: bytes) -> Raw:
    """The text of the slides that are shown, and the rows of tables without merged cells."""
    slides = [
        ElementTree.fromstring(xml)  # noqa: S314  # no entities
        for name, xml in sorted(_xml_parts(raw).items())
        if re.fullmatch(r"ppt/slides/slide\d+\.xml", name)
    ]
    shown = [slide for slide in slides if slide.get("show") not in ("0", "false")]
    for parent in [each for slide in shown for each in slide.iter()]:
        for child in [*parent]:
            names = [e for part in child for e in part if e.tag.endswith("}cNvPr")]
            if any(name.get("hidden") in ("1", "true") for name in names):
                parent.remove(child)
    rows = [
        _cells(_drawn(cell) for cell in row.iter(f"{_DRAWING}tc"))
        for slide in shown
        for table in slide.iter(f"{_DRAWING}tbl")
        if not any({"gridSpan", "rowSpan"} & {*cell.keys()} for cell in table.iter(f"{_DRAWING}tc"))
        for row in table.iter(f"{_DRAWING}tr")
    ]
    return Raw("\n".join(map(_drawn, shown)), tuple(rows))


def _drawn(element: ElementTree.Element) -> str:
    paragraphs = element.iter(f"{_DRAWING}p")
    return "\n".join("".join(t.text or "" for t in p.iter(f"{_DRAWING}t")) for p in paragraphs)


def _eml(raw: bytes) -> Raw:
    """The subject and the first part that is plain text."""
    mail = message_from_bytes(raw, policy=default)
    for part in mail.walk():
        if part.get_content_type() == "text/plain" and not part.get_filename():
            body = part.get_payload(decode=True)
            charset = part.get_content_charset() or "utf-8"
            if isinstance(body, bytes):
                return Raw(f"{mail['Subject']}\n{body.decode(charset, errors='replace')}")
    return Raw(str(mail["Subject"]))


def _epub(raw: bytes) -> Raw:
    """The chapters that the reading order names."""
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        if sum(part.file_size for part in package.infolist()) > MAX_PART_BYTES:
            raise ValueError(f"it unpacks to more than {MAX_PART_BYTES:,} bytes")
        opf = package.read(
            next(name for name in package.namelist() if name.endswith(".opf"))
        ).decode()
        ids = set(re.findall(r"<itemref\b[^>]*\bidref=[\"']([^\"']+)", opf))
        items = [
            dict(re.findall(r"([\w-]+)=[\"']([^\"']*)", tag))
            for tag in re.findall(r"<item\b[^>]*>", opf)
        ]
        files = {unquote(i["href"]).rpartition("/")[2] for i in items if i.get("id") in ids}
        chapters = [
            _html(package.read(n)) for n in package.namelist() if n.rpartition("/")[2] in files
        ]
    rows = tuple(row for chapter in chapters for row in chapter.rows)
    return Raw("\n".join(chapter.text for chapter in chapters), rows)


def _ipynb(raw: bytes) -> Raw:
    cells = json.loads(decoded(raw))["cells"]
    return Raw("\n".join("".join(cell["source"]) for cell in cells))


def _json(raw: bytes) -> Raw:
    def strings(value: object) -> Iterable[str]:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [text for each in value for text in strings(each)]
        return [value] if isinstance(value, str) else []

    text = decoded(raw)
    try:
        value = json.loads(text)
    except ValueError:
        value = [json.loads(line) for line in text.splitlines() if line.strip()]
    return Raw("\n".join(strings(value)))


def _xml(raw: bytes) -> Raw:
    text = re.sub(r"\A\s*<\?xml[^>]*\?>", "", decoded(raw, is_marked_up=True))
    if "<!ENTITY" in text:
        raise ValueError("it declares XML entities")
    return Raw("\n".join(ElementTree.fromstring(text).itertext()))  # noqa: S314  # no entities


def _rst(raw: bytes) -> Raw:
    """The lines at the margin, without directives and comments."""
    lines = decoded(raw).splitlines()
    return Raw("\n".join(line for line in lines if line[:1] not in (" ", "\t", ".", ":", "+", "|")))


_EXTRACTORS: dict[str, Callable[[bytes], Raw]] = {
    "markdown": _markdown,
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
    "csv": _csv,
    "pptx": _pptx,
    "eml": _eml,
    "epub": _epub,
    "ipynb": _ipynb,
    "json": _json,
    "xml": _xml,
    "rst": _rst,
    "text": _text,
    "jsonl": _json_row,
}
