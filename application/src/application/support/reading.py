"""A text as the support check reads it: its terms with their polarity, its values, its clauses."""

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from application.language import normalized, script_language, stem, words_of
from application.numerals import spelled_out
from application.stopwords import STOPWORDS
from application.support.lexicon import CUES, IRREGULAR, VERBS
from application.support.quantities import ORDINALS, TOKEN, Value
from application.support.values import SUFFIX, Token, find
from application.support.writing import (
    AUXILIARIES,
    CJK_UNITS,
    CONTRACTIONS,
    CONTRASTS,
    DETERMINERS,
    ELISION,
    ELLIPSIS,
    ENDS,
    MEANINGFUL,
    MODALS,
    NEGATES,
    NEITHER,
    NOUN_ENDINGS,
    OPENERS,
    PRONOUNS,
    RELATIVES,
    REWRITES,
    SPLITS,
    THOUSANDS,
    digits_of,
)


@dataclass(frozen=True, slots=True)
class Term:
    """A word that carries meaning, where it stands."""

    word: str
    stem: str
    place: int
    clause: int
    segment: int
    negated: bool = False
    name: bool = False  # a proper name or a code in capitals
    verb: bool = False
    soft: bool = False  # negated by a word that says so of its whole clause, such as "forbidden"


@dataclass(frozen=True, slots=True)
class Relation:
    """What "before", "after" or "than" sets in order: the terms on its two sides."""

    kind: str
    left: frozenset[str]
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """All of a text that the check compares."""

    text: str
    language: str
    terms: tuple[Term, ...] = ()
    values: tuple[Value, ...] = ()
    segments: dict[int, int] = field(default_factory=dict)  # of each value's place
    clauses: dict[int, int] = field(default_factory=dict)  # of each value's place
    modals: dict[int, frozenset[str]] = field(default_factory=dict)  # of each clause
    parts: tuple[int, ...] = ()  # of each clause: what stands between two semicolons
    cues: tuple[tuple[str, int, int], ...] = ()  # kind, place, clause
    relations: tuple[Relation, ...] = ()
    words: frozenset[str] = frozenset()
    lows: tuple[str, ...] = ()
    clause_of: tuple[int, ...] = ()  # of each token
    negations: int = 0  # of a text without spaces, by its characters
    spaceless: bool = False

    @property
    def stems(self) -> frozenset[str]:
        """The stems of all terms."""
        return frozenset(term.stem for term in self.terms)

    def clause_at(self, place: int) -> int:
        """The clause of a token."""
        return self.clause_of[place] if place < len(self.clause_of) else 0

    def has(self, *kinds: str) -> bool:
        """Whether a cue of one of these kinds stands in the text."""
        return any(kind in kinds for kind, _, _ in self.cues)


@lru_cache(maxsize=4096)
def read(text: str, language: str) -> Reading:
    """The reading of a text in a language; never raises."""
    text = THOUSANDS.sub(lambda m: m[0].replace(" ", ""), spelled_out(normalized(text)))
    if (script := script_language(text)) and script in {"zh", "ja", "ko", "th"}:
        return _spaceless(text, script)
    for pattern, written in CONTRACTIONS:
        text = pattern.sub(written, text)
    if language == "en":
        if match := ELLIPSIS.match(text):
            text = f"{match['first']}; {match['other']} {match['said']}."
        for pattern, written in REWRITES:
            text = pattern.sub(written, text)
    if language in {"fr", "it"}:
        text = ELISION.sub(r"\1 ", text)
    return _Reader(text, language).reading()


def _spaceless(text: str, language: str) -> Reading:
    stops = {"の", "は", "が", "を", "に", "的", "了", "是"}
    words = [word for word in words_of(text)[0] if word not in stops]
    words = [w for w in words if not w.isdigit()]
    terms = tuple(Term(word, word, place, 0, 0) for place, word in enumerate(words))
    digits = re.sub(r"(?<=\d)(?=[^\x00-\x7f])|(?<=[^\x00-\x7f])(?=\d)", " ", digits_of(text))
    for written, unit in CJK_UNITS.items():
        digits = re.sub(rf"(?<=\d)\s+(?:{written})", f" {unit} ", digits)
    values = [replace(value, counted="") for value in find(_tokens(digits), language)[0]]
    zero = {value.place: 0 for value in values}
    negations = len(NEITHER.findall(text))
    return Reading(text, language, terms, tuple(values), zero, zero, negations=negations,
                   spaceless=True, words=frozenset(words))  # fmt: skip


def _tokens(text: str) -> list[Token]:
    tokens, last = [], 0
    for match in TOKEN.finditer(text):
        tokens.append(Token(match[0], str(match.lastgroup), match.start() > last))
        last = match.end()
    return tokens


class _Reader:
    def __init__(self, text: str, language: str) -> None:
        self.text, self.language = text, language
        self.tokens = _tokens(text)
        self.values, self.used = find(self.tokens, language)
        self.places = {p for value in self.values for p in range(value.place, value.end + 1)}
        implied = {p for v in self.values if v.implied for p in range(v.place, v.end + 1)}
        self.used -= {p for p in implied if self.tokens[p].kind == "word"} & implied
        self.cues = CUES["en"] | CUES.get(language, {})
        if language not in ("en",):
            self.cues = CUES.get(language, CUES["en"])
        self.stop = STOPWORDS.get(language, STOPWORDS["en"])
        if language == "en":
            self.stop = self.stop - MEANINGFUL
        self.clause_of: list[int] = []
        self.segment_of: list[int] = []
        self.part_of: list[int] = []
        self.soft: set[int] = set()

    def low(self, place: int) -> str:
        return self.tokens[place].low if 0 <= place < len(self.tokens) else ""

    def reading(self) -> Reading:
        found = self.found_cues()
        self.divide(found)
        negated = self.negated(found)
        terms = self.terms(found, negated)
        cues = tuple((kind, place, self.clause_of[place]) for kind, place, _ in found)
        lows = tuple(token.low for token in self.tokens)
        return Reading(
            self.text,
            self.language,
            tuple(terms),
            tuple(self.values),
            {v.place: self.segment_of[v.place] for v in self.values},
            {v.place: self.clause_of[v.place] for v in self.values},
            self.modals(found),
            tuple(self.part_of),
            cues,
            tuple(self.relations(found, terms)),
            frozenset(lows),
            lows,
            tuple(self.clause_of),
            negations=len(NEITHER.findall(self.text)) if not self.text.isascii() else 0,
        )

    def found_cues(self) -> list[tuple[str, int, int]]:
        """The cues in order: kind, place and the place behind."""
        found, place = [], 0
        while place < len(self.tokens):
            length = next(
                (
                    n
                    for n in (4, 3, 2, 1)
                    if place + n <= len(self.tokens)
                    and " ".join(self.low(p) for p in range(place, place + n)) in self.cues
                    and not self.used & set(range(place, place + n))
                ),
                0,
            )
            if length:
                kind = self.cues[" ".join(self.low(p) for p in range(place, place + length))]
                capital_may = self.tokens[place].text == "May" and place > 0
                every = kind == "all" and any(p in self.places for p in (place + 1, place + 2))
                if kind and not capital_may and not every:
                    found.append((kind, place, place + length))
            place += length or 1
        return found

    def divide(self, found: list[tuple[str, int, int]]) -> None:
        """Numbers the clause and the segment of each token."""
        relations = {place for kind, place, _ in found if kind in ("before", "after", "unless")}
        excepting = {
            p
            for kind, start, end in found
            if kind in ("except", "only", "unless")
            for p in range(start + (kind == "unless"), end)
        }
        clause = segment = part = 0
        for place, token in enumerate(self.tokens):
            low = token.low
            if token.kind == "mark" and low in ENDS:
                clause, segment, part = clause + 1, segment + 1, part + 1
            elif low in RELATIVES:
                clause += 1
            elif (
                (low in OPENERS and place not in excepting)
                or place in relations
                or (low == "," and self.is_clause(place + 1))
            ):
                clause, segment = clause + 1, segment + 1
                part += low in CONTRASTS
            elif low in {"and", "or"} and self.is_clause(place + 1, near=1):
                clause, segment = clause + 1, segment + 1
            elif low in SPLITS:
                segment += 1
            self.part_of += [part] * (clause + 1 - len(self.part_of))
            self.clause_of.append(clause)
            self.segment_of.append(segment)

    def is_clause(self, place: int, near: int = 4) -> bool:
        """Whether a clause of its own begins at `place`: a subject and a verb are near."""
        for p in range(place, min(place + near, len(self.tokens))):
            if self.tokens[p].kind == "mark":
                return False
            if self.low(p) in AUXILIARIES or (p == place and self.low(p) in PRONOUNS):
                return True
            if self.low(p) in {"and", "or"}:
                return False
        return False

    def negated(self, found: list[tuple[str, int, int]]) -> set[int]:
        """The places whose meaning is turned round: an odd number of negations covers them."""
        turned: dict[int, int] = {}
        needs = {self.clause_of[place] for kind, place, _ in found if kind in ("need", "optional")}
        for kind, place, end in found:
            if kind not in NEGATES:
                continue
            clause = self.clause_of[place]
            here = [p for p in range(len(self.tokens)) if self.clause_of[p] == clause]
            if kind in ("forbidden", "unable") or (self.language != "en" and kind == "neg"):
                scope = here
            elif kind in ("without", "except"):
                scope = self.phrase(end)
            else:
                scope = [p for p in here if p >= end]
                if kind == "neg" and self.low(place) == "no":
                    scope = scope or [p for p in here if p < place]
            if kind == "neg" and clause in needs and self.optional(found, place, clause):
                continue
            if kind == "neg" and self.language != "en" and turned.get(-clause - 1):
                continue  # "ne … pas" is one negation
            turned[-clause - 1] = 1 if kind == "neg" else turned.get(-clause - 1, 0)
            permits = any(k in ("may", "should") and end <= p <= end + 2 and c - p == 1 and
                          self.low(p) not in {"may", "might", "could", "should", "ought"}
                          for k, p, c in found)  # fmt: skip
            if kind == "neg" and permits:
                scope = here
            if kind in ("forbidden", "unable") or (kind == "neg" and permits):
                self.soft.update(scope)
            for p in scope:
                turned[p] = turned.get(p, 0) + 1
        return {p for p, count in turned.items() if p >= 0 and count % 2}

    def phrase(self, start: int) -> list[int]:
        """The places of a noun phrase: "without a jacket or a hat" ends before the next verb."""
        places: list[int] = []
        relative = entered = False
        for p in range(start, min(start + 8, len(self.tokens))):
            low = self.low(p)
            relative = relative or low in RELATIVES or low == "that"
            entered = entered or relative
            if (low in AUXILIARIES and not relative) or (
                self.tokens[p].kind == "mark" and low != "-"
            ):
                break
            if places and self.clause_of[p] != self.clause_of[places[0]] and not entered:
                break
            relative = relative and low not in AUXILIARIES
            places.append(p)
        return places

    def optional(self, found: list[tuple[str, int, int]], place: int, clause: int) -> bool:
        """Whether a negation denies a need: "is not required", "no key is needed"."""
        needs = [
            p
            for kind, p, _ in found
            if kind in ("need", "optional") and self.clause_of[p] == clause
        ]
        return any(p > place or p == place - 1 for p in needs) or (
            self.language == "de" and any(self.low(p) not in {"pflicht"} for p in needs)
        )

    def modals(self, found: list[tuple[str, int, int]]) -> dict[int, frozenset[str]]:
        """What each clause allows or demands: may, can, must, should, optional, forbidden."""
        modals: dict[int, set[str]] = {}
        for kind, place, _ in found:
            clause = self.clause_of[place]
            negations = [p for k, p, _ in found if k == "neg" and self.clause_of[p] == clause]
            if kind not in MODALS:
                continue
            said = {"need": "must", "unable": "forbidden"}.get(kind, kind)
            if negations and kind == "need" and self.optional(found, negations[0], clause):
                said = "optional"
            elif negations and kind in ("may", "can", "must", "need"):
                said = "forbidden"
            elif negations and kind == "forbidden":
                said = "may"
            elif negations and kind == "optional":
                said = "must"
            elif negations and kind == "should":
                said = "should not"
            modals.setdefault(clause, set()).add(said)
        return {clause: frozenset(kinds) for clause, kinds in modals.items()}

    def terms(self, found: list[tuple[str, int, int]], negated: set[int]) -> list[Term]:
        cued = {p for _, place, end in found for p in range(place, end)}
        terms = []
        start = True  # of a sentence: its capital letter says nothing
        for place, token in enumerate(self.tokens):
            if token.kind == "mark" and token.low in {".", "!", "?", ":", "|"}:
                start = True
                continue
            low = token.low
            if token.kind == "number" and SUFFIX.fullmatch(self.low(place + 1)):
                number = int(low) if low.isdigit() else 0
                low = next((word for word, n in ORDINALS.items() if n == number), low)
            elif token.kind != "word" or place in self.used or place in cued:
                start = False if token.kind == "word" else start
                continue
            if low in self.stop or (len(low) == 1 and low.isascii()) or SUFFIX.fullmatch(low):
                start = False
                continue
            capital = token.text[0].isupper() and (not start or token.text.isupper())
            name = capital and (self.language != "de" or token.text.isupper()) and len(low) > 1
            root = stem(IRREGULAR.get(low, low) if self.language == "en" else low, self.language)
            after_name = self.tokens[place - 1].text[:1].isupper() if place else False
            inflected = low.endswith(("s", "ed")) and self.low(place + 1) in DETERMINERS
            verb = (root in VERBS and self.is_verb(place)) or (
                after_name and inflected and not capital
            )
            terms.append(
                Term(low, root, place, self.clause_of[place], self.segment_of[place],
                     place in negated, name, verb, place in self.soft)
            )  # fmt: skip
            start = False
        return self.with_verbs(terms)

    def with_verbs(self, terms: list[Term]) -> list[Term]:
        """Marks what looks like the verb of a clause in which no word is known to be one."""
        known = {t.clause for t in terms if t.verb}
        known |= {self.clause_of[p] for p in range(len(self.tokens)) if self.low(p) in AUXILIARIES}
        for index, term in enumerate(terms):
            if not index or term.clause in known or self.language != "en":
                continue
            shape = term.word.endswith(("s", "ed")) and not term.word.endswith("ss")
            following = self.low(term.place + 1)
            behind = following in DETERMINERS or term.place + 1 in self.places
            if shape and behind and self.low(term.place - 1) not in DETERMINERS and not term.name:
                terms[index] = replace(term, verb=True)
                known.add(term.clause)
        return terms

    def is_verb(self, place: int) -> bool:
        """Whether a word that may be a verb stands as one."""
        before = self.low(place - 1)
        if self.low(place).endswith(NOUN_ENDINGS):
            return False
        return not (before in DETERMINERS and before != "to" and not self.low(place).endswith("ed"))

    def phrase_end(self, start: int) -> int:
        """Where the noun phrase ends that opens a sentence: "before the handover the builder"."""
        for p in range(start + 2, len(self.tokens)):
            if self.low(p) in {"the", "a", "an", "all", "every", "each", *PRONOUNS}:
                return (
                    p if self.low(p - 1) not in {"of", "in", "to", "by", "for", "with"} else p + 9
                )
            if self.low(p) in AUXILIARIES or self.tokens[p].kind == "mark":
                break
        return len(self.tokens)

    def relations(self, found: list[tuple[str, int, int]], terms: list[Term]) -> list[Relation]:
        relations = []
        for kind, place, end in found:
            if kind not in ("before", "after", "than"):
                continue
            clause = self.clause_of[place]
            marked = [(t.stem, t.place, t.clause) for t in terms]
            marked += [(v.mark, v.place, self.clause_of[v.place]) for v in self.values]
            stop = self.phrase_end(end) if place == 0 else len(self.tokens)
            right = {mark for mark, p, at in marked if end <= p < stop and at == clause}
            others = {clause - 1, clause} if right else {clause}
            if place == 0 or self.low(place - 1) in {".", ",", ";"}:
                others |= {clause + 1}
            left = {mark for mark, _, at in marked if at in others and mark not in right}
            if left and right:
                relations.append(Relation(kind, frozenset(left), frozenset(right)))
        return relations
