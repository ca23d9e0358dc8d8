"""Compares a statement with one source: does it say the same, something else, or the opposite?"""

from dataclasses import dataclass

from application.support.lexicon import LIGHT
from application.support.meaning_checks import MeaningChecks
from application.support.order_checks import OrderChecks
from application.support.pairing import ABSENT, CLOSE, VALUE_WEIGHT, Claim, Reason, subject_of
from application.support.part_checks import PartChecks
from application.support.reading import (
    Reading,
)
from application.support.value_checks import ValueChecks

LEAST_OWN = 0.6  # of a statement's own words, values counting double
LEAST_ALL = 0.4  # of all its words
LEAST_REPEATED = 0.75  # where it only says what the question says


@dataclass(frozen=True, slots=True)
class Comparison:
    """How close a source is to a claim, and what is different."""

    closeness: float  # share of the claim's words and values that the source has
    reasons: frozenset[Reason]

    @property
    def supports(self) -> bool:
        """Whether nothing is different."""
        return not self.reasons

    @property
    def contradicts(self) -> bool:
        """Whether the source speaks of the same and says something else."""
        return (
            bool(self.reasons - ABSENT)
            and self.closeness >= CLOSE
            and not (self.reasons & {Reason.NAME, Reason.SUBJECT})
        )


def compare(claim: Claim, source: Reading, key: frozenset[str] = frozenset()) -> Comparison:
    """The comparison of a claim with a source; `key`: the stems of a table row's first cell."""
    return _Comparer(claim, source, key).comparison()


class _Comparer(ValueChecks, MeaningChecks, OrderChecks, PartChecks):
    def comparison(self) -> Comparison:
        if self.source.spaceless or self.said.spaceless:
            self.by_characters()
        else:
            self.by_values()
            self.by_words()
            self.by_polarity()
            self.by_modals()
            self.by_scope()
            self.by_order()
            self.by_roles()
            self.by_opposites()
            self.by_sequence()
            self.by_names()
            self.by_parts()
            self.by_pairs()
        return Comparison(self.closeness, frozenset(self.reasons))

    def by_words(self) -> None:
        asked = self.asked.stems
        own = [p for p in self.pairs if p[0].stem not in asked]
        own = [p for p in own if p[0].stem not in LIGHT] or [p for p in own if p[1]]
        own = [] if self.claim.confirms else own
        values = [] if self.claim.confirms else self.said.values
        weight = VALUE_WEIGHT * len(self.matched)
        if own or values:
            total = len(own) + VALUE_WEIGHT * len(values)
            if sum(bool(found) for _, found in own) + weight < LEAST_OWN * total:
                self.reasons.add(Reason.COVERAGE)
            if not self.claim.fragment and self.closeness < LEAST_ALL:
                self.reasons.add(Reason.COVERAGE)
        elif self.claim.fragment and not self.claim.confirms:
            self.reasons.add(Reason.COVERAGE)
        else:
            total, found = len(self.pairs), sum(bool(found) for _, found in self.pairs)
            least = 0.5 if self.claim.confirms else LEAST_REPEATED
            if not total or found < least * total:
                self.reasons.add(Reason.COVERAGE)
        if self.claim.fragment and self.asked.terms and not any(f for _, f in self.asked_pairs):
            self.reasons.add(Reason.COVERAGE)
        for segment in {term.segment for term, _ in own}:
            there = [found for term, found in self.pairs if term.segment == segment]
            valued = any(self.said.segments[v.place] == segment for v in self.said.values)
            if len(there) > 1 and not any(there) and not valued:
                self.reasons.add(Reason.COVERAGE)
        if any(not found and term.name for term, found in own):
            self.reasons.add(Reason.NAME)
        said = self.said.stems
        if any(not found and self.alignment.rival(term, said) for term, found in self.pairs):
            self.reasons.add(Reason.RIVAL)
        self.by_subject(asked)
        self.by_key()

    def by_subject(self, asked: frozenset[str]) -> None:
        """A statement about one thing has no support from a source about another."""
        if self.claim.fragment or self.claim.confirms:
            return
        subject = subject_of(self.said)
        others = subject_of(self.source)
        if not subject or not others or any(term.stem in asked for term in subject):
            return
        found = {t.stem for term in subject for t, _ in self.alignment.of(term)}
        said = {t.stem for _, pairs in self.pairs for t, _ in pairs}
        if not found and not {term.stem for term in others} & said:
            self.reasons.add(Reason.SUBJECT)

    def by_key(self) -> None:
        """A row of a table is about its first cell."""
        if not self.key:
            return
        pairs = self.pairs + self.asked_pairs
        found = {t.stem for _, pairs_ in pairs for t, _ in pairs_}
        if found & self.key:
            return
        missing = [term for term, found_ in pairs if not found_ and not term.verb]
        if missing and found and not self.claim.confirms:
            self.reasons.add(Reason.SUBJECT)

    def by_characters(self) -> None:
        known = self.source.words | set(self.source.lows)
        own = [t.word for t in self.said.terms if t.word not in self.asked.words]
        text = "".join(self.source.text.split())
        share = sum(w in known or w in text for w in own) / len(own) if own else 1.0
        if not own and not self.said.values:
            self.reasons.add(Reason.COVERAGE)
        if share < LEAST_ALL:
            self.reasons.add(Reason.COVERAGE)
        self.pairs = [
            (t, [(t, False)] if t.word in known or t.word in text else []) for t in self.said.terms
        ]
        self.by_values()
        self.reasons.discard(Reason.BINDING)
        if self.said.negations % 2 != self.source.negations % 2 and not self.claim.fragment:
            self.reasons.add(Reason.POLARITY)
