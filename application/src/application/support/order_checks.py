"""Does the source say it in this order: who does it, what comes first?"""

from application.support.lexicon import OPPOSITE, SYNONYMS
from application.support.pairing import Pairing, Reason, stems_of
from application.support.reading import Reading, Relation, Term
from application.support.writing import DETERMINERS

PASSIVE = frozenset("is are was were be been being get gets got".split())  # noqa: SIM905
SPEAKERS = frozenset({"i", "we", "you"})  # parties whom only a pronoun names


class OrderChecks(Pairing):
    """What compares order and roles."""

    def by_order(self) -> None:
        """Do "before", "after" and "than" have the same sides?"""
        said = [*self.said.relations, *_ways(self.said)]
        known = [*self.source.relations, *_ways(self.source)]
        stands = {term.stem: {t.stem for t, _ in found} | {term.stem} for term, found in self.pairs}
        stands |= {value.mark: {value.mark} for value in self.said.values}
        flips = sum(any(opposite for _, opposite in found) for _, found in self.pairs)
        for one in said:
            answers = []
            for other in known:
                if (one.kind in ("than", "way")) != (other.kind in ("than", "way")):
                    continue
                left = {s for stem in one.left for s in stands.get(stem, ())}
                right = {s for stem in one.right for s in stands.get(stem, ())}
                straight = len(left & other.left) + len(right & other.right)
                crossed = len(left & other.right) + len(right & other.left)
                if straight == crossed:
                    continue
                even = flips % 2 == 0 if one.kind == "than" else one.kind == other.kind
                answers.append((straight > crossed) == even)
            if answers and not any(answers):
                self.reasons.add(Reason.ORDER)

    def by_roles(self) -> None:
        """Does the same party do it to the other?"""
        if self.claim.fragment or self.source.language != "en":
            return
        known = _frames(self.source)
        for verb, doers, done in _frames(self.said):
            same = [f for f in known if f[0] == verb or verb in SYNONYMS.get(f[0], ())]
            agents, patients = self.stands_for(doers), self.stands_for(done)
            agents, patients = agents - patients, patients - agents
            if not same or not agents:
                continue
            if any(patients & stems_of(objects) for _, _, objects in same):
                same = [frame for frame in same if patients & stems_of(frame[2])]
            anywhere = {stem for _, theirs, _ in known for stem in stems_of(theirs)}
            fits = False
            for _, theirs, objects in same:
                them, thing = stems_of(theirs), stems_of(objects)
                them, thing = them - thing, thing - them
                agent_fits = not them or bool(agents & them) or not agents & (thing | anywhere)
                thing_fits = (
                    not patients or not thing or bool(patients & thing) or not patients & them
                )
                fits = fits or (agent_fits and thing_fits)
            if not fits:
                self.reasons.add(Reason.ROLES)

    def by_opposites(self) -> None:
        """Two opposites that the source has both must not have changed places."""
        if any(r.kind == "than" for r in self.said.relations):
            return  # by_order has compared their sides
        stands = {t.stem: t for t in self.said.terms}
        known = {t.stem: t for t in self.source.terms}
        for one, mine in stands.items():
            for other in OPPOSITE.get(one, set()) & stands.keys() & known.keys():
                if one not in known or one > other:
                    continue
                if self.changed_places(mine, stands[other], known[one], known[other]):
                    self.reasons.add(Reason.ORDER)

    def by_sequence(self) -> None:
        """Three words in the opposite order, with a verb in the middle, have changed roles."""
        order = {t.stem: i for i, t in enumerate(self.source.terms)}
        if self.source.language != "en":
            return
        if len(order) < len(self.source.terms) or _passive(self.said) != _passive(self.source):
            return
        terms = self.said.terms
        for one, verb, other in zip(terms, terms[1:], terms[2:], strict=False):
            places = [order.get(term.stem, -9) for term in (one, verb, other)]
            middle = self.source.terms[places[1]] if places[1] >= 0 else verb
            if places[0] - 1 == places[1] == places[2] + 1 and places[1] >= 0:
                if verb.place and self.said.lows[verb.place - 1] in PASSIVE:
                    continue
                if middle.place and self.source.lows[middle.place - 1] in PASSIVE:
                    continue
                if len({one.clause, verb.clause, other.clause}) == 1 and not any(
                    reading.lows[term.place - 1] in DETERMINERS
                    for reading, term in ((self.said, verb), (self.source, middle))
                ):
                    self.reasons.add(Reason.ROLES)

    def changed_places(self, one: Term, other: Term, first: Term, second: Term) -> bool:
        """Whether two words of a statement stand where the source has the other one."""
        if one.clause == other.clause and first.clause == second.clause:
            passive = _passive(self.said) != _passive(self.source)
            return ((one.place < other.place) != (first.place < second.place)) != passive
        mates = [_mates(self.said, t) for t in (one, other)]
        theirs = [_mates(self.source, t) for t in (first, second)]
        straight = len(mates[0] & theirs[0]) + len(mates[1] & theirs[1])
        return len(mates[0] & theirs[1]) + len(mates[1] & theirs[0]) > straight


def _mates(reading: Reading, term: Term) -> set[str]:
    return {t.stem for t in reading.terms if t.clause == term.clause and t.stem != term.stem}


def _passive(reading: Reading) -> bool:
    """Whether somebody is named by "by"; "by doing so" names nobody."""
    return any(
        low == "by" and not (following.endswith("ing") and behind.isalpha())
        for low, following, behind in zip(
            reading.lows, reading.lows[1:], (*reading.lows[2:], ""), strict=False
        )
    )


def _ways(reading: Reading) -> list[Relation]:
    """What "from A to B" says of words."""
    ways = []
    for place, low in enumerate(reading.lows):
        if low != "from" or "to" not in reading.lows[place + 1 : place + 5]:
            continue
        to = reading.lows.index("to", place + 1)
        left = {t.stem for t in reading.terms if place < t.place < to}
        right = {t.stem for t in reading.terms if to < t.place <= to + 3}
        if left and right:
            ways.append(Relation("way", frozenset(left), frozenset(right)))
    return ways


def _is_first(reading: Reading, verb: Term) -> bool:
    """Whether a verb opens its clause, as in an order."""
    before = reading.lows[verb.place - 1] if verb.place else "."
    return before in {".", ",", ";", ":", "and", "then", "not", "never", "please", "always"}


def _labels(reading: Reading) -> list[Term]:
    """Numbers that name a thing, such as the 2 of "version 2", as terms."""
    nouns = {term.place + 1: term for term in reading.terms if not term.verb}
    return [
        Term(f"{nouns[v.place].word} {v.amount}", f" {nouns[v.place].stem} {v.amount}", v.place,
             nouns[v.place].clause, nouns[v.place].segment)
        for v in reading.values if v.kind == "number" and v.place in nouns
    ]  # fmt: skip


def _frames(reading: Reading) -> list[tuple[str, list[Term], list[Term]]]:
    """Each verb with those who do it and those that it is done to."""
    frames = []
    for verb in (term for term in reading.terms if term.verb):
        terms = [t for t in (*reading.terms, *_labels(reading)) if not t.word.endswith("ly")]
        clause = [t for t in terms if t.clause == verb.clause and t.place != verb.place]
        before = [t for t in clause if t.place < verb.place]
        pronoun = next(
            (low for low in reading.lows[max(0, verb.place - 2) : verb.place] if low in SPEAKERS),
            "",
        )
        if not pronoun and not before and _is_first(reading, verb):
            pronoun = "you"  # an order
        if pronoun:
            before = [Term(pronoun, f" {pronoun}", -1, verb.clause, 0), *before]
        end = next((p for p, low in enumerate(reading.lows) if low == "," and p > verb.place), None)
        behind = [t for t in clause if verb.place < t.place and (end is None or t.place < end)]
        back = reading.lows[max(0, verb.place - 3) : verb.place]
        passive = any(low in PASSIVE for low in back)
        if passive and not verb.word.endswith("ing"):
            by = next(
                (p for p, low in enumerate(reading.lows) if low == "by" and p > verb.place), 0
            )
            doers = [t for t in behind if by and t.place > by]
            done = before + [t for t in behind if not by or t.place < by]
            frames.append((verb.stem, doers, done))
        else:
            frames.append((verb.stem, before, behind))
    return frames
