"""The language of a text, its words and their stems: what differs by language is decided here.

A language with its own alphabet is known by its letters, the others by their stop words. What is
too short to tell counts as English.
"""

import re
import unicodedata
from functools import lru_cache

import snowballstemmer  # type: ignore[import-untyped]  # it ships no types

from application.stopwords import STOPWORDS

DEFAULT = "en"
STEMMERS = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
    "ru": "russian",
    "el": "greek",
    "ar": "arabic",
    "hi": "hindi",
}
SCRIPTS = {  # ja before zh: Japanese is written with Chinese characters too
    "ja": r"[\u3040-\u30ff\uff66-\uff9f]",
    "ko": r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]",
    "zh": r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]",
    "th": r"[\u0e00-\u0e7f]",
    "ru": r"[\u0400-\u052f]",
    "el": r"[\u0370-\u03ff\u1f00-\u1fff]",
    "ar": r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]",
    "he": r"[\u0590-\u05ff]",
    "hi": r"[\u0900-\u097f]",
}
LAST_LETTER = 0x1F000  # above it are pictures and rare characters without case or marks
LEAST_STOPWORDS = 2  # different ones, for a Latin language to be told from English names
LEAST_SHARE = 0.3  # of the letters, for a script to decide: English texts name Greek letters too
DECIMAL_COMMA = frozenset({"de", "fr", "es", "it", "pt", "nl", "ru"})

# Scripts without spaces between words, and Korean, whose endings stick to them; with their marks.
SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    r"\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003134f"
)


def letters(*categories: str) -> str:
    """The characters of some Unicode categories, as ranges for a regular expression's class."""
    codes = [c for c in range(LAST_LETTER) if unicodedata.category(chr(c)) in categories]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges)


MARKS = letters("Mn", "Mc")
WORD = re.compile(rf"\w[\w{MARKS}]*(?:['’]\w[\w{MARKS}]*)?")
ASCII_WORD = re.compile(r"\w+(?:'\w+)?", re.ASCII)  # the same, twice as fast
_RUNS = re.compile(rf"[{SPACELESS}]+|[^{SPACELESS}]+")
_SPACELESS = re.compile(rf"[{SPACELESS}]")
_ELISION = re.compile(r"(?:[cdjlmnst]|qu|dell|nell|all|sull|dall)'(?=\w)")
_HINTS = {  # letters that let one stop word be enough
    "de": re.compile("[äöüß]"),
    "fr": re.compile("[éèêàçœùîô]"),
    "es": re.compile("[ñáíóú¿¡]"),
    "it": re.compile("[àèìòù]"),
    "pt": re.compile("[ãõçáêé]"),
}
_SCRIPTS = {language: re.compile(pattern) for language, pattern in SCRIPTS.items()}
_OTHERS = {
    language: frozenset(word for word in words if len(word) > 1 or not word.isascii())
    for language, words in STOPWORDS.items()
    if language != DEFAULT
}
_FOREIGN = frozenset().union(*_OTHERS.values()) - STOPWORDS[DEFAULT]
_STEMMERS = {language: snowballstemmer.stemmer(name) for language, name in STEMMERS.items()}


def normalized(text: str) -> str:
    """`text` in NFC, so that a name typed on a Mac is the same as one typed elsewhere."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def language_of(text: str) -> str:
    """The language's code in ISO 639-1; "en" where it cannot be told."""
    text = normalized(text)
    return script_language(text) or latin_language([w.lower() for w in WORD.findall(text)])


def script_language(text: str) -> str | None:
    """The language of the script that `text` is mostly written in; None for the Latin one."""
    if text.isascii():
        return None
    total = sum(map(str.isalpha, text))
    for language, script in _SCRIPTS.items():
        if (count := len(script.findall(text))) and count >= LEAST_SHARE * total:
            return language
    return None


def latin_language(words: list[str]) -> str:
    """The language with the most stop words among lower-case `words`; English wins a tie."""
    if _FOREIGN.isdisjoint(words):
        return DEFAULT
    different = frozenset(words)
    english = len(different & STOPWORDS[DEFAULT])
    best, most = DEFAULT, 0
    for language, known in _OTHERS.items():
        count = len(different & known)
        if count > max(most, english) and (count >= LEAST_STOPWORDS or _hinted(language, words)):
            best, most = language, count
    return best


def _hinted(language: str, words: list[str]) -> bool:
    hint = _HINTS.get(language)
    return hint is not None and any(hint.search(word) for word in words if not word.isascii())


@lru_cache(maxsize=50_000)
def stem(word: str, language: str = DEFAULT) -> str:
    """Snowball stem of a lower-case word; a word in another script than Latin has its own."""
    if not word.isascii() and (script := script_language(word)):
        language = script
    stemmer = _STEMMERS.get(language)
    return str(stemmer.stemWord(word)) if stemmer else word


def words_of(text: str) -> tuple[list[str], str]:
    """The lower-case words of a text in NFC, and its language; no stop word is left out.

    Scripts without spaces give pairs of neighbouring characters.
    """
    if text.isascii():
        words = ASCII_WORD.findall(text.lower())
        return words, DEFAULT if _FOREIGN.isdisjoint(words) else latin_language(words)
    words = [word.lower().replace("’", "'") for word in WORD.findall(text)]
    language = script_language(text) or latin_language(
        [part for word in words for part in (word, *word.split("'")[:1])]
    )
    if language in {"fr", "it"}:
        words = [_ELISION.sub("", word, count=1) for word in words]
    if _SPACELESS.search(text):
        words = [piece for word in words for piece in _pieces(word)]
    return words, language


def _pieces(word: str) -> list[str]:
    pieces: list[str] = []
    for run in _RUNS.findall(word):
        if len(run) > 1 and _SPACELESS.match(run):
            pieces.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            pieces.append(run)
    return pieces
