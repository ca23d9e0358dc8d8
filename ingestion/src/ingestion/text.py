"""Bytes of any encoding -> text in one form, which every format shares: pure functions."""

import re
import unicodedata

from ingestion.encodings import likeliest
from ingestion.errors import DocumentError

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_DECLARED = re.compile(
    rb"""(?:charset\s*=\s*|<\?xml[^>]{1,100}encoding\s*=\s*)["']?([\w.:-]+)""", re.I
)
_DECLARED_WITHIN = 4096  # bytes from the start
# What web browsers take a label for: the wider encoding of the same family.
_WIDER = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
}


def decoded(raw: bytes, is_marked_up: bool = False) -> str:
    """Text from bytes: by byte order mark, as UTF-8, as declared, or by its likeliest encoding.

    `is_marked_up` allows the bytes to declare their encoding, as HTML and XML do.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    declared = _declared(raw) if is_marked_up else None
    if declared and declared.startswith("iso-2022"):  # it looks like ASCII
        return raw.decode(declared, errors="replace")
    guessed = likeliest(raw, declared)
    if guessed is None:
        raise DocumentError("its character encoding cannot be told: save it as UTF-8")
    return raw.decode(guessed, errors="replace")


def _declared(raw: bytes) -> str | None:
    found = _DECLARED.search(raw[:_DECLARED_WITHIN])
    if not found:
        return None
    name = found[1].decode("ascii", errors="replace").lower()
    name = _WIDER.get(name, name)
    try:
        "".encode(name)
    except LookupError:
        return None
    return name


_CONTROLS = dict.fromkeys((*range(9), 11, *range(14, 32), 127)) | {12: "\n"}
# Characters that nobody sees, and that part a word for a search: soft hyphens, zero-width spaces
# and joiners, marks of direction, tags, and code points that are no characters.
_SOFT_BREAK = re.compile("\u00ad[ \t]*\n[ \t]*(?=\\w)")
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
    "|(?:(?<=[\0-\u058f\u2000-\u206f])|^)[\u200c\u200d]+"  # they shape other scripts and emoji
)
_LIGATURES = {
    code: unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0xFB00, 0xFB07), *range(0xFB13, 0xFB18), 0x132, 0x133, *range(0x1C4, 0x1CD))
}


def normalised(text: str) -> str:
    """NFC, line ends as a line feed, no ligatures, nothing invisible, no lone surrogates, stripped.

    Spans point into the result, so they are exact whatever was removed here.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = _UNSEEN.sub("", _SOFT_BREAK.sub("", text)).translate(_LIGATURES)
    return unicodedata.normalize("NFC", text).strip()
