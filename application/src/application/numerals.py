"""Numbers as they are written: signs, decimal marks, thousands, exponents."""

import re
from decimal import Decimal, InvalidOperation

from application.language import DECIMAL_COMMA, DEFAULT

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_EXPONENT = re.compile(r"(?<=\d)[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_POWER = re.compile(
    r"(?<![\w.,])([-+]?\d[\d.,]*)\s*(?:[x×·*⋅]|times)\s*10\s?\^\s?([-+−]?\d{1,2})(?!\w)"
)
_BARE_POWER = re.compile(r"(?<![\w.,])10\^([-+−]?\d{1,2})(?!\w)")
_SPACED = re.compile(r"(?<![\w.,])\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})+(?!\d)")
_APOSTROPHES = re.compile(r"(?<![\w.,])\d{1,3}(?:['’]\d{3})+(?!\d)")
_MINUS = re.compile(r"[−﹣－](?=[\d.])")
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?")
_SCIENTIFIC = re.compile(r"([-+]?\d+(?:[.,]\d+)?)e([-+]?\d{1,2})", re.IGNORECASE)
_COMMAS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d+)?")  # also 1,20,000
_POINTS = re.compile(r"[-+]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
_COMMA = re.compile(r"[-+]?\d+,\d+")
LARGEST_EXPONENT = 30  # larger ones are written as they stand


def spelled_out(text: str) -> str:
    """`text` with exponents as plain numbers, spaces in numbers closed and minus signs as "-"."""
    if not text.isascii():
        text = _MINUS.sub("-", text)
        text = _EXPONENT.sub(lambda m: "^" + m[0].translate(_SUPERSCRIPTS), text)
        text = _SPACED.sub(lambda m: re.sub(r"\D", "", m[0]), text)
        text = _APOSTROPHES.sub(lambda m: re.sub(r"\D", "", m[0]), text)
    if "^" in text:
        text = _POWER.sub(_power, text)
        text = _BARE_POWER.sub(lambda m: _scaled("1", m[1]) or m[0], text)
    return text


def canonical(written: str, language: str = DEFAULT) -> str | None:
    """A number's digits with a decimal point and without separators; None where it is none.

    Three digits after one comma are thousands, other counts are decimals; a point with three
    digits depends on the language.
    """
    if _PLAIN.fullmatch(written):
        if language in DECIMAL_COMMA and _POINTS.fullmatch(written):
            return written.replace(".", "")
        return written.removeprefix("+")
    if match := _SCIENTIFIC.fullmatch(written):
        return _scaled(match[1].replace(",", "."), match[2])
    if _COMMAS.fullmatch(written):
        return written.replace(",", "").removeprefix("+")
    if _POINTS.fullmatch(written) and (written.count(".") > 1 or "," in written):
        return written.replace(".", "").replace(",", ".").removeprefix("+")
    if _COMMA.fullmatch(written):
        return written.replace(",", ".").removeprefix("+")
    return None


def _power(match: re.Match[str]) -> str:
    base = canonical(match[1].rstrip(".,"))
    return (_scaled(base, match[2]) if base else None) or match[0]


def _scaled(base: str, exponent: str) -> str | None:
    power = int(exponent.replace("−", "-"))
    if abs(power) > LARGEST_EXPONENT:
        return None
    try:
        return f"{Decimal(base).scaleb(power):f}"
    except InvalidOperation:
        return None
