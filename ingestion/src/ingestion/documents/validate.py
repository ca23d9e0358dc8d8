"""What a document's text must be before it may enter the index."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from ingestion.dates import date_of
from ingestion.documents.languages import identifier
from ingestion.errors import DocumentError
from ingestion.parse import Parsed
from ingestion.parsers.document import ranges
from ingestion.sources.settings import DocumentContract

UNREADABLE_SHARE = 0.05
LANGUAGE_LETTERS = 200  # below which a language is a guess, so it is not checked
LANGUAGE_SAMPLE = 5000  # characters
LANGUAGE_CERTAINTY = 0.9

# Replacement characters, C1 controls and the private use area: text that was decoded wrongly.
_UNREADABLE = re.compile(r"[\ufffd\x80-\x9f\ue000-\uf8ff]")
# UTF-8 read as Latin-1 or Windows-1252: "Ã¼", "â€™", "Â ".
_MOJIBAKE = re.compile(r"[ÃÂ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€")


def validate(parsed: Parsed) -> None:
    """Return if `parsed` may be indexed; DocumentError says what is wrong with it."""
    characters = sum(map(str.isalnum, parsed.text))
    if parsed.pages and (not characters or len(parsed.unread_pages) == len(parsed.pages)):
        raise DocumentError(f"{len(parsed.pages)} pages without text: a scan? Run OCR on it first")
    if not characters:
        raise DocumentError("it has no text")
    for found, what in ((_UNREADABLE, "unreadable characters"), (_MOJIBAKE, "mojibake")):
        if len(found.findall(parsed.text)) > UNREADABLE_SHARE * characters:
            raise DocumentError(f"its text is mostly {what}: was it saved in another encoding?")


def _date(value: Any) -> Any:
    if date_of(value) is None:
        raise ValueError("Input should be a date")
    return value


_TYPES: dict[str, TypeAdapter[Any]] = {
    "text": TypeAdapter(Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]),
    "number": TypeAdapter(float),
    "boolean": TypeAdapter(bool),
    "date": TypeAdapter(Annotated[Any, AfterValidator(_date)]),
    "list": TypeAdapter(Annotated[list[Any], Field(min_length=1)]),
}


def check_contract(parsed: Parsed, format: str, contract: DocumentContract) -> None:
    """Return if a document is what its source promises; DocumentError names every breach."""
    breaches = [*_form_breaches(parsed, format, contract), *_metadata_breaches(parsed, contract)]
    if breaches:
        raise DocumentError(f"it breaks its source's document contract: {'; '.join(breaches)}")


def _form_breaches(parsed: Parsed, format: str, contract: DocumentContract) -> list[str]:
    breaches = []
    letters = sum(map(str.isalnum, parsed.text))
    if contract.formats and format not in contract.formats:
        breaches.append(f"its format is {format}, not {' or '.join(contract.formats)}")
    if letters < contract.min_characters:
        breaches.append(f"it has {letters} letters and digits, under {contract.min_characters}")
    if contract.unread_pages == "refuse" and parsed.unread_pages:
        breaches.append(f"pages without text: {ranges(parsed.unread_pages)}")
    if contract.language and letters >= LANGUAGE_LETTERS:
        language, certainty = identifier().classify(parsed.text[:LANGUAGE_SAMPLE])
        if language != contract.language and certainty >= LANGUAGE_CERTAINTY:
            breaches.append(f"its language is {language}, not {contract.language}")
    return breaches


def _metadata_breaches(parsed: Parsed, contract: DocumentContract) -> list[str]:
    breaches = []
    for name, kind in contract.metadata.items():
        value = parsed.metadata.get(name.lower())
        if value is None:
            breaches.append(f"metadata {name} is missing")
            continue
        try:
            _TYPES[kind].validate_python(value)
        except ValidationError:
            breaches.append(f"metadata {name} is no {kind} ({str(value)[:40]!r})")
    return breaches
