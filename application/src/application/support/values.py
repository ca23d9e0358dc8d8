# ruff: noqa: SIM102 - each condition has a line of its own
"""Finds the values among the tokens of a text, each with its unit, its limit and what it counts."""

import re
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from application.language import stem
from application.stopwords import STOPWORDS
from application.support.lexicon import LIMITS
from application.support.quantities import (
    AMBIGUOUS,
    ARTICLES,
    CURRENCY,
    MONTHS,
    NUMBER_WORDS,
    ORDINALS,
    PERIODS,
    SCALES,
    Value,
    clock_minutes,
    number_of,
    unit_of,
)

ORDINAL_WORDS = {number: word for word, number in ORDINALS.items()}
SUFFIX = re.compile(r"st|nd|rd|th|er|ère|e|º|ª", re.IGNORECASE)
NOT_COUNTED = frozenset("the this that no any every which each another only last next".split())  # noqa: SIM905
PER = frozenset("per a an each every je pro par por al / il jede jeden im".split())  # noqa: SIM905
MULTIPLES = {"twice": 2, "thrice": 3, "zweimal": 2, "dreimal": 3, "einmal": 1}
FILLERS = frozenset("a an the of about approximately roughly some than to is are be de von".split())  # noqa: SIM905
TO = frozenset({"-", "–", "—", "to", "and", "until", "till", "bis", "à", "hasta", "al", "a", "und",
                "et", "y", "through", "tot"})  # fmt: skip
ORDERED = frozenset({"from", "between", "von", "zwischen", "de", "entre", "desde", "vom"})
DATED_ONLY = frozenset(
    [
        "by",
        "from",
        "since",
        "until",
        "till",
        "vor",
        "nach",
        "ab",
        "bis",
        "prima",
        "dopo",
        "na",
        "voor",
        "tot",
        "avant",
        "après",
        "after",
        "before",
    ]
)
MONTH_BEFORE = frozenset(
    "in of by until since from each every to and before after end".split()  # noqa: SIM905
)


class Token(NamedTuple):
    """A piece of a text and what it looks like."""

    text: str
    kind: str  # a group of quantities.TOKEN, or "used" once it belongs to a value
    gap: bool  # whether white space stands before it

    @property
    def low(self) -> str:
        """The token in lower case."""
        return self.text.lower()


def find(tokens: list[Token], language: str) -> tuple[list[Value], set[int]]:
    """The values of `tokens`, and the places of all tokens that belong to them."""
    finder = _Finder(tokens, language)
    finder.run()
    return finder.values, finder.used


class _Finder:
    def __init__(self, tokens: list[Token], language: str) -> None:
        self.tokens, self.language = tokens, language
        self.values: list[Value] = []
        self.used: set[int] = set()
        self.words = NUMBER_WORDS["en"] | NUMBER_WORDS.get(language, {})
        self.limits = LIMITS["en"] | LIMITS.get(language, {})

    def low(self, place: int) -> str:
        return self.tokens[place].low if 0 <= place < len(self.tokens) else ""

    def kind(self, place: int) -> str:
        return self.tokens[place].kind if 0 <= place < len(self.tokens) else ""

    def run(self) -> None:
        place = 0
        while place < len(self.tokens):
            place = max(self.value_at(place), place + 1)
        self.values = self.with_limits(self.with_shared_units(self.joined(self.values)))

    def add(self, kind: str, amount: object, start: int, end: int, **more: object) -> int:
        self.values.append(Value(kind, amount, start, end=end - 1, **more))  # type: ignore[arg-type]
        self.used.update(range(start, end))
        return end

    def value_at(self, place: int) -> int:
        """The place after the value that begins at `place`; `place` where none does."""
        token = self.tokens[place]
        if token.kind in ("iso", "dotted", "slashed"):
            return self.add("date", _date(token), place, place + 1)
        if token.kind == "clock":
            return self.add("clock", clock_minutes(token.text), place, place + 1)
        if token.kind == "code":
            if (month := MONTHS.get(re.sub(r"\W?\d+$", "", token.low))) and token.low[
                -4:
            ].isdigit():
                return self.add("date", (int(token.low[-4:]), month, None), place, place + 1)
            return self.code(place)
        if end := self.date(place):
            return end
        if token.kind == "money" and self.kind(place + 1) == "number":
            number = number_of(self.tokens[place + 1].text, self.language)
            if number is not None:
                number, end = self.scaled(number, place + 2)
                return self.with_unit(CURRENCY[token.text], number, place, end, number)
        if token.kind == "number":
            number = number_of(token.text, self.language)
            if number is None:
                return self.add("code", token.text, place, place + 1)
            if (
                SUFFIX.fullmatch(self.low(place + 1))
                and not self.tokens[place + 1].gap
                and int(number) in ORDINAL_WORDS
            ):
                return place  # read as the word, by reading.py
            number, end = self.scaled(number, place + 1)
            return self.amount(number, place, end)
        if token.kind == "word":
            return self.word(place)
        return place

    def code(self, place: int) -> int:
        token = self.tokens[place]
        match = re.fullmatch(r"(\d+(?:[.,]\d+)?)e([-+]?\d{1,2})", token.low)
        if match and (number := number_of(token.text, self.language)) is not None:
            return self.amount(number, place, place + 1)
        return self.add("code", re.sub(r"[-_]", "", token.low), place, place + 1)

    def scaled(self, number: Decimal, end: int) -> tuple[Decimal, int]:
        """A number times the scale behind it: "1.2 million"."""
        if scale := SCALES.get(self.low(end)):
            return number * scale, end + 1
        return number, end

    def amount(self, number: Decimal, start: int, end: int) -> int:
        """A number with its unit, if one follows."""
        pair = ("percentage", "per", "working", "business", "degrees", "degree")
        for length in (2, 1):
            if length == 2 and self.low(end) not in pair:
                continue
            place = end + length - 1
            if place >= len(self.tokens):
                break
            written = "-".join(t.text for t in self.tokens[end : end + length])
            if written.lower() in {"working-days", "business-days", "working-day", "business-day"}:
                written = "workdays"
            if length == 1 and self.low(end + 1) == "/" and self.kind(end + 2) == "word":
                written = f"{written}/{self.tokens[end + 2].text}"  # Mbit/s
                if unit_of(written):
                    return self.scaled_unit(number, written, start, end + 3)
                written = self.tokens[end].text
            if length == 1 and self.low(end) == "-" and not self.tokens[end].gap:
                if unit_of(self.low(end + 1)) and not self.tokens[end + 1].gap:  # 30-day
                    return self.scaled_unit(number, self.tokens[end + 1].text, start, end + 2)
                break
            known = unit_of(written)
            if known and not (written.lower() in AMBIGUOUS and written.lower() != "min"):
                return self.scaled_unit(number, written, start, end + length)
            if written == "t":
                return self.scaled_unit(number, written, start, end + 1)
        counted = self.counted(end)
        return self.add("number", number, start, end, counted=counted, raw=number)

    def scaled_unit(self, number: Decimal, written: str, start: int, end: int) -> int:
        unit = unit_of(written)
        assert unit is not None  # noqa: S101 - the callers have looked it up
        dimension, factor = unit
        return self.with_unit(dimension, (number * factor).normalize(), start, end, number)

    def with_unit(self, dimension: str, amount: Decimal, start: int, end: int, raw: Decimal) -> int:
        per, end = self.per(end)
        return self.add(dimension, amount, start, end, per=per, raw=raw)

    def per(self, end: int) -> tuple[str, int]:
        """What a value is counted by, such as "month" in "5 euros a month"."""
        word = self.low(end + 1)
        if self.low(end) in PER and word:
            unit = unit_of(word) if word not in AMBIGUOUS else None
            if unit and unit[0] in ("time", "month"):
                return f"{unit[0]} {unit[1]}", end + 2
            if self.low(end) in {"per", "pro", "par", "por", "/"} and self.kind(end + 1) == "word":
                found = unit_of(self.tokens[end + 1].text)
                return (f"{found[0]} {found[1]}" if found else stem(word, self.language)), end + 2
        period = PERIODS.get(self.low(end), "")
        if not period and self.low(end) in {"annually", "yearly"}:
            period = "year"
        if period and (unit := unit_of(period)):
            return f"{unit[0]} {unit[1]}", end + 1
        return "", end

    def counted(self, end: int) -> str:
        """Stem of the noun that a plain number counts."""
        for place in (end, end + 1):
            word = self.low(place)
            if self.kind(place) != "word":
                return ""
            if word not in STOPWORDS.get(self.language, STOPWORDS["en"]):
                return stem(word, self.language)
        return ""

    def word(self, place: int) -> int:
        """A value in words: "two weeks", "a dozen", "twice", "an hour"."""
        word, following = self.low(place), self.low(place + 1)
        if word in MULTIPLES:
            return self.with_unit(
                "times", Decimal(MULTIPLES[word]), place, place + 1, Decimal(MULTIPLES[word])
            )
        each = following in {"a", "an", "per", "every", "each"} and unit_of(self.low(place + 2))
        if word == "once" and (each or following in {"daily", "weekly"}):
            return self.with_unit("times", Decimal(1), place, place + 1, Decimal(1))
        if word == "half" and following in {"a", "an"} and unit_of(self.low(place + 2)):
            return self.scaled_unit(Decimal("0.5"), self.low(place + 2), place, place + 3)
        if word in {"a", "an"}:
            if following in {"dozen", "hundred", "thousand", "million"}:
                return self.amount(Decimal(SCALES[following]), place, place + 2)
            unit = unit_of(following) if following not in AMBIGUOUS and len(following) > 2 else None
            if unit and unit[0] in ("time", "month"):
                kind, amount = unit
                self.add(kind, amount, place, place + 2, implied=True, raw=Decimal(1))
            return place + 1
        if word not in self.words:
            return place
        number, end = self.spelled(place)
        if word in ARTICLES and end == place + 1:
            previous = self.low(place - 1)
            unit = unit_of(following) if following not in AMBIGUOUS else None
            if previous in NOT_COUNTED or not (unit or self.counted(end)):
                return place
            if unit is None:
                self.add("number", number, place, end, counted=self.counted(end), implied=True,
                         raw=number)  # fmt: skip
                return end
        return self.amount(number, place, end)

    def spelled(self, place: int) -> tuple[Decimal, int]:
        """A number in words, and the place behind it."""
        total, current = 0, self.words[self.low(place)]
        end = place + 1
        while end < len(self.tokens):
            word = self.low(end)
            if (
                word in ("and", "-")
                and (total or current >= 20)
                and self.low(end + 1) in self.words
            ):
                if word == "and" and current % 100 == current:
                    break
                if word == "-" and (self.tokens[end].gap or self.tokens[end + 1].gap):
                    break
                end += 1
            elif word in SCALES and word != "k":
                current *= SCALES[word]
                if SCALES[word] >= 1000:
                    total, current = total + current, 0
                end += 1
            elif word in self.words and (current % 100 >= 20 or current % 100 == 0 or not current):
                if current and self.words[word] >= 20 and current % 100:
                    break
                current += self.words[word]
                end += 1
            else:
                break
        return Decimal(total + current), end

    def date(self, place: int) -> int:
        """The place after a date in words that begins at `place`; 0 where none does."""
        number = self.kind(place) == "number" and self.low(place).isdigit()
        if number and 1 <= int(self.low(place)) <= 31:
            after = place + 1
            if SUFFIX.fullmatch(self.low(after)) or self.low(after) == ".":
                after += 1
            if self.low(after) in {"of", "de"}:
                after += 1
            month = self.month(after, beside_number=True)
            if month and self.kind(after) == "word":
                year, end = self.year(after + 1)
                return self.add("date", (year, month, int(self.low(place))), place, end)
        month = self.month(place)
        if not month:
            return 0
        day = self.low(place + 1)
        if day.isdigit() and 1 <= int(day) <= 31 and len(day) < 3:
            after = place + 2
            after += bool(SUFFIX.fullmatch(self.low(after)))
            year, end = self.year(after)
            return self.add("date", (year, month, int(day)), place, end)
        year, end = self.year(place + 1)
        return self.add("date", (year, month, None), place, end)

    def month(self, place: int, beside_number: bool = False) -> int:
        word = self.tokens[place].text if self.kind(place) == "word" else ""
        month = MONTHS.get(word.lower(), 0)
        if not month or beside_number:
            return month
        day = self.kind(place + 1) == "number"
        if len(word) < 4 and word != "May" and not day:
            return 0
        if word.lower() in {"may", "march", "mars", "mai", "mei", "marzo", "maio"} and not day:
            named = word[0].isupper() and self.low(place - 1) in MONTH_BEFORE | {"im", "en", "em"}
            return month if named or (word.lower() in {"mars", "mai", "marzo"} and place) else 0
        if word.lower() in {"may", "march"} and not word[0].isupper():
            return 0
        return month

    def year(self, place: int) -> tuple[int | None, int]:
        if self.low(place) in {",", "de", "of"}:
            place += 1
            written = self.low(place)
            found = re.fullmatch(r"(?:19|20)\d\d", written)
            return (int(written), place + 1) if found else (None, place - 1)
        written = self.low(place)
        found = re.fullmatch(r"(?:19|20)\d\d", written)
        return (int(written), place + 1) if found else (None, place)

    def joined(self, values: list[Value]) -> list[Value]:
        """Values with durations of two units as one: "2 minutes and 40 seconds"."""
        joined: list[Value] = []
        for value in values:
            last = joined[-1] if joined else None
            if (
                last
                and last.kind == value.kind == "time"
                and isinstance(last.amount, Decimal)
                and isinstance(value.amount, Decimal)
                and value.amount < last.amount
                and not value.implied
                and all(
                    self.low(p) in {"and", "und", "et", "y"}
                    for p in range(last.end + 1, value.place)
                )
                and value.place - last.end <= 2
                and self.factor(last) != self.factor(value)
            ):
                joined[-1] = replace(
                    last, amount=last.amount + value.amount, end=value.end, raw=None, implied=False
                )
            else:
                joined.append(value)
        return joined

    def with_shared_units(self, values: list[Value]) -> list[Value]:
        """Gives the first number of a range the unit of the second: "2 to 5 mg"."""
        shared = list(values)
        for index in range(len(values) - 2, -1, -1):
            first, second = shared[index], shared[index + 1]
            close = second.place - first.end == 2 and self.low(first.end + 1) in TO | {"or", "/"}
            if not close or first.kind != "number" or first.counted or second.kind in (
                "number", "date", "code", "times",
            ):  # fmt: skip
                continue
            unit = self.factor(second)
            if unit and isinstance(first.amount, Decimal):
                shared[index] = replace(
                    first,
                    kind=second.kind,
                    amount=(first.amount * unit).normalize(),
                    per=second.per,
                )
        return shared

    def factor(self, value: Value) -> Decimal | None:
        if value.kind == "clock":
            return Decimal(60)
        for place in range(value.place, value.end + 1):
            unit = unit_of(self.tokens[place].text)
            if unit and unit[0] == value.kind:
                return unit[1]
        return Decimal(1) if value.kind in CURRENCY.values() else None

    def with_limits(self, values: list[Value]) -> list[Value]:
        limited: list[Value] = []
        for index, value in enumerate(values):
            limit = self.limit(value)
            if index and self.is_range(values[index - 1], value):
                limited[-1] = replace(limited[-1], limit=">=")
                limit = "<="
            limited.append(replace(value, limit=limit, implied=False) if limit else value)
        return limited

    def is_range(self, first: Value, second: Value) -> bool:
        between = self.low(first.end + 1)
        if first.kind != second.kind or second.place - first.end != 2 or between not in TO:
            return False
        opened = any(self.low(first.place - back) in ORDERED for back in (1, 2))
        return opened or between not in {"and", "und", "et", "y", "a", "al"}

    def limit(self, value: Value) -> str:
        """The limit that a value is, by the words before or behind it."""
        dated = value.kind in ("date", "clock") or (value.counted == "" and value.kind == "number")
        for skipped in range(3):
            end = value.place - skipped
            if skipped and self.low(end) not in FILLERS:
                break
            for length in (4, 3, 2, 1):
                if end - length < 0:
                    continue
                phrase = " ".join(self.low(place) for place in range(end - length, end))
                found = self.limits.get(phrase)
                if not found and length == 2 and re.fullmatch(r"\w{2,}er than", phrase):
                    found = ">"
                if found == ">" and phrase in {"after", "nach", "après", "dopo", "na"}:
                    found = ">" if value.kind in ("date", "clock") else ">="
                if not found or (length == 1 and phrase in DATED_ONLY and skipped > 1):
                    continue
                if phrase in {"by", "from", "since", "ab", "bis", "tot"} and not dated:
                    if not (
                        phrase in {"from", "ab"} and self.low(value.end + 1) in {"on", "onwards"}
                    ):
                        continue
                if phrase == "by" and value.kind == "number" and value.counted:
                    continue
                self.used.update(range(end - length, end))
                return found
        for length in (4, 3, 2, 1):
            for start in (value.end + 1, value.end + 2):
                phrase = " ".join(self.low(p) for p in range(start, start + length))
                if found := self.limits.get(f"… {phrase}"):
                    if phrase == "on" and self.low(value.place - 1) != "from":
                        continue
                    self.used.update(range(start, start + length))
                    return found
        for back in range(1, 9):  # "the minimum age is 18"
            word = self.low(value.place - back)
            if (
                not word
                or word in {",", ";", ".", "|"}
                or self.kind(value.place - back) == "number"
            ):
                break
            if word in {"minimum", "minimal", "lowest", "mindestalter"}:
                return ">="
            if word in {"maximum", "maximal", "highest", "limit", "ceiling"}:
                return "<="
        return ""


def _date(token: Token) -> tuple[int | None, int | None, int | None]:
    first, second, third = (int(part) for part in re.findall(r"\d+", token.text))
    if token.kind == "iso":
        return first, second, third
    if token.kind == "slashed" and second > 12:
        return third, first, second
    return third, second, first
