"""Is what a statement joins said of one thing, or of two that stand side by side?"""

from application.support.lexicon import OPPOSITE, RIVALS
from application.support.pairing import Pairing, Reason, subject_of
from application.support.reading import Reading
from application.support.writing import AUXILIARIES

REFERRING = frozenset("it they this these he she then there er sie es il elle".split())  # noqa: SIM905


class PartChecks(Pairing):
    """What compares the parts of a sentence that say something of different things."""

    def by_pairs(self) -> None:
        """What is said of one of two opposites is not said of the other beside it."""
        pairs = self.pairs + (self.asked_pairs if self.claim.fragment else [])
        said = {t.stem for _, found in pairs for t, _ in found}
        at = {t.stem: t.segment for t in self.source.terms}
        for stem in said & at.keys():
            rivals = OPPOSITE.get(stem, set()) | RIVALS.get(stem, set())
            for rival in (rivals & at.keys()) - said:
                if at[rival] == at[stem]:
                    continue
                here, there = self.beside(at[stem]), self.beside(at[rival])
                if (there - here - {rival}) & said:
                    self.reasons.add(Reason.BINDING)

    def by_parts(self) -> None:
        """What one half of a sentence says of its subject is not said of the other's."""
        known = _parts(self.source)
        if len(_parts(self.said)) > 1 or len(known) < 2 or self.key:
            return
        pairs = self.pairs + (self.asked_pairs if self.claim.fragment else [])
        said = {t.stem for _, found in pairs for t, _ in found if not t.verb}
        said |= {u.mark for values in self.matched.values() for u in values}
        if said and max(len(said & part) for part, _ in known) < len(said):
            self.reasons.add(Reason.BINDING)
            return
        subject = {t.stem for term in subject_of(self.said) for t, _ in self.alignment.of(term)}
        fits = [own for part, own in known if said <= part]
        if subject and fits and all(own and not subject & own for own in fits):
            self.reasons.add(Reason.BINDING)

    def by_names(self) -> None:
        """A name must not take what the source says of another name beside it."""
        pairs = self.pairs + (self.asked_pairs if self.claim.fragment else [])
        said = {t.stem for _, found in pairs for t, _ in found}
        at = {t.stem: t.segment for _, found in pairs for t, _ in found}
        many = {t.stem for t in self.source.terms for u in self.source.terms
                if t.stem == u.stem and t.segment != u.segment}  # fmt: skip
        names = {t.segment for term, found in self.pairs for t, _ in found if t.name or term.name}
        for _term, found in pairs:
            for t, _ in found:
                if t.verb or t.stem in many or (t.segment in names and not t.name):
                    continue
                others = {u.stem for u in self.source.terms if u.segment == t.segment and u.name}
                mine = {
                    u.stem
                    for x, f in self.pairs
                    for u, _ in f
                    if x.name and at[u.stem] == t.segment
                }
                if (
                    names - {t.segment}
                    and others
                    and not others & said - {t.stem}
                    and not mine - {t.stem}
                ) and len(others - {t.stem}) > 0:
                    self.reasons.add(Reason.BINDING)


def _parts(reading: Reading) -> list[tuple[set[str], set[str]]]:
    """The stems and values of each half of a sentence, with those that it takes from before.

    The second set holds the subject of a half that only names its owner: "its lid was lost".
    """
    parts: list[tuple[set[str], set[str]]] = []
    for part in sorted(set(reading.parts)):
        clauses = {clause for clause, at in enumerate(reading.parts) if at == part}
        terms = [t for t in reading.terms if t.clause in clauses]
        own = {t.stem for t in terms}
        own |= {v.mark for v in reading.values if reading.clauses[v.place] in clauses}
        if not own:
            continue
        lows = [low for p, low in enumerate(reading.lows) if reading.clause_at(p) in clauses]
        verbs = [p for p, low in enumerate(lows) if low in AUXILIARIES]
        verbs += [lows.index(t.word) for t in terms if t.verb and t.word in lows]
        whole = bool(verbs) and any(t.word in lows[: min(verbs)] for t in terms)
        refers = any(low in REFERRING for low in lows[:3])
        owned = {t.stem for t in terms if verbs and t.word in lows[: min(verbs)]}
        possessive = bool(owned and {"its", "their"} & set(lows[:3]))
        if parts and (refers or possessive or not whole):
            own |= parts[-1][0]
        elif parts and {"one", "ones"} & set(lows):
            own |= parts[-1][0] - {next((t.stem for t in reading.terms), "")}
        parts.append((own, owned if possessive else set()))
    return parts or [(set(), set())]
