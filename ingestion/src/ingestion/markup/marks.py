"""Raised and lowered text -> text that never joins a number: 10^6, m², note [^1]."""

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

_RAISED = str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ")
_ORDINAL = re.compile(r"st|nd|rd|th|er|re|e|ère|ere|ème|eme|nd[es]|o|a|os|as|º|ª|te|ter|de", re.I)
_UNITS = frozenset(
    "m km cm mm dm nm µm μm ft in yd mi s h kg g l t k v w n j hz pa mol min rad inch x y".split()  # noqa: SIM905  # short
)
_MARK = re.compile(r"\[?(\d{1,3}|[a-z]|[ivx]{1,5}|[*†‡§¶]{1,3})\]?", re.IGNORECASE)
_BLOCKS = frozenset(
    "p li td th dd dt div h1 h2 h3 h4 h5 h6 caption body blockquote".split()  # noqa: SIM905  # short
)


_RAISING = re.compile(r"(?:^|;)\s*vertical-align\s*:\s*(super|sub|text-top|[1-9])", re.IGNORECASE)


def set_marks(soup: BeautifulSoup) -> None:
    """Replace every `sup` and `sub` by text that says the same in one line."""
    for tag in soup.find_all("span", style=_RAISING):
        found = _RAISING.search(str(tag["style"]))
        tag.name = "sub" if found and found[1].lower() == "sub" else "sup"
    _set_formulas(soup)
    _set_fractions(soup)
    for tag in soup.find_all(["sup", "sub"]):
        if tag.find(["sup", "sub"]):
            tag.unwrap()
            continue
        text = " ".join(tag.get_text().split())
        if not text:
            tag.decompose()
            continue
        before, after = _beside(tag, "previous"), _beside(tag, "next")
        is_link = bool(tag.find("a", href=re.compile("^#"))) or (
            tag.parent is not None and tag.parent.name == "a" and _is_anchor(tag.parent)
        )
        tag.replace_with(NavigableString(mark_of(tag.name, text, before, after, is_link)))


def mark_of(name: str, text: str, before: str, after: str, is_link: bool = False) -> str:
    """Text that is raised (`name` is "sup") or lowered ("sub"), as it reads in one line."""
    if name == "sub":
        return _lowered(text, before, after)
    if text in ("o", "0", "º") and before[-1:].strip().isdigit() and after[:1] in ("C", "F"):
        return "°"
    shown = _raised(text, before, is_link)
    if after[:1].isalnum() and shown[-1:].isalnum():
        shown += " "  # or the next word would join the number
    return shown


def _set_formulas(soup: BeautifulSoup) -> None:
    """MathML's powers, indices and fractions as `sup`, `sub` and a stroke."""
    for tag in soup.find_all(["annotation", "annotation-xml"]):
        tag.decompose()  # it says the formula again, in another language
    for tag in reversed(soup.find_all(["msup", "msub", "msubsup", "mfrac", "mroot", "msqrt"])):
        parts = tag.find_all(recursive=False)
        if tag.name == "mfrac" and len(parts) == 2:
            simple = all(re.fullmatch(r"\w+", part.get_text(strip=True)) for part in parts)
            top, bottom = (part.get_text(strip=True) for part in parts)
            tag.replace_with(f" {top}/{bottom} " if simple else f" ({top})/({bottom}) ")
            continue
        for part, name in zip(
            parts[1:],
            {"msup": ["sup"], "msub": ["sub"], "msubsup": ["sub", "sup"]}.get(tag.name, []),
            strict=False,
        ):
            part.name = name
        tag.name = "span"


def _set_fractions(soup: BeautifulSoup) -> None:
    """A raised number, a stroke and a lowered number are a fraction: 1/2."""
    for tag in soup.find_all("sup"):
        stroke = tag.next_sibling
        lower = tag.find_next_sibling()
        if not isinstance(stroke, NavigableString) or str(stroke).strip() not in (
            "/",
            "\u2044",
            "\u2215",
        ):
            continue
        if lower is None or lower.name != "sub" or stroke.next_sibling is not lower:
            continue
        gap = " " if _beside(tag, "previous")[-1:].isalnum() else ""
        after = " " if _beside(lower, "next")[:1].isalnum() else ""
        top, bottom = tag.get_text(strip=True), lower.get_text(strip=True)
        text = f"{gap}{top}{str(stroke).strip()}{bottom}{after}"
        lower.decompose()
        stroke.extract()
        tag.replace_with(NavigableString(text))


def _is_anchor(tag: Tag) -> bool:
    return str(tag.get("href") or "").startswith("#")


def _raised(text: str, before: str, is_link: bool) -> str:
    mark = _MARK.fullmatch(text)
    gap = " " if before[-1:].strip() else ""
    if mark and (is_link or text.startswith("[")):
        return f"{gap}[^{mark[1]}]"
    if text.upper() in ("TM", "SM"):
        return {"TM": "™", "SM": "℠"}[text.upper()]
    if text in ("®", "©", "°", "'", "′", "″", "™"):
        return text
    word = re.search(r"[^\W\d_]+$", before)
    if before[-1:].isdigit():
        if _ORDINAL.fullmatch(text) and text.lower() not in ("a",):
            return text
        if re.fullmatch(r"[b-df-mo-z*†‡§]|a", text) and text not in ("n", "x", "k"):
            return f" [^{text}]"
        return _power(text)
    if word and (len(word[0]) <= 2 or word[0].lower() in _UNITS):
        if re.fullmatch(r"[+−-]?\d+|n|\d*[+−-]", text):
            return text.translate(_RAISED)
        if re.fullmatch(r"[a-zà-ÿ]+", text) and word[0][0].isupper() and len(text) > 1:
            return text  # Mme, Dr
        return f" [^{mark[1]}]" if mark and not text.isalpha() else _power(text)
    if before[-1:] in ")]}" and re.fullmatch(r"[+−-]?\d+|n", text) and _is_formula(before):
        return _power(text)
    if mark:
        return f"{gap}[^{mark[1]}]"
    return f"{gap}{text}" if " " in text or len(text) > 4 else _power(text)


def _is_formula(before: str) -> bool:
    inner = before[before.rfind("(") :]
    return bool(re.search(r"[-+*/×·=]|^\(\w\)$", inner)) and "(" in inner


def _power(text: str) -> str:
    return f"^{text}" if re.fullmatch(r"[+−-]?\w+", text) else f"^({text})"


def _lowered(text: str, before: str, after: str) -> str:
    """H2O stays one word; an index beside a digit must not become part of the number."""
    if before[-1:].isdigit() or (after[:1].isdigit() and text[-1:].isdigit()):
        return f"_{text}" + (" " if after[:1].isalnum() else "")
    return text


def _beside(tag: Tag, side: str) -> str:
    """The text next to an element, within its block."""
    parts, node = list[str](), tag
    while node is not None:
        sibling = node.previous_sibling if side == "previous" else node.next_sibling
        while sibling is not None:
            if isinstance(sibling, Tag):
                if sibling.name in _BLOCKS or sibling.name in ("br", "tr", "table"):
                    return "".join(parts)
                said = sibling.get_text()
            else:
                said = str(sibling) if type(sibling) is NavigableString else ""
            parts = [said, *parts] if side == "previous" else [*parts, said]
            if len("".join(parts)) > 40 or said:
                return "".join(parts)
            sibling = sibling.previous_sibling if side == "previous" else sibling.next_sibling
        if node.parent is None or node.parent.name in _BLOCKS:
            return "".join(parts)
        node = node.parent
    return "".join(parts)
