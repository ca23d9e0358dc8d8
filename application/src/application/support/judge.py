"""The label of a statement: what the sources, alone or together, say about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from application.language import DEFAULT, language_of, words_of
from application.stopwords import STOPWORDS
from application.support.compare import Comparison, compare
from application.support.fragments import fit, has, holds
from application.support.pairing import Claim
from application.support.reading import Reading, read
from application.support.writing import AUXILIARIES
from application.terms import is_table_row, sentences

Label = Literal["supported", "unsupported", "contradicted"]

YES = re.compile(
    r"\W*(?:yes|yeah|correct|ja|oui|sí|si|sì|sim|да|是的?|はい|네|예)\b[\s,.;:!—–-]*", re.I
)
NO = re.compile(r"\W*(?:no|nope|nein|non|não|nee|нет|不是?|いいえ|아니요)\b[\s,.;:!—–-]*", re.I)
NO_CELL = frozenset("no none – — - ✗ ✘ nein non n/a false never not".split())  # noqa: SIM905
YES_CELL = frozenset("yes ja oui sí si sim ✓ ✔ true x".split())  # noqa: SIM905
REFERS = re.compile(r"(?:it|they|this|these|those|he|she|er|sie|es|il|elle|ils|elles)\b", re.I)
CONJUNCTS = re.compile(
    r"\s*(?:;|,\s*(?:and|but|while|whereas)\b|\b(?:and|but|while|whereas|und|et|y)\b)\s*"
)
MARKER = re.compile(r"\s*\[\d+\]|^\s*[-*+•]\s+|\*\*")
MOST_PARTS = 4
SHORT = 4  # terms and values of an answer without a verb of its own


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence or table row, and the table's header or the list's lead that it hangs on."""

    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A label and the indices of the sources that decide it; support may need two."""

    label: Label
    sources: tuple[int, ...] = ()


NOTHING = Judgement("unsupported")


def judge(statement: str, question: str, sources: Sequence[Source], named: int = 0) -> Judgement:
    """What `sources` say of `statement`, which answers `question`; an answer of one word takes the
    missing words from the question. Never raises, whatever the text.

    The first `named` sources are those that the model named for this statement: a short answer is
    supported by one that holds it, whatever the others say of other things.
    """
    statement = MARKER.sub("", statement).strip()
    if not statement or not sources:
        return NOTHING
    for index, source in enumerate(sources[:named]):
        if holds(statement, question, source.text, source.lead, with_unit=True):
            return Judgement("supported", (index,))
    parts = [statement[start:end] for start, end in sentences(statement)]
    if len(parts) > 1 and not (YES.fullmatch(parts[0]) or NO.fullmatch(parts[0])):
        return _together([_judged(part, question, sources) for part in parts])
    judged = _judged(statement, question, sources)
    if judged.label == "supported":
        said = _claim(statement, question, language_of(f"{question} {statement}")).statement
        parts = [part for part in said.text.split(";") if part.strip()]
        if len(parts) > 1:
            apart = [
                _judged(part, question, [sources[i] for i in judged.sources]) for part in parts
            ]
            if any(one.label == "contradicted" for one in apart):
                return Judgement("contradicted", judged.sources)
        return judged
    parts = [part for part in CONJUNCTS.split(statement) if part.strip()]
    if 1 < len(parts) <= MOST_PARTS and len(sources) > 1:
        context = f"{question} {parts[0]}"
        apart = [_judged(part, question, sources) for part in parts]
        for place, part in enumerate(parts):
            if place and apart[place].label != "supported":
                apart[place] = _judged(part, context, sources)
        joined = _together(apart)
        if joined.label == "supported":
            return joined
    fits = [fit(question, source.text, source.lead) for source in sources]
    for index, source in enumerate(sources):
        if fits[index] < max(fits) - 1 or not holds(statement, question, source.text, source.lead):
            continue
        if _judged(statement, question, [source]).label != "contradicted":
            return Judgement("supported", (index,))
    if judged.label == "contradicted" and any(has(statement, s.text) for s in sources[:named]):
        return (
            NOTHING  # the source that the model names has these words, perhaps about something else
        )
    return judged


def _together(judged: list[Judgement]) -> Judgement:
    """Supported where every part is, contradicted where one is."""
    for label in ("contradicted", "unsupported"):
        for one in judged:
            if one.label == label:
                return one
    return Judgement("supported", tuple(sorted({i for one in judged for i in one.sources})))


def _judged(statement: str, question: str, sources: Sequence[Source]) -> Judgement:
    against: list[tuple[float, int]] = []
    language = language_of(f"{question} {statement}")
    for index, source in enumerate(sources):
        candidates: list[tuple[tuple[int, ...], Source]] = [((index,), source)]
        if index and REFERS.match(source.text):
            before = sources[index - 1]
            candidates.append(
                ((index - 1, index), Source(source.text, f"{before.lead} {before.text}"))
            )
        for indices, candidate in candidates:
            compared = _compared(statement, question, candidate, language)
            if compared.supports and not _beaten(statement, question, index, sources):
                return Judgement("supported", indices)
            if compared.contradicts:
                against.append((compared.closeness, index))
    if against:
        _, index = max(against, key=lambda pair: (pair[0], -pair[1]))
        return Judgement("contradicted", (index,))
    return NOTHING


def _compared(statement: str, question: str, source: Source, language: str) -> Comparison:
    theirs = language_of(f"{source.lead} {source.text}")
    if language == DEFAULT != theirs and not _is_english(f"{question} {statement}"):
        language = theirs
    elif theirs == DEFAULT != language and not _is_english(f"{source.lead} {source.text}"):
        theirs = language
    reading, key = _read_source(source.text, source.lead, theirs)
    return compare(_claim(statement, question, language), reading, key)


def _is_english(text: str) -> bool:
    return len(set(words_of(text)[0]) & STOPWORDS[DEFAULT]) > 1


@lru_cache(maxsize=256)
def _claim(statement: str, question: str, language: str) -> Claim:
    asked = read(question, language)
    for pattern, negated in ((YES, False), (NO, True)):
        match = pattern.match(statement)
        if match is None:
            continue
        rest = statement[match.end() :]
        said = read(rest, language)
        if said.terms or said.values:
            if match[0].strip().isalpha():
                break  # "No device ..." is no answer of its own
            return _claim(rest, question, language)
        if not asked.terms:
            break
        return Claim(asked, read("", language), confirms=True, denies=negated)
    said = read(statement, language)
    verb = any(low in AUXILIARIES for low in said.lows) or any(t.verb for t in said.terms)
    short = not verb and len(said.terms) + len(said.values) <= SHORT and bool(asked.terms)
    return Claim(said, asked, fragment=short)


@lru_cache(maxsize=2048)
def _read_source(text: str, lead: str, language: str) -> tuple[Reading, frozenset[str]]:
    """The reading of a source, and the stems of its first cell where it is a row of a table."""
    if not is_table_row(text.strip()):
        return read(f"{lead} {text}".strip(), language), frozenset()
    cells = _cells(text)
    headers = _cells(lead) if is_table_row(lead.strip()) else []
    pieces = []
    for place, cell in enumerate(cells):
        header = headers[place] if place < len(headers) else ""
        if cell.lower() in NO_CELL and header and place:
            pieces.append(f"not {header}")
        elif cell.lower() in YES_CELL and header and place:
            pieces.append(header)
        elif place:
            pieces.append(f"{header}: {cell}" if header else cell)
        else:
            pieces.append(cell)
    key = read(cells[0], language).stems if len(headers) > 2 else frozenset()
    return read(" | ".join(pieces), language), key


def _cells(row: str) -> list[str]:
    return [cell.strip(" *") for cell in row.strip().strip("|").split("|")]


def _beaten(statement: str, question: str, index: int, sources: Sequence[Source]) -> bool:
    """Whether another source answers a short answer's question more closely, with another value."""
    language = language_of(f"{question} {statement}")
    claim = _claim(statement, question, language)
    if not claim.fragment or not claim.statement.values or len(sources) < 2:
        return False
    asked = claim.question.stems
    mine = asked & _read_source(sources[index].text, sources[index].lead, language)[0].stems
    for place, source in enumerate(sources):
        reading, _ = _read_source(source.text, source.lead, language)
        theirs = asked & reading.stems
        if place == index or not theirs > mine:
            continue
        for value in claim.statement.values:
            if any(value.equals(other) for other in reading.values):
                continue
            if any(value.rivals(other) and value.kind != "number" for other in reading.values):
                return True
    return False
