"""The date that a document states of itself; the newer of two that disagree is then the right one.

A file's times and properties are no such date: they tell when it was copied, saved or rendered.
"""

import re
from calendar import month_name
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

HEAD = 600  # characters; a date further down is about something else

FIELDS = ("updated", "last_updated", "lastmod", "modified", "effective", "date")

_MONTH = f"(?:{'|'.join(month_name[1:])})"
_DAY = rf"\d{{4}}-\d\d-\d\d|\d{{1,2}} {_MONTH} \d{{4}}|{_MONTH} \d{{1,2}}, \d{{4}}"
_DATE = re.compile(_DAY, re.IGNORECASE)
_STATED = re.compile(
    r"\b(?:updated|published|changed|revised|modified|amended|edition|dated|effective|valid from)"
    rf"(?:[\s:,]+(?:on|of|from|as|\d+))*[\s:,*_]+({_DAY})",
    re.IGNORECASE,
)
_FORMS = ("%Y-%m-%d", "%d %B %Y", "%B %d, %Y")


def stated_date(text: str) -> datetime | None:
    """The latest date that the head of a text gives for its edition, change or validity, in UTC."""
    dates = [date_of(match[1]) for match in _STATED.finditer(text[:HEAD])]
    return max((date for date in dates if date), default=None)


def date_of(value: object) -> datetime | None:
    """The first date in a metadata field, as ISO or with an English month; None without one."""
    if found := _DATE.search(str(value)):
        for form in _FORMS:
            with suppress(ValueError):
                return datetime.strptime(found[0], form).replace(tzinfo=UTC)
    return None


def first_date(fields: Mapping[Any, object]) -> datetime | None:
    """The date of the first metadata field that states one, in the order of `FIELDS`."""
    return next(filter(None, (date_of(fields.get(name)) for name in FIELDS)), None)
