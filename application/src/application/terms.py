"""Words, values and sentences of a text: what evidence and citations compare."""

import re
from itertools import pairwise
from typing import NamedTuple

from application.language import (
    DECIMAL_COMMA,
    DEFAULT,
    MARKS,
    latin_language,
    letters,
    normalized,
    stem,
    words_of,
)
from application.numerals import canonical, spelled_out
from application.stopwords import STOPWORDS

VALUE = re.compile(  # a token that holds a digit, with the sign before it
    r"(?:(?<![\w./:,)\]%-])[-+](?=\d))?(?<!\w)(?=[\w./:,^-]*\d)\w+(?:(?:[./:,-]|\^-?)\w+)*(?: ?%)?"
)
DIGIT = re.compile(r"\d")
VALUE_QUESTION = re.compile(
    r"\b(when|how (many|much|long|often|soon|quickly|late|early|far|old|big|large|high|fast)"
    r"|(what|which|at what) (time|date|day|month|year|number|amount|percentage|version|price)"
    r"|wann|wie ?(viel|viele|lange?|oft|hoch|weit|alt|gro(ß|ss)|schnell)|combien|quand|quel âge"
    r"|cuándo|cuánt[oa]s?|quando|quant[oaie]s?|hoeveel|wanneer|hoe (lang|vaak|oud|hoog|ver))\b"
    r"|几|多少|多长|多久|多大|何時|何日|何か月|いくら|いくつ|どのくらい|언제|얼마|몇",
    re.IGNORECASE,
)
UPPER, OTHER = letters("Lu", "Lt"), letters("Lo", "Nd")
BOUNDARY = re.compile(
    r"\n\s*\n"  # a paragraph's end
    r"|\n(?=\s*(?:[-*+•|#>]|\d+[.)]\s))"  # before a list item, table row, heading or quotation
)
SENTENCE_END = re.compile(  # the cut is where the match ends, without the white space
    rf"[.!?؟۔।॥။።։](?:\*\*|[\"'”’)\]])?(?=\s+[\"'“„«(\[*¿¡]*[{UPPER}{OTHER}])"
    r"|[。！？｡][」』）”’]*(?=[^」』）”’\s])|[।॥۔](?=\w)"
)
FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*$.*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.M | re.S)
TABLE_RULE = re.compile(r"\|[\s|:-]+")
LINE_END = re.compile(r"\n(?=\S)")
WRAPPED_AT = 70  # characters; a shorter line that a new one follows is a row of its own, as in PDF

LAST_WORD = re.compile(rf"[\w{MARKS}.]+\.$")
ABBREVIATIONS = frozenset(  # a capital letter or a number may follow them within a sentence
    """
    abs. al. anh. approx. apt. art. av. bd. bzw. c.-à-d. ca. cap. capt. cf. ch. chap. cf. co. col.
    corp. d.h. dept. dipl. dr. dra. ed. eds. e.g. eg. eq. est. et. evtl. excl. exp. fig. figs. fr.
    ggf. gen. gov. hr. i.d.r. i.e. ie. inc. incl. ing. inkl. jr. lt. ltd. m.e. max. min. mio. mme.
    mr. mrs. ms. mt. mrd. nr. núm. no. nos. op. p. pág. pp. par. para. pg. prof. ref. rep. rev. s.
    sec. sect. sen. sig. sog. sr. sra. srta. st. ste. str. tab. tel. u.a. u.s. u.k. ul. usw. v. vgl.
    viz. vol. vs. z.b. zzgl. avv. dott. sig.ra. mevr. dhr. blz. bijv.
    """.split()  # noqa: SIM905 - a list of strings would be a hundred lines
)
WITHIN = frozenset(
    [
        "i.e.",
        "ie.",
        "e.g.",
        "eg.",
        "vs.",
        "approx.",
        "dr.",
        "mr.",
        "mrs.",
        "ms.",
        "prof.",
        "z.b.",
        "d.h.",
        "bzw.",
        "vgl.",
        "cf.",
    ]
)
NUMBER_FOLLOWS = frozenset({"no.", "nos.", "nr.", "p.", "pp.", "s.", "max.", "min.", "ed.", "art."})
MONTHS = frozenset(
    """
    januar jänner februar märz april mai juni juli august september oktober november dezember
    january february march may june july october december
    """.split()  # noqa: SIM905 - a list of strings would be a hundred lines
)
BEFORE_ORDINAL = frozenset(
    "am ab bis das dem den der des die im jeden jeder seit vom zum zur".split()  # noqa: SIM905
)
NEXT_WORD = re.compile(r"\w+")


class Span(NamedTuple):
    """A piece of a text, by its characters."""

    start: int
    end: int


def content_terms(text: str) -> set[str]:
    """Stems of the words that carry meaning, by the text's language; pairs of characters in
    scripts without spaces.
    """
    return set(_stems(text))


def phrases(text: str) -> set[tuple[str, str]]:
    """Pairs of stems that follow each other."""
    return set(pairwise(_stems(text)))


def _stems(text: str) -> list[str]:
    words, language = words_of(text if text.isascii() else normalized(text))
    stopwords = STOPWORDS.get(language, STOPWORDS[DEFAULT])
    return [stem(word, language) for word in words if word not in stopwords]


def values(text: str) -> set[str]:
    """Numbers, dates, amounts and codes: tokens with a digit, each in one way of writing.

    "1,200" and "1 200" are "1200", "2,5" is "2.5", "10⁶" is "1000000"; a minus sign stays.
    """
    if DIGIT.search(text) is None:
        return set()
    text = spelled_out(normalized(text))
    return {_value(match[0], text) for match in VALUE.finditer(text)}


def _value(token: str, text: str) -> str:
    token = token.lower().replace(" ", "").removeprefix("+")
    number, percent = token.removesuffix("%"), "%" if token.endswith("%") else ""
    return (canonical(number, _decimals(number, text)) or number) + percent


def _decimals(number: str, text: str) -> str:
    """The language that decides what a point before three digits means."""
    if not re.fullmatch(r"\d{1,3}\.\d{3}", number):
        return DEFAULT
    words, language = words_of(text)
    return language if language in DECIMAL_COMMA else latin_language(words)


def asks_for_value(question: str) -> bool:
    """Whether a number, a date or a time would answer."""
    return VALUE_QUESTION.search(question) is not None


def sentences(text: str) -> list[Span]:
    """Spans of sentences, table rows and list items, without the white space around them.

    A fence of code is one of them.
    """
    cuts = {0, len(text), *(match.start() for match in BOUNDARY.finditer(text))}
    cuts |= {m.end() for m in SENTENCE_END.finditer(text) if not _goes_on(text, m)}
    cuts |= {match.start() for match in LINE_END.finditer(text) if not _is_wrapped(text, match)}
    if "```" in text or "~~~" in text:
        for fence in FENCE.finditer(text):
            cuts = {cut for cut in cuts if not fence.start() < cut < fence.end()}
            cuts |= {fence.start(), fence.end()}
    spans = []
    for start, end in pairwise(sorted(cuts)):
        piece = text[start:end]
        if stripped := piece.strip():
            first = start + piece.index(stripped)
            spans.append(Span(first, first + len(stripped)))
    return spans


def _goes_on(text: str, end: re.Match[str]) -> bool:
    """Whether the point before `end` belongs to an abbreviation, an initial or an ordinal."""
    line = text.rfind("\n", 0, end.start()) + 1
    before = LAST_WORD.search(text, max(line, end.start() - 30), end.start() + 1)
    following = NEXT_WORD.search(text, end.end())
    if before is None or following is None:
        return False
    last, word = before[0], following[0]
    if last[:-1].isdigit():
        previous = text[line : before.start()].split()
        if not previous or previous[-1][-1] in "-*•>#|.!?:":
            return True  # the number of a list item
        ordinal = previous[-1].lower() in BEFORE_ORDINAL and word.lower() not in STOPWORDS["de"]
        return len(last) < 4 and (word.lower() in MONTHS or ordinal)
    starts = word.lower() in STOPWORDS[DEFAULT] and word[0].isupper()
    if last.lower() in WITHIN:
        return True  # never the end of a sentence
    if last.lower() in ABBREVIATIONS:
        return word[0].isdigit() or (last.lower() not in NUMBER_FOLLOWS and not starts)
    if re.fullmatch(r"(?:\w\.)+", last):  # initials, also "U.S."
        return not starts and not last[0].isdigit()
    return False


def _is_wrapped(text: str, line_end: re.Match[str]) -> bool:
    """Whether a sentence goes on in the next line."""
    length = line_end.start() - (text.rfind("\n", 0, line_end.start()) + 1)
    return length >= WRAPPED_AT or text[line_end.end()].islower()


def is_table_row(text: str) -> bool:
    """Whether `text` is a row of a Markdown table."""
    return text.startswith("|")


def is_table_rule(text: str) -> bool:
    """Whether `text` is the line of dashes below the header of a Markdown table."""
    return TABLE_RULE.fullmatch(text) is not None


def is_heading(text: str) -> bool:
    """Whether `text` announces what follows: a Markdown heading, or a question."""
    return text.startswith("#") or text.rstrip("*_").endswith(("?", "？", "؟"))
