"""A number and the format of its cell -> the text that a spreadsheet shows, dates in ISO form."""

import operator
import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

_SIGN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|[^"\\]', re.DOTALL)
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_CONDITION = re.compile(r"\[(<=|>=|<>|=|<|>)\s*(-?\d+(?:\.\d+)?)\]")
_COMPARED = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<>": operator.ne,
}
_DIGITS = "0#?"
_SPREADSHEET_DIGITS = 15


def shown(value: object, number_format: str) -> str:
    """The value as text."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case int() | float():
            return _number(value, number_format or "General")
        case datetime() if value.time() == time() and not _has_clock(number_format):
            return value.date().isoformat()
        case datetime():
            return value.isoformat(" ", "minutes" if value.second == 0 else "seconds")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("minutes" if value.second == 0 else "seconds")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            clock = f"{minutes // 60}:{minutes % 60:02}"
            return f"{clock}:{seconds:02}" if seconds else clock
    text = str(value)
    sections = _sections(number_format)
    if len(sections) == 4 or (sections and "@" in sections[-1] and sections[-1] != "@"):
        return "".join(text if each == "@" else _literal(each) for each in _signs(sections[-1]))
    return text


def plain(value: float) -> str:
    """A number without a format: 15 digits, as a spreadsheet keeps them."""
    if abs(value) < 1e21 and (isinstance(value, int) or value.is_integer()):
        return str(int(value))
    return f"{value:.{_SPREADSHEET_DIGITS}g}".upper()


def _has_clock(number_format: str) -> bool:
    return bool(re.search(r"[hs]", re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", number_format), re.I))


def _number(value: float, number_format: str) -> str:
    sections = _sections(number_format)
    section = sections[0]
    if number_format.replace(" ", "") == ";;;":
        return ""  # it shows nothing
    conditions = [_CONDITION.search(each) for each in sections]
    if any(conditions):
        section = next(
            (
                each
                for each, found in zip(sections, conditions, strict=True)
                if not found or _COMPARED[found[1]](value, float(found[2]))
            ),
            "General",
        )
    elif value < 0 and len(sections) > 1 and sections[1]:
        section, value = sections[1], -value
    elif value == 0 and len(sections) > 2 and sections[2]:
        section = sections[2]
    signs = _signs(section)
    if not section.strip() or "general" in section.lower() or not _places(signs):
        literal = "".join(map(_literal, signs))
        has_general = "general" in section.lower()
        if has_general or not literal.strip() or "@" in signs:
            around = re.split("general", section, flags=re.IGNORECASE) if has_general else ["", ""]
            before, after = ("".join(map(_literal, _signs(each))) for each in around[:2])
            return f"{before}{plain(value)}{after}"
        return literal
    try:
        return _filled(value, signs)
    except (ArithmeticError, ValueError, IndexError):
        return plain(value)


def _sections(number_format: str) -> list[str]:
    """The parts for positive numbers, negative ones, zero and text."""
    parts, current = [], ""
    for sign in _SIGN.findall(number_format):
        if sign == ";":
            parts.append(current)
            current = ""
        else:
            current += sign
    return [*parts, current]


def _signs(section: str) -> list[str]:
    return _SIGN.findall(section)


def _literal(sign: str) -> str:
    if sign.startswith('"'):
        return sign[1:-1]
    if sign.startswith("\\"):
        return sign[1:]
    if sign.startswith("_"):
        return ""
    if sign.startswith("*"):
        return ""
    if sign.startswith("["):
        currency = _CURRENCY.fullmatch(sign)
        return currency[1] if currency else ""
    return "" if sign in (*_DIGITS, "@") else sign


def _places(signs: list[str]) -> list[int]:
    return [i for i, sign in enumerate(signs) if sign in _DIGITS and len(sign) == 1]


def _filled(value: float, signs: list[str]) -> str:
    """The signs with the number's digits in place of the first to the last digit sign."""
    places = _places(signs)
    first, last = places[0], places[-1]
    inner = signs[first : last + 1]
    scale, after = 0, last + 1
    while after < len(signs) and signs[after] == ",":  # each divides by a thousand
        scale, after = scale + 1, after + 1
    percent = sum(sign == "%" for sign in signs)
    exact = Decimal(f"{value:.{_SPREADSHEET_DIGITS}g}") * 100**percent / 1000**scale
    sign = "-" if exact < 0 else ""
    if "/" in inner:
        digits = _fraction(abs(exact), inner)
    elif any(sign in "eE" for sign in inner):
        digits = _scientific(abs(exact), inner)
    else:
        digits = _decimal(abs(exact), inner)
    before = "".join(map(_literal, signs[:first]))
    behind = "".join(map(_literal, signs[after:]))
    return f"{sign}{before}{digits}{behind}".strip()


def _decimal(value: Decimal, inner: list[str]) -> str:
    point = inner.index(".") if "." in inner else len(inner)
    whole_signs = [sign for sign in inner[:point] if sign in _DIGITS]
    decimals = [sign for sign in inner[point:] if sign in _DIGITS]
    least = sum(sign == "0" for sign in decimals)
    rounded = value.quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP)
    whole, _, rest = f"{rounded:f}".partition(".")
    while len(rest) > least and rest.endswith("0"):
        rest = rest[:-1]
    width = sum(sign == "0" for sign in whole_signs)
    whole = whole.lstrip("0").rjust(width, "0")
    literals = [(i, _literal(t)) for i, t in enumerate(inner[:point]) if t not in (*_DIGITS, ",")]
    if (
        literals and "#" in whole_signs and all(text == " " for _, text in literals)
    ):  # groups of three by spaces
        whole = f"{int(whole or 0):,}".replace(",", " ").rjust(width, "0")
    elif literals:
        whole = _with_literals(whole, inner[:point])
    elif "," in inner[:point]:
        whole = f"{int(whole or 0):,}".rjust(width, "0") if whole else whole
    return f"{whole}.{rest}" if rest else whole


def _with_literals(whole: str, inner: list[str]) -> str:
    """Digits among signs, as in a telephone number (000-0000), from the right."""
    out, left = [], [*whole]
    for sign in reversed(inner):
        if sign in _DIGITS:
            out.append(left.pop() if left else ("0" if sign == "0" else ""))
        else:
            out.append(_literal(sign) if sign != "," else "")
    return "".join([*left, *reversed(out)])


def _scientific(value: Decimal, inner: list[str]) -> str:
    at = next(i for i, sign in enumerate(inner) if sign in "eE")
    mantissa = inner[:at]
    decimals = (
        len([t for t in mantissa[mantissa.index(".") :] if t in _DIGITS]) if "." in mantissa else 0
    )
    digits, _, exponent = f"{value:.{decimals}E}".partition("E")
    width = sum(sign in _DIGITS for sign in inner[at:])
    return f"{digits}E{exponent[0]}{exponent[1:].lstrip('0').rjust(width, '0')}"


def _fraction(value: Decimal, inner: list[str]) -> str:
    at = inner.index("/")
    below = "".join(inner[at + 1 :]).strip()
    whole_signs = "".join(inner[:at]).strip()
    has_whole = " " in whole_signs
    if below.isdigit() and int(below):
        parts = Fraction(round(Fraction(value) * int(below)), int(below))
        top, bottom = parts.numerator * (int(below) // parts.denominator), int(below)
    else:
        parts = Fraction(value).limit_denominator(10 ** max(1, len(below)) - 1)
        top, bottom = parts.numerator, parts.denominator
    if not has_whole:
        return f"{top}/{bottom}"
    whole, top = divmod(top, bottom)
    if not top:
        return str(whole)
    return f"{whole} {top}/{bottom}" if whole else f"{top}/{bottom}"
