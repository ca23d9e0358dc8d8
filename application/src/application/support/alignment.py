"""Which word of a source stands for a word of a statement."""

import re
import unicodedata
from collections import defaultdict

from application.support.lexicon import OPPOSITE, RIVALS, SYNONYMS
from application.support.reading import Reading, Term

PREFIX = re.compile(r"^(?:un|in|im|ir|il|dis|non|de)(?=\w{4})")
SUFFIXES = re.compile(
    r"(?:isations?|izations?|ations?|itions?|ments?|ances?|ences?|ivity|ively|ive|als?|ally|ables?"
    r"|ibles?|abilit(?:y|ies)|ness|it(?:y|ies)|ically|ical|ics?|ly|ies|ions?|ures?|ages?|ings?|ed|ors?|ers?|es|e|s|y)$"
)
PARTIES = re.compile(r"(?:er|or|ee|ers|ors|ees)$")  # an employer is no employee


class Alignment:
    """The terms of a source, looked up by those of a statement."""

    def __init__(self, source: Reading) -> None:
        self.stems: dict[str, list[Term]] = defaultdict(list)
        self.roots: dict[str, list[Term]] = defaultdict(list)
        self.joined: dict[str, list[Term]] = defaultdict(list)
        for term in source.terms:
            self.stems[term.stem].append(term)
            self.roots[root(term.word)].append(term)
        for one, other in zip(source.terms, source.terms[1:], strict=False):
            if other.place - one.place <= 2:
                self.joined[fold(one.word + other.word)].append(one)
        self.initials = _initials(source)
        self.lows = {low: place for place, low in enumerate(source.lows)}
        self.source = source

    def of(self, term: Term) -> list[tuple[Term, bool]]:
        """The source's terms that mean the same as `term`, or, marked True, its opposite."""
        if found := self.stems.get(term.stem):
            return [(t, False) for t in found]
        same = [t for s in SYNONYMS.get(term.stem, ()) for t in self.stems.get(s, ())]
        if same:
            return [(t, False) for t in same]
        if found := self.roots.get(root(term.word)) or self.joined.get(fold(term.word)):
            return [(t, False) for t in found]
        if term.word in self.initials:
            return [(self.initials[term.word], False)]
        opposite = [t for s in OPPOSITE.get(term.stem, ()) for t in self.stems.get(s, ())]
        bare = PREFIX.sub("", term.word)
        if bare != term.word:
            opposite += self.roots.get(root(bare), [])
        for prefix in ("un", "in", "im", "ir", "dis", "non"):
            opposite += self.roots.get(root(prefix + term.word), [])
        if not opposite and (place := self.lows.get(term.word)) is not None:
            segment, clause = -1, self.source.clause_at(place)
            return [(Term(term.word, term.stem, place, clause, segment, term.negated), False)]
        return [(t, True) for t in opposite]

    def rival(self, term: Term, said: frozenset[str]) -> bool:
        """Whether the source names another of a kind of which only one can be true."""
        others = RIVALS.get(term.stem, set()) & self.stems.keys()
        return bool(others - said)


def fold(word: str) -> str:
    """A word without accents and case."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFD", word.lower())
    return "".join(c for c in parts if not unicodedata.combining(c)).replace("ß", "ss")


def root(word: str) -> str:
    """What a word shares with those derived from it: "deliver" and "delivery"."""
    word = fold(word)
    if PARTIES.search(word):
        return re.sub(r"s$", "", word)
    for _ in range(2):
        shorter = SUFFIXES.sub("", word)
        if len(shorter) < 4:
            break
        final = word.startswith(("ion", "ions"), len(shorter))
        word = shorter
        if final:
            break
    if len(word) < 3:
        return word
    if word[-1] == word[-2] and word[-1] in "bdglmnprt":
        word = word[:-1]
    for ending, verb in (
        ("ens", "end"),
        ("ans", "and"),
        ("miss", "mit"),
        ("cis", "cid"),
        ("clus", "clud"),
    ):
        if word.endswith(ending) and len(word) > 5:
            word = word[: -len(ending)] + verb
    return word.removesuffix("e") if len(word) > 4 else word


def _initials(source: Reading) -> dict[str, Term]:
    """Abbreviations that the source's words make: "PTO" of "paid time off"."""
    words = [low for low in source.lows if low[:1].isalpha()]
    by_word = {term.word: term for term in source.terms}
    made: dict[str, Term] = {}
    for length in (2, 3, 4, 5):
        for start in range(len(words) - length + 1):
            part = words[start : start + length]
            if (part[0] in by_word and part[-1] in by_word) or part[0] in by_word:
                made.setdefault("".join(w[0] for w in part), by_word[part[0]])
    return made
