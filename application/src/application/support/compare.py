"""Compares a statement with one source: does it say the same, something else, or the opposite?"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from application.support.alignment import Alignment
from application.support.lexicon import LIGHT, OPPOSITE, SYNONYMS
from application.support.quantities import Value, unit_of
from application.support.reading import AUXILIARIES, PRONOUNS, Reading, Relation, Term

LEAST_OWN = 0.6  # of a statement's own words, values counting double
LEAST_ALL = 0.4  # of all its words
LEAST_REPEATED = 0.75  # where it only says what the question says
CLOSE = 0.5  # from this share on, a difference is a contradiction
VALUE_WEIGHT = 2
STRICT = {">", "<"}
SPEAKERS = frozenset({"i", "we", "you"})  # parties whom only a pronoun names

# Pairs of modals that say different things; "fact" is a clause without any.
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
        return bool(self.reasons - ABSENT) and self.closeness >= CLOSE and not (
            self.reasons & {Reason.NAME, Reason.SUBJECT}
        )


def compare(claim: Claim, source: Reading, key: frozenset[str] = frozenset()) -> Comparison:
    """The comparison of a claim with a source; `key` holds the stems of a table row's first cell."""
    return _Comparer(claim, source, key).comparison()


class _Comparer:
    def __init__(self, claim: Claim, source: Reading, key: frozenset[str]) -> None:
        self.claim, self.source, self.key = claim, source, key
        self.said, self.asked = claim.statement, claim.question
        self.alignment = Alignment(source)
        self.pairs = [(term, self.alignment.of(term)) for term in self.said.terms]
        self.asked_pairs = [(term, self.alignment.of(term)) for term in self.asked.terms]
        self.reasons: set[Reason] = set()
        self.matched: dict[int, list[Value]] = {}

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
            self.by_names()
        return Comparison(self.closeness, frozenset(self.reasons))

    @property
    def closeness(self) -> float:
        pairs = self.pairs + (self.asked_pairs if self.claim.fragment else [])
        pairs = [pair for pair in pairs if pair[1] or pair[0].stem not in LIGHT]
        total = len(pairs) + VALUE_WEIGHT * len(self.said.values)
        found = sum(bool(found) for _, found in pairs) + VALUE_WEIGHT * len(self.matched)
        if self.claim.fragment and self.said.values and not self.matched:
            found += VALUE_WEIGHT * len(self.said.values)  # the question alone says what is meant
        return found / total if total else 0.0

    # --- words

    def by_words(self) -> None:
        asked = self.asked.stems
        own = [p for p in self.pairs if p[0].stem not in asked and (p[1] or p[0].stem not in LIGHT)]
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
        subject = _subject(self.said)
        others = _subject(self.source)
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

    # --- values

    def by_values(self) -> None:
        for value in self.said.values:
            if value.implied:
                self.matched[value.place] = []
                continue
            value = self.asked_unit(value)
            equal = [other for other in self.source.values if self.equal(value, other)]
            rivals = [other for other in self.source.values if self.rival(value, other)]
            if not equal:
                if not rivals and any(self.equal(value, other) for other in self.asked.values):
                    self.matched[value.place] = []
                    continue
                self.reasons.add(Reason.VALUE)
                continue
            bound = [u for u in equal if self.bound(value, u, rivals)]
            if not bound:
                self.reasons.add(Reason.BINDING)
            fitting = [u for u in bound or equal if self.limit_fits(value, u)]
            if not fitting:
                self.reasons.add(Reason.LIMIT)
            self.matched[value.place] = fitting or bound or equal

    def asked_unit(self, value: Value) -> Value:
        """A plain number as the answer to "how many days": it is a number of days."""
        if not self.claim.fragment or value.kind != "number" or value.raw is None:
            return value
        lows = self.asked.lows
        for first, second, unit in zip(lows, lows[1:], lows[2:], strict=False):
            known = unit_of(unit) if (first, second) in {("how", "many"), ("in", "how")} else None
            if known:
                amount = (value.raw * known[1]).normalize()
                return Value(known[0], amount, value.place, value.limit, end=value.end, raw=value.raw)
        return value

    def equal(self, value: Value, other: Value) -> bool:
        if other.implied and value.kind == "number":
            return False
        if value.kind != other.kind and "number" in (value.kind, other.kind):
            if not value.equals(other):
                return False
            if value.kind == "number":
                return not value.counted or value.counted in self.source.stems
            if other.kind == "number" and value.kind != "date":
                return self.names_unit(value.kind)
            return True
        if not value.equals(other):
            return False
        if value.per and other.per:
            return value.per == other.per
        if value.kind == "number" and value.counted and other.counted:
            return self.same_counted(value, other)
        return not value.per or self.names_unit(*value.per.split())

    def same_counted(self, value: Value, other: Value) -> bool:
        """Whether two plain numbers may count the same things."""
        if value.counted == other.counted:
            return True
        counted = {u.counted for u in self.source.values if u.kind == "number"}
        return value.counted not in counted

    def names_unit(self, kind: str, factor: str = "") -> bool:
        """Whether the source names a unit of this kind somewhere, as a table's header does."""
        for low in (*self.source.lows, *(() if not self.claim.fragment else self.asked.lows)):
            unit = unit_of(low)
            if unit and unit[0] == kind and (not factor or unit[1] == Decimal(factor)):
                return True
        return False

    def rival(self, value: Value, other: Value) -> bool:
        if self.equal(value, other):
            return False
        if value.kind == other.kind == "number":
            return not (value.counted and other.counted) or value.counted == other.counted
        return value.rivals(other)

    def bound(self, value: Value, other: Value, rivals: Iterable[Value]) -> bool:
        """Whether the words beside `value` stand beside `other` too, not beside a rival."""
        context = self.context(value)
        mine = self.beside(other) & context
        for rival in rivals:
            if self.source.segments[rival.place] == self.source.segments[other.place]:
                continue
            theirs = self.beside(rival) & context
            if theirs - mine and not mine - theirs:
                return False
        return True

    def context(self, value: Value) -> set[str]:
        """Stems of the source that stand for what is said of a value, verbs left out."""
        pairs = self.pairs
        if len([v for v in self.said.values if v.kind == value.kind]) > 1:
            segment = self.said.segments.get(value.place)
            pairs = [pair for pair in pairs if pair[0].segment == segment] or pairs
        if self.claim.fragment or not any(found for _, found in pairs):
            pairs = pairs + self.asked_pairs
        return {t.stem for _, found in pairs for t, _ in found if not t.verb}

    def beside(self, value: Value) -> set[str]:
        segment = self.source.segments[value.place]
        return {term.stem for term in self.source.terms if term.segment == segment}

    def limit_fits(self, value: Value, other: Value) -> bool:
        mine, theirs = value.limit, other.limit
        if mine == theirs:
            return True
        short = self.claim.fragment
        if not mine:
            return short or theirs not in STRICT or value.kind in ("date", "clock", "celsius")
        if not theirs:
            return (short or value.kind == "date") and mine in {">=", "<="}
        if mine[0] != theirs[0]:
            return self.turned(value) != self.turned_in_source(other)
        return value.kind in ("date", "clock") or mine == theirs

    def turned(self, value: Value) -> bool:
        clause = self.said.clauses.get(value.place)
        return any(kind == "neg" and at == clause for kind, _, at in self.said.cues)

    def turned_in_source(self, value: Value) -> bool:
        clause = self.source.clauses.get(value.place)
        return any(kind == "neg" and at == clause for kind, _, at in self.source.cues)

    # --- what turns a statement round

    def by_polarity(self) -> None:
        pairs = list(self.pairs)
        if self.claim.fragment and not self.claim.confirms:
            own = [] if self.asked.has("neg", "without", "except", "forbidden") else pairs
            pairs = own + self.asked_pairs
        if self.claim.confirms:
            self.by_answer()
            return
        if self.is_condition():
            return
        agreed = turned = False
        near, no = self.near_clauses(), ("neg", "forbidden", "unable")
        denied = self.said.has(*no) and any(k in no and c in near for k, _, c in self.source.cues)
        compared = any(r.kind == "than" for r in self.said.relations + self.source.relations)
        for term, found in pairs:
            flags = {t.negated ^ opposite for t, opposite in found}
            if not flags:
                continue
            if any(opposite for _, opposite in found):
                if term.negated not in flags and not compared:
                    self.reasons.add(Reason.OPPOSITE)
                continue
            soft = term.soft or any(t.soft for t, _ in found)
            if term.negated and True in flags:
                agreed = True
            elif soft and denied and term.negated not in flags:
                agreed = True
            elif term.negated not in flags:
                turned = True
        if turned and not agreed:
            self.reasons.add(Reason.POLARITY)
        elif not agreed and not turned and not self.claim.fragment:
            mine, theirs = self.said.has("neg", "forbidden"), self.source.has("neg", "forbidden")
            if mine and not theirs and not self.source.has("without", "except", "unless", "only"):
                if not any(opposite for _, found in pairs for _, opposite in found):
                    self.reasons.add(Reason.POLARITY)

    def by_answer(self) -> None:
        """A yes or no: does the source deny what the question asks?"""
        near = self.near_clauses()
        flags = [t.negated ^ opposite ^ term.negated for term, f in self.pairs for t, opposite in f]
        cued = any(k in ("neg", "forbidden", "unable") and c in near for k, _, c in self.source.cues)
        asked = self.said.has("neg", "forbidden")
        opposed = any(opposite for _, found in self.pairs for _, opposite in found)
        denied = any(flags) if flags and (opposed or not cued) else cued != asked
        if denied != self.claim.denies:
            self.reasons.add(Reason.POLARITY)

    def is_condition(self) -> bool:
        """Whether one says "only with X" or "X first" and the other "not without X"."""

        def conditional(reading: Reading) -> bool:
            return reading.has("neg", "forbidden") and reading.has(
                "without", "unless", "except", "before"
            )

        def demanding(reading: Reading) -> bool:
            asked = reading.has("only", "must", "need", "before", "after")
            return asked and not reading.has("neg", "forbidden")

        one, other = self.said, self.source
        return (conditional(one) and demanding(other)) or (conditional(other) and demanding(one))

    def near_clauses(self) -> set[int]:
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
        return {clause for clause, count in counts.items() if count >= 0.5 * most}

    def by_modals(self) -> None:
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

        def different(one: str, other: str) -> bool:
            if {one, other} & {"forbidden"} and turned:
                return False
            return frozenset({one, other}) in DIFFERENT

        if mine and theirs:
            if any(all(different(m, t) for t in theirs) for m in mine) or (
                theirs != {"fact"}
                and all(all(different(m, t) for m in mine) for t in theirs - {"fact"})
            ):
                self.reasons.add(Reason.MODALITY)

    def by_scope(self) -> None:
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
        if said & {"most", "few"} and not known:
            self.reasons.add(Reason.QUANTITY)
        if known & {"most", "few", "some"} and "any" in {k for k, _, _ in mine.cues}:
            self.reasons.add(Reason.QUANTITY)

    def excepted(self) -> bool:
        """Whether the statement is about the exception itself, and says that it is one."""
        negated = {t.stem for t in self.source.terms if t.negated}
        found = {t.stem for _, pairs in self.pairs for t, _ in pairs}
        return bool(negated & found) and self.said.has("neg", "forbidden", "without", "only")

    def by_order(self) -> None:
        said = [*self.said.relations, *_ways(self.said)]
        known = [*self.source.relations, *_ways(self.source)]
        stands = {
            term.stem: {t.stem for t, _ in found} | {term.stem} for term, found in self.pairs
        }
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
        if self.claim.fragment:
            return
        known = _frames(self.source)
        for verb, doers, done in _frames(self.said):
            same = [f for f in known if f[0] == verb or verb in SYNONYMS.get(f[0], ())]
            agents, patients = self.stands_for(doers), self.stands_for(done)
            if not same or not agents:
                continue
            if any(patients & _stems(objects) for _, _, objects in same):
                same = [frame for frame in same if patients & _stems(frame[2])]
            anywhere = {stem for _, theirs, _ in known for stem in _stems(theirs)}
            fits = False
            for _, theirs, objects in same:
                them, thing = _stems(theirs), _stems(objects)
                agent_fits = not them or bool(agents & them) or not agents & (thing | anywhere)
                thing_fits = not patients or not thing or bool(patients & thing) or not patients & them
                fits = fits or (agent_fits and thing_fits)
            if not fits:
                self.reasons.add(Reason.ROLES)

    def stands_for(self, terms: list[Term]) -> set[str]:
        found = {t.stem for term in terms for t, _ in self.alignment.of(term)}
        return found | {term.stem for term in terms if term.place < 0}

    def by_opposites(self) -> None:
        """Two opposites that the source has both must not have changed places."""
        stands = {t.stem: t for t in self.said.terms}
        known = {t.stem: t for t in self.source.terms}
        for one, mine in stands.items():
            for other in OPPOSITE.get(one, set()) & stands.keys() & known.keys():
                if one not in known or one > other:
                    continue
                if self.changed_places(mine, stands[other], known[one], known[other]):
                    self.reasons.add(Reason.ORDER)

    def changed_places(self, one: Term, other: Term, first: Term, second: Term) -> bool:
        if one.clause == other.clause and first.clause == second.clause:
            passive = _passive(self.said) != _passive(self.source)
            return ((one.place < other.place) != (first.place < second.place)) != passive
        mates = [_mates(self.said, t) for t in (one, other)]
        theirs = [_mates(self.source, t) for t in (first, second)]
        straight = len(mates[0] & theirs[0]) + len(mates[1] & theirs[1])
        return len(mates[0] & theirs[1]) + len(mates[1] & theirs[0]) > straight

    def by_names(self) -> None:
        """A name must not take what the source says of another name beside it."""
        pairs = self.pairs + (self.asked_pairs if self.claim.fragment else [])
        said = {t.stem for _, found in pairs for t, _ in found}
        at = {t.stem: t.segment for t in self.source.terms}
        many = {t.stem for t in self.source.terms for u in self.source.terms
                if t.stem == u.stem and t.segment != u.segment}  # fmt: skip
        names = {t.segment for term, found in self.pairs for t, _ in found if t.name or term.name}
        for term, found in pairs:
            for t, _ in found:
                if t.verb or t.stem in many or t.segment in names and not t.name:
                    continue
                others = {u.stem for u in self.source.terms if u.segment == t.segment and u.name}
                mine = {u.stem for x, f in self.pairs for u, _ in f if x.name and at[u.stem] == t.segment}
                if names - {t.segment} and others and not others & said - {t.stem} and not mine - {t.stem}:
                    if len(others - {t.stem}) > 0:
                        self.reasons.add(Reason.BINDING)

    # --- scripts without spaces

    def by_characters(self) -> None:
        known = self.source.words | {low for low in self.source.lows}
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


def _stems(terms: Iterable[Term]) -> set[str]:
    return {term.stem for term in terms}


def _mates(reading: Reading, term: Term) -> set[str]:
    return {t.stem for t in reading.terms if t.clause == term.clause and t.stem != term.stem}


def _passive(reading: Reading) -> bool:
    """Whether somebody is named by "by"; "by doing so" names nobody."""
    return any(
        low == "by" and not following.endswith("ing")
        for low, following in zip(reading.lows, reading.lows[1:], strict=False)
    )


def _subject(reading: Reading) -> list[Term]:
    """The terms before the first verb."""
    verbs = [t.place for t in reading.terms if t.verb]
    verbs += [p for p, low in enumerate(reading.lows) if low in AUXILIARIES]
    first = min(verbs, default=0)
    if any(low in PRONOUNS for low in reading.lows[:first]):
        return []
    return [term for term in reading.terms if term.place < first]


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


def _frames(reading: Reading) -> list[tuple[str, list[Term], list[Term]]]:
    """Each verb with those who do it and those that it is done to."""
    frames = []
    for verb in (term for term in reading.terms if term.verb):
        clause = [t for t in reading.terms if t.clause == verb.clause and t.place != verb.place]
        before = [t for t in clause if t.place < verb.place]
        pronoun = next((low for low in reading.lows[max(0, verb.place - 2) : verb.place] if low in SPEAKERS), "")
        if pronoun:
            before = [Term(pronoun, f" {pronoun}", -1, verb.clause, 0), *before]
        behind = [t for t in clause if t.place > verb.place]
        back = reading.lows[max(0, verb.place - 3) : verb.place]
        passive = any(low in {"is", "are", "was", "were", "be", "been", "being"} for low in back)
        if passive and not verb.word.endswith("ing"):
            by = next((p for p, low in enumerate(reading.lows) if low == "by" and p > verb.place), 0)
            doers = [t for t in behind if by and t.place > by]
            done = before + [t for t in behind if not by or t.place < by]
            frames.append((verb.stem, doers, done))
        else:
            frames.append((verb.stem, before, behind))
    return frames
