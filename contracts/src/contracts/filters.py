"""Filters: which documents a question, a search or a chat may be answered from.

They narrow what the caller's key may read, and never widen it.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from contracts import Contract
from contracts.index import MOST_FOLDERS, tag_of

MOST_VALUES = 50  # of a list
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _day(written: object) -> object:
    """A day as ISO 8601 writes it; pydantic alone would take a number for seconds since 1970."""
    if isinstance(written, date) or (isinstance(written, str) and DAY.fullmatch(written)):
        return written
    raise ValueError("write the day as YYYY-MM-DD, e.g. 2026-01-31")


def _listed(written: object) -> object:
    """A list, also where a client sends one text alone."""
    return [written] if isinstance(written, str) else written


Day = Annotated[date, BeforeValidator(_day)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Words = Annotated[list[Word], BeforeValidator(_listed), Field(min_length=1, max_length=MOST_VALUES)]


class Filters(Contract):
    """Limits to documents; every field that is given must hold, and a list is met by any of it."""

    sources: Words | None = Field(
        default=None,
        description="Names of sources, as passages name them.",
        examples=[["handbook"]],
    )
    namespaces: Words | None = Field(
        default=None, description="Groups of documents, of those that the key may read."
    )
    tags: Words | None = Field(
        default=None,
        description="Tags of documents, in upper or lower case.",
        examples=[["policy"]],
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="A folder with everything below it, or one document, as passages write paths.",
        examples=["handbook/"],
    )
    updated_after: Day | None = Field(
        default=None,
        description="This day or later, by the date that a document states of itself. A document "
        "without such a date is left out.",
        examples=["2026-01-01"],
    )
    updated_before: Day | None = Field(
        default=None,
        description="Earlier than this day, by the same date.",
        examples=["2027-01-01"],
    )

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        known = cls.model_fields
        if isinstance(given, Mapping) and (
            unknown := [name for name in given if name not in known]
        ):
            names = ", ".join(known)
            raise ValueError(f"there is no field {str(unknown[0])[:40]!r}; use some of {names}")
        return given

    @field_validator("tags")
    @classmethod
    def _as_stored(cls, tags: list[str] | None) -> list[str] | None:
        stored = None if tags is None else [tag_of(tag) for tag in tags]
        if stored is not None and "" in stored:
            raise ValueError("a tag is blank; write one, or leave it out")
        return stored

    @field_validator("path")
    @classmethod
    def _not_too_deep(cls, path: str | None) -> str | None:
        if path is not None and f"{path.removesuffix('/')}/".count("/") > MOST_FOLDERS:
            raise ValueError(f"name a folder of at most {MOST_FOLDERS} levels")
        return path

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first, end = self.updated_after, self.updated_before
        if first and end and first >= end:
            raise ValueError("updated_after must be an earlier day than updated_before")
        return self
