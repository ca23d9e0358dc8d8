"""Do the values of a statement stand in the source, with the same limit and subject?"""

from collections.abc import Iterable
from decimal import Decimal

from application.support.pairing import Pairing, Reason
from application.support.quantities import Value, unit_of

STRICT = {">", "<"}


class ValueChecks(Pairing):
    """What compares values."""

    def by_values(self) -> None:
        """Does the source have each value?"""
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
                return Value(
                    known[0], amount, value.place, value.limit, end=value.end, raw=value.raw
                )
        return value

    def equal(self, value: Value, other: Value) -> bool:
        """Whether a value of the source is the same, with its unit."""
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
        if not value.per or value.per in self.source.stems or value.per in self.source.words:
            return True
        return self.names_unit(*value.per.split())

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
        """Whether a value of the source is of the same kind, and another."""
        if self.equal(value, other):
            return False
        if value.kind == other.kind == "number":
            return not (value.counted and other.counted) or value.counted == other.counted
        return value.rivals(other)

    def bound(self, value: Value, other: Value, rivals: Iterable[Value]) -> bool:
        """Whether the words beside `value` stand beside `other` too, not beside a rival."""
        context = self.context(value)
        for rival in rivals:
            mine, theirs = self.source.segments[other.place], self.source.segments[rival.place]
            if mine == theirs:
                continue
            if {rival.limit, other.limit} == {"<=", ">="} and abs(rival.place - other.place) < 5:
                continue  # the two ends of a range
            both = bool(self.verbs[mine] and self.verbs[theirs])
            here = self.beside(mine, both) & context
            there = self.beside(theirs, both) & context
            if there - here and (not here - there or self.first in there - here):
                return False
        return True

    def context(self, value: Value) -> set[str]:
        """Stems of the source that stand for what is said of a value."""
        pairs = self.pairs
        if len([v for v in self.said.values if v.kind == value.kind]) > 1:
            segment = self.said.segments.get(value.place)
            pairs = [pair for pair in pairs if pair[0].segment == segment] or pairs
        if self.claim.fragment or not any(found for _, found in pairs):
            pairs = pairs + self.asked_pairs
        others = [v for v in (*self.said.values, *self.asked.values) if v is not value]
        marks = {u.mark for u in self.source.values if any(u.equals(v) for v in others)}
        return {t.stem for _, found in pairs for t, _ in found} | marks

    @property
    def first(self) -> str:
        """What the statement begins with, as the source has it."""
        found = next((found for _, found in self.pairs if found), [])
        return found[0][0].stem if found else ""

    def limit_fits(self, value: Value, other: Value) -> bool:
        """Whether two equal values have the same limit."""
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
        """Whether the statement denies where the value stands."""
        clause = self.said.clauses.get(value.place)
        return any(kind == "neg" and at == clause for kind, _, at in self.said.cues)

    def turned_in_source(self, value: Value) -> bool:
        """Whether the source denies where the value stands."""
        clause = self.source.clauses.get(value.place)
        return any(kind == "neg" and at == clause for kind, _, at in self.source.cues)
