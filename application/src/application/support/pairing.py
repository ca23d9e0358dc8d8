"""A claim beside a source: the words of each that mean the same."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from application.support.alignment import Alignment
from application.support.lexicon import LIGHT
from application.support.quantities import Value
from application.support.reading import Reading, Term
from application.support.writing import AUXILIARIES, PRONOUNS

CLOSE = 0.5  # from this share on, a difference is a contradiction
VALUE_WEIGHT = 2


class Reason(Enum):
    """Why a source does not support a statement."""

    COVERAGE = "coverage"
    NAME = "name"
    VALUE = "value"
    BINDING = "binding"
    LIMIT = "limit"
    POLARITY = "polarity"
    OPPOSITE = "opposite"
    RIVAL = "rival"
    MODALITY = "modality"
    SCOPE = "scope"
    QUANTITY = "quantity"
    ORDER = "order"
    ROLES = "roles"
    SUBJECT = "subject"


ABSENT = {Reason.COVERAGE, Reason.NAME, Reason.BINDING, Reason.SUBJECT}


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement and the question that it answers, as readings."""

    statement: Reading
    question: Reading
    fragment: bool = False  # a short answer, which takes its verb from the question
    confirms: bool = False  # "Yes" or "No": the statement is the question's own
    denies: bool = False  # it is a "No"


class Pairing:
    """The pairs of words, the values found so far, and the reasons against support."""

    def __init__(self, claim: Claim, source: Reading, key: frozenset[str]) -> None:
        self.claim, self.source, self.key = claim, source, key
        self.said, self.asked = claim.statement, claim.question
        self.alignment = Alignment(source)
        self.pairs = [(term, self.alignment.of(term)) for term in self.said.terms]
        self.asked_pairs = [(term, self.alignment.of(term)) for term in self.asked.terms]
        self.reasons: set[Reason] = set()
        self.matched: dict[int, list[Value]] = {}
        self.verbs = Counter(term.segment for term in source.terms if term.verb)

    @property
    def closeness(self) -> float:
        """The share of the claim's words and values that the source has."""
        pairs = self.pairs + (self.asked_pairs if self.claim.fragment else [])
        pairs = [pair for pair in pairs if pair[1] or pair[0].stem not in LIGHT]
        total = len(pairs) + VALUE_WEIGHT * len(self.said.values)
        found = sum(bool(found) for _, found in pairs) + VALUE_WEIGHT * len(self.matched)
        if self.claim.fragment and self.said.values and not self.matched:
            found += VALUE_WEIGHT * len(self.said.values)  # the question alone says what is meant
        return found / total if total else 0.0

    def near_clauses(self, share: float = 0.5) -> set[int]:
        """The clauses of the source that hold most of the statement's words."""
        counts: dict[int, int] = {}
        pairs = self.pairs + (self.asked_pairs if self.claim.fragment else [])
        for _, found in pairs:
            for clause in {t.clause for t, _ in found}:
                counts[clause] = counts.get(clause, 0) + 1
        for values in self.matched.values():
            for value in values:
                clause = self.source.clauses[value.place]
                counts[clause] = counts.get(clause, 0) + 1
        most = max(counts.values(), default=0)
        return {clause for clause, count in counts.items() if count >= share * most}

    def beside(self, segment: int, verbs: bool = False) -> set[str]:
        """The stems of a segment, with the subject that it takes from the one before."""
        terms = [t for t in self.source.terms if t.segment == segment]
        stems = {t.stem for t in terms if verbs or not t.verb}
        stems |= {v.mark for v in self.source.values if self.source.segments[v.place] == segment}
        values = [v.place for v in self.source.values if self.source.segments[v.place] == segment]
        verb = next((t.place for t in terms if t.verb), None)
        first = min([*values, *([verb] if verb is not None else [])], default=0)
        before = [t for t in terms if t.place < first]
        if segment and not before and first and not self.key:
            earlier = [t for t in self.source.terms if t.segment == segment - 1]
            end = next((t.place for t in earlier if t.verb), None)
            auxiliary = [p for p, low in enumerate(self.source.lows) if low in AUXILIARIES]
            ends = [p for p in [*auxiliary, *([end] if end is not None else [])] if p > 0]
            stems |= {t.stem for t in earlier if not ends or t.place < min(ends)}
        return stems

    def stands_for(self, terms: list[Term]) -> set[str]:
        """The source's stems for some terms of the statement."""
        found = {t.stem for term in terms for t, _ in self.alignment.of(term)}
        return found | {term.stem for term in terms if term.stem.startswith(" ")}


def stems_of(terms: Iterable[Term]) -> set[str]:
    """The stems of some terms."""
    return {term.stem for term in terms}


def subject_of(reading: Reading) -> list[Term]:
    """The terms before the first verb."""
    verbs = [t.place for t in reading.terms if t.verb]
    verbs += [p for p, low in enumerate(reading.lows) if low in AUXILIARIES]
    first = min(verbs, default=0)
    if any(low in PRONOUNS for low in reading.lows[:first]):
        return []
    return [term for term in reading.terms if term.place < first]
