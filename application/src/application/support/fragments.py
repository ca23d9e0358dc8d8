"""Short answers, such as "35 cm" or a name: a source supports them by holding them as they are.

They have no clause of their own to compare, and a question may use other words than the source.
So the answer's own part of the source (a clause, or a row's cell) has to fit the question best.
"""

import re
import unicodedata

from application.terms import content_terms, is_table_row, values

MOST_WORDS = 6
WORD = re.compile(r"\w+(?:(?<=\d)[.,:/-](?=\d)\w+)*")
TURNED = re.compile(  # words that may turn round what a source says of the answer
    r"\b(?:not|never|without|except|unless|only|nor|cannot)\b|n['’]t\b|\bno (?!\d)(?=[a-z])", re.I
)
UNIT = re.compile(r"([-+]?\d[\d.,]*) ?[a-z€$£%°]+$", re.I)
PART = re.compile(r"[;:]|,(?!\d)|\b(?:and|but|or|while|whereas|und|aber|et|mais|y|pero)\b", re.I)


def holds(statement: str, question: str, text: str, lead: str, *, with_unit: bool = False) -> bool:
    """Whether a source holds a short answer word for word, in the part that fits the question.

    False where the source is turned round by a word such as "not" that the question lacks. With
    `with_unit`, a table's cell may hold the number alone: its unit often stands above the table.
    """
    if with_unit and is_table_row(text) and (number := UNIT.match(statement.strip(" ."))):
        alone = number[1] in [cell.strip() for cell in text.strip("|").split("|")]
        statement = number[1] if alone else statement
    said, asked = _words(statement), content_terms(question)
    if not 0 < len(said) <= MOST_WORDS or content_terms(statement) <= asked:
        return False
    if not fit(question, text, lead) or not values(statement) <= values(text):
        return False
    if {w.lower() for w in TURNED.findall(text)} - {w.lower() for w in TURNED.findall(question)}:
        return False
    if not _within(said, _words(text)):
        return False
    if is_table_row(text):
        return _cell_fits(said, asked, text, lead)
    return _part_fits(said, asked, text)


def has(statement: str, text: str) -> bool:
    """Whether a source has the words of a short answer, whatever the question."""
    if is_table_row(text) and (number := UNIT.match(statement.strip(" ."))):
        statement = number[1]
    said = _words(statement)
    return 0 < len(said) <= MOST_WORDS and _within(said, _words(text))


def fit(question: str, text: str, lead: str) -> int:
    """How many of the question's terms a source speaks of."""
    return len(content_terms(question) & content_terms(f"{lead} {text}"))


def _part_fits(said: list[str], asked: set[str], text: str) -> bool:
    """Whether no other clause speaks more of the question than the one that holds the answer."""
    parts = PART.split(text)
    own = [len(asked & content_terms(part)) for part in parts if _within(said, _words(part))]
    return not own or max(own) >= max(len(asked & content_terms(part)) for part in parts)


def _cell_fits(said: list[str], asked: set[str], text: str, lead: str) -> bool:
    """Whether the row's first cell is asked for, and no other column fits the question better."""
    cells, names = text.strip("| ").split("|"), lead.strip("| ").split("|")
    key = content_terms(cells[0])
    if key and not key & asked and not asked & content_terms(" ".join(cells[1:])):
        return False
    if len(names) != len(cells):
        return True
    fits = [len(asked & content_terms(name)) for name in names]
    own = [fit for fit, cell in zip(fits, cells, strict=True) if _within(said, _words(cell))]
    return not own or max(own) == max(fits)


def _within(said: list[str], found: list[str]) -> bool:
    length = len(said)
    return any(found[at : at + length] == said for at in range(len(found) - length + 1))


def _words(text: str) -> list[str]:
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())
