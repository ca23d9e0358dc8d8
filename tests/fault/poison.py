"""The poison corpus (F5): bad documents beside good ones, all made from a seed."""

import io
import os
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from tests.fakes.documents import docx, paragraph, pdf, xlsx

INDEXED, QUARANTINED, EITHER = "indexed", "quarantined", "either"
WORDS = ["leave", "travel", "badge", "laptop", "rate", "invoice", "holiday", "manager", "budget"]
DEEP = 10_000
LONG_TOKEN = 5_000_000
SHEET = "xl/worksheets/sheet1.xml"
FAR = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    "</sheetData></worksheet>"
)
DAMAGED_PER_FORMAT = 4  # truncated, and as many with bits flipped


@dataclass(frozen=True)
class Case:
    """A file and what must become of it; `why` says so where it is not plain."""

    path: str
    raw: bytes
    outcome: str
    why: str = ""


def prose(random: random.Random, words: int = 120) -> str:
    """Sentences of ten words."""
    sentences = (" ".join(random.choices(WORDS, k=10)) for _ in range(words // 10))
    return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


def good(random: random.Random) -> dict[str, bytes]:
    """A healthy document of each format, by suffix."""
    text = [prose(random) for _ in range(3)]
    rows = [random.choices(WORDS, k=4) for _ in range(20)]
    page = "".join(f"<h2>Part</h2><p>{part}</p>" for part in text)
    return {
        "md": "\n\n".join(["# Policy", *text]).encode(),
        "txt": "\n\n".join(text).encode(),
        "html": f"<!doctype html><html><body><main>{page}</main></body></html>".encode(),
        "pdf": _as_written(PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(*text))))),
        "docx": docx("".join(map(paragraph, text))),
        "xlsx": xlsx({"Rates": rows}),
        "csv": "\n".join(map(",".join, rows)).encode(),
    }


def healthy(random: random.Random) -> Iterator[Case]:
    """Documents that must be indexed, however odd they or their names are."""
    text = prose(random)
    for suffix, raw in good(random).items():
        yield Case(f"good/{random.randrange(10**6)}.{suffix}", raw, INDEXED)
    for name in ("two\nlines.md", "-rf.md", "a'b\"c;$(d).md", "\u202egnp.md", "x" * 250 + ".md"):
        yield Case(f"names/{name}", f"# {text}".encode(), INDEXED)
    yield Case("odd/utf-16.txt", text.encode("utf-16"), INDEXED)
    yield Case("odd/utf-16-without-mark.txt", text.encode("utf-16-le"), INDEXED)
    yield Case("odd/nul.md", text.replace(" ", " \0").encode(), INDEXED)
    yield Case("odd/bidi.md", f"\u202e{text}\u2066\u200f".encode(), INDEXED)
    yield Case("odd/one-token.txt", b"x" * LONG_TOKEN, INDEXED, "it is text, and cut by length")
    far = xlsx({"a": []}, {SHEET: FAR})
    yield Case("odd/far.xlsx", far, INDEXED, "two cells; the 17 billion between them are empty")
    yield Case("odd/one-cell.csv", b"a,b\n1," + b"x" * 500_000, INDEXED)
    for name, mark in (("quotes", "> "), ("lists", "- "), ("brackets", "[")):
        raw = (mark * DEEP + text).encode()
        yield Case(f"odd/deep-{name}.md", raw, INDEXED, "Markdown is kept as it was written")


def poison(random: random.Random) -> Iterator[Case]:
    """Documents that no text, or no whole text, can be had of."""
    text = prose(random)
    for suffix, raw in good(random).items():
        yield Case(f"empty/a.{suffix}", b"", QUARANTINED)
        yield Case(f"empty/nul.{suffix}", b"\0" * 1000, QUARANTINED)
        if suffix in ("html", "pdf", "docx", "xlsx"):
            yield from _damaged(random, suffix, raw)
    encrypted = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(text))))
    encrypted.encrypt("secret", algorithm="RC4-128")
    yield Case("encrypted/a.pdf", _as_written(encrypted), QUARANTINED)
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + random.randbytes(2000)
    yield Case("encrypted/a.docx", ole, QUARANTINED)
    yield Case("encrypted/a.xlsx", ole, QUARANTINED)

    for encoding in ("utf-8", "utf-16"):
        xml = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'.encode(encoding)
        part = {"docx": "word/document.xml", "xlsx": "xl/sharedStrings.xml"}
        yield Case(f"xxe/{encoding}.docx", docx("", {part["docx"]: xml}), QUARANTINED)
        yield Case(f"xxe/{encoding}.xlsx", xlsx({"a": []}, {part["xlsx"]: xml}), QUARANTINED)

    yield Case("bomb/zeros.docx", _bomb(docx(paragraph(text)), b"0", 300), QUARANTINED)
    yield Case("bomb/zeros.xlsx", _bomb(xlsx({"a": [[text]]}), b"0", 300), QUARANTINED)
    large = xlsx({"a": [["x" * 150_000_000]]})
    yield Case(
        "bomb/cell.xlsx", large, QUARANTINED, "within each limit on sizes, but not in memory"
    )

    yield Case("deep/a.html", b"<div>" * DEEP + text.encode() + b"</div>" * DEEP, QUARANTINED)
    table = "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"
    yield Case(
        "deep/a.docx", docx(table[0] * DEEP + paragraph(text) + table[1] * DEEP), QUARANTINED
    )
    yield Case(
        "binary/a.md", random.randbytes(5000), EITHER, "some bytes are text in some encoding"
    )
    surrogates = text.replace(" ", " \ud800").encode("utf-8", "surrogatepass")
    yield Case(
        "binary/surrogates.txt", surrogates, EITHER, "it is no UTF-8, so its encoding is guessed"
    )


def _damaged(random: random.Random, suffix: str, raw: bytes) -> Iterator[Case]:
    for n in range(DAMAGED_PER_FORMAT):
        cut = raw[: random.randrange(len(raw) // 3, len(raw) - 10)]
        if suffix == "html":
            yield Case(f"cut/{n}.html", cut, INDEXED, "HTML has no end that could be missing")
        else:
            yield Case(f"cut/{n}.{suffix}", cut, QUARANTINED, "what is left is not all of it")
        flipped = bytearray(raw)
        for _ in range(random.choice((1, 5, 50))):
            flipped[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        why = "a flipped letter is still text; a ZIP has checksums, but of its parts alone"
        yield Case(f"flipped/{n}.{suffix}", bytes(flipped), EITHER, why)


def _as_written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _bomb(package: bytes, byte: bytes, megabytes: int) -> bytes:
    """The package with a part more, that unpacks to so many megabytes."""
    file = io.BytesIO(package)
    with (
        zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
        bomb.open("bomb.xml", "w") as part,
    ):
        for _ in range(megabytes):
            part.write(byte * 1_000_000)
    return file.getvalue()


def irregular(folder: Path, outside: Path) -> dict[str, str]:
    """Put entries that are no regular files into a folder; what must become of each."""
    (outside / "secret.md").write_text("# Secret\n\nThe secret of another folder.")
    (folder / "inside.md").symlink_to(folder / "target.md")
    (folder / "target.md").write_text("# Target\n\nWhat the link leads to.")
    (folder / "outside.md").symlink_to(outside / "secret.md")
    (folder / "outside").symlink_to(outside)
    (folder / "itself.md").symlink_to("itself.md")
    (folder / "one.md").symlink_to("other.md")
    (folder / "other.md").symlink_to("one.md")
    (folder / "parent").symlink_to(folder)
    (folder / "nowhere.md").symlink_to("gone.md")
    os.mkfifo(folder / "pipe.md")
    os.close(os.open(os.fsencode(folder) + b"/caf\xe9.md", os.O_CREAT))
    bad = ("outside.md", "outside", "itself.md", "one.md", "other.md", "parent", "nowhere.md")
    return {"inside.md": INDEXED, "target.md": INDEXED} | dict.fromkeys(
        (*bad, "pipe.md", "caf\\udce9.md"), QUARANTINED
    )
