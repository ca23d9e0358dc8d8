"""Bytes of any encoding -> text in one form, which every format shares: pure functions."""

import unicodedata

from charset_normalizer import from_bytes

from ingestion.errors import DocumentError


def decoded(raw: bytes) -> str:
    """Text from bytes: by byte order mark, as UTF-8, or as the likeliest legacy encoding."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        likeliest = from_bytes(raw).best()
    if likeliest is None:
        raise DocumentError("its character encoding cannot be told: save it as UTF-8")
    return str(likeliest)


_CONTROLS = dict.fromkeys((*range(9), 11, *range(14, 32), 127)) | {12: "\n"}


def normalised(text: str) -> str:
    """NFC, line ends as a line feed, no control characters or lone surrogates, stripped."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", text).strip()
