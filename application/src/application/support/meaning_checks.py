# ruff: noqa: SIM102 - each condition has a line of its own
"""Is a statement turned round: denied, allowed, demanded, restricted?"""

from application.support.lexicon import CUES
from application.support.pairing import Pairing, Reason
from application.support.quantities import ORDINALS
from application.support.reading import Reading
from application.support.writing import NEGATES

DIFFERENT = {
    frozenset(pair)
    for pair in (
        ("may", "must"), ("can", "must"), ("may", "should"), ("can", "should"), ("must", "should"),
        ("fact", "may"), ("optional", "must"), ("optional", "forbidden"), ("optional", "should"),
        ("forbidden", "should"), ("forbidden", "should not"), ("should", "should not"),
        ("may", "should not"), ("must", "should not"), ("may", "forbidden"), ("can", "forbidden"),
    )
}  # fmt: skip
DENIED = {"may": "forbidden", "can": "forbidden", "must": "optional", "forbidden": "may"}


class MeaningChecks(Pairing):
    """What compares negation, modals and scope."""

    def by_polarity(self) -> None:
        """Does one deny what the other says?"""
        pairs = list(self.pairs)
        if self.claim.fragment and not self.claim.confirms:
            own = [] if self.asked.has("neg", "without", "except", "forbidden") else pairs
            pairs = own + self.asked_pairs
        if self.claim.confirms:
            self.by_answer()
            return
        if self.is_condition():
            return
        if self.source.language not in CUES:
            if self.said.negations % 2 != self.source.negations % 2 and not self.claim.fragment:
                self.reasons.add(Reason.POLARITY)
            return
        agreed = turned = False
        best = self.near_clauses(share=1.0)
        near, no = self.near_clauses(), ("neg", "forbidden", "unable")
        denied = self.said.has(*no) and any(k in no and c in near for k, _, c in self.source.cues)
        compared = any(r.kind == "than" for r in self.said.relations + self.source.relations)
        for term, found in pairs:
            here = [(t, opposite) for t, opposite in found if t.clause in best] or found
            flags = {t.negated ^ opposite for t, opposite in here}
            if not flags:
                continue
            if any(opposite for _, opposite in found):
                if term.negated in flags:
                    agreed = True
                elif not compared:
                    self.reasons.add(Reason.OPPOSITE)
                continue
            soft = term.soft or any(t.soft for t, _ in found)
            if (term.negated and True in flags) or (soft and denied and term.negated not in flags):
                agreed = True
            elif term.negated not in flags:
                turned = True
        denying = [found for term, found in self.pairs if term.negated]
        if turned and not agreed and denied and denying and not any(denying):
            return  # both deny, in other words
        if turned and not agreed and denied and self.one_denial(self.said, set(self.said.parts)):
            if self.one_denial(self.source, best):
                return  # "the offer includes no gas" and "gas is not part of the offer"
        if turned and not agreed:
            self.reasons.add(Reason.POLARITY)
        elif not agreed and not turned and not self.claim.fragment:
            mine, theirs = self.said.has("neg", "forbidden"), self.source.has("neg", "forbidden")
            optional = any("optional" in m for m in self.source.modals.values())
            if (
                mine
                and not theirs
                and not optional
                and not self.source.has("without", "except", "unless", "only")
            ) and not any(opposite for _, found in pairs for _, opposite in found):
                self.reasons.add(Reason.POLARITY)

    @staticmethod
    def one_denial(reading: Reading, clauses: set[int]) -> bool:
        """Whether a clause is denied as a whole: one "not" that contrasts nothing."""
        denials = [p for kind, p, c in reading.cues if kind in NEGATES and c in clauses]
        contrast = {"and", "or", "but", ","}
        return len(denials) == 1 and reading.lows[max(0, denials[0] - 1)] not in contrast

    def by_answer(self) -> None:
        """A yes or no: does the source deny what the question asks?"""
        near = self.near_clauses()
        flags = [t.negated ^ opposite ^ term.negated for term, f in self.pairs for t, opposite in f]
        cued = any(
            k in ("neg", "forbidden", "unable") and c in near for k, _, c in self.source.cues
        )
        asked = self.said.has("neg", "forbidden")
        opposed = any(opposite for _, found in self.pairs for _, opposite in found)
        denied = any(flags) if flags and (opposed or not cued) else cued != asked
        if denied != self.claim.denies:
            self.reasons.add(Reason.POLARITY)

    def is_condition(self) -> bool:
        """Whether one says "only with X" or "X first" and the other "not without X"."""

        def conditional(reading: Reading, *kinds: str) -> bool:
            return reading.has("neg", "forbidden") and reading.has(*kinds)

        def demanding(reading: Reading, *kinds: str) -> bool:
            return reading.has("only", "must", "need", *kinds) and not reading.has(
                "neg", "forbidden"
            )

        def fits(one: Reading, other: Reading) -> bool:
            return (
                conditional(one, "without", "unless", "except")
                and demanding(other, "before", "after")
            ) or (conditional(one, "before") and demanding(other, "after"))

        return fits(self.said, self.source) or fits(self.source, self.said)

    def by_modals(self) -> None:
        """Does one allow what the other demands?"""
        if (self.claim.fragment and not self.claim.confirms) or self.is_condition():
            return
        mine = set().union(*self.said.modals.values()) or {"fact"}
        if self.claim.denies:
            mine = {DENIED.get(kind, kind) for kind in mine}
        near = self.near_clauses()
        found = [self.source.modals.get(clause, frozenset({"fact"})) for clause in near]
        theirs = set().union(*found) or {"fact"}
        if self.source.has("only") or self.said.has("only"):
            mine, theirs = mine - {"fact"}, theirs - {"fact"}
        turned = any(opposite for _, pairs in self.pairs for _, opposite in pairs)
        limited = any(v.limit == "<=" for v in self.said.values) or self.key

        def different(one: str, other: str) -> bool:
            if {one, other} & {"forbidden"} and turned:
                return False
            if {one, other} == {"fact", "may"} and limited:
                return False  # "the highest dose is" is what one may take
            return frozenset({one, other}) in DIFFERENT

        if (
            mine
            and theirs
            and (
                any(all(different(m, t) for t in theirs) for m in mine)
                or (
                    theirs != {"fact"}
                    and all(all(different(m, t) for m in mine) for t in theirs - {"fact"})
                )
            )
        ):
            self.reasons.add(Reason.MODALITY)

    def by_scope(self) -> None:
        """Is one restricted to some, or except some, and the other not?"""
        mine, theirs = self.said, self.source
        near = self.near_clauses()
        parts = theirs.parts
        beside = near | {c + 1 for c in near if c + 1 < len(parts) and parts[c] == parts[c + 1]}

        def near_has(*kinds: str) -> bool:
            return any(
                kind in kinds and clause in (near if kind == "only" else beside)
                for kind, _, clause in theirs.cues
            )

        marks = ("only", "except", "unless")
        restricted = mine.has(*marks, "without") or (mine.has("neg") and mine.has("before"))
        if mine.has("only") and not theirs.has(*marks):
            if not (theirs.has("neg", "forbidden") and theirs.has("without", "before")):
                self.reasons.add(Reason.SCOPE)
        if mine.has("except", "unless") and not theirs.has(*marks, "without", "neg"):
            self.reasons.add(Reason.SCOPE)
        if not self.claim.fragment and near_has(*marks) and not restricted:
            if not self.excepted():
                self.reasons.add(Reason.SCOPE)
        quantities = ("all", "some", "most", "few")
        said = {kind for kind, _, _ in mine.cues if kind in quantities}
        known = {kind for kind, _, clause in theirs.cues if kind in quantities and clause in near}
        if said and known and not said <= known and not said <= {"some"}:
            self.reasons.add(Reason.QUANTITY)
        if _every_nth(theirs) and mine.has("all") and not _every_nth(mine):
            self.reasons.add(Reason.QUANTITY)
        if said & {"most", "few"} and not known:
            self.reasons.add(Reason.QUANTITY)
        if known & {"most", "few", "some"} and "any" in {k for k, _, _ in mine.cues}:
            self.reasons.add(Reason.QUANTITY)

    def excepted(self) -> bool:
        """Whether the statement is about the exception itself, and says that it is one."""
        negated = {t.stem for t in self.source.terms if t.negated}
        found = {t.stem for _, pairs in self.pairs for t, _ in pairs}
        return bool(negated & found) and self.said.has("neg", "forbidden", "without", "only")


def _every_nth(reading: Reading) -> bool:
    """Whether only some of a row are meant: "every second bill"."""
    return any(
        one in {"every", "each"} and other in {*ORDINALS, "other"}
        for one, other in zip(reading.lows, reading.lows[1:], strict=False)
    )
