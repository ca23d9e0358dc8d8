"""What a document's text must be before it may enter the index."""

import re

from ingestion.errors import DocumentError
from ingestion.parse import Parsed

CHARACTERS_PER_PAGE = 10  # on average, below which a PDF is a scan; a one-page notice has 178
UNREADABLE_SHARE = 0.05

# Replacement characters, C1 controls and the private use area: text that was decoded wrongly.
_UNREADABLE = re.compile(r"[\ufffd\x80-\x9f\ue000-\uf8ff]")
# UTF-8 read as Latin-1 or Windows-1252: "Ã¼", "â€™", "Â ".
_MOJIBAKE = re.compile(r"[ÃÂ][\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€")


def validate(parsed: Parsed) -> None:
    """Return if `parsed` may be indexed; DocumentError says what is wrong with it."""
    characters = sum(map(str.isalnum, parsed.text))
    if parsed.pages and characters < CHARACTERS_PER_PAGE * len(parsed.pages):
        raise DocumentError(f"{len(parsed.pages)} pages without text: a scan? Run OCR on it first")
    if not characters:
        raise DocumentError("it has no text")
    for found, what in ((_UNREADABLE, "unreadable characters"), (_MOJIBAKE, "mojibake")):
        if len(found.findall(parsed.text)) > UNREADABLE_SHARE * characters:
            raise DocumentError(f"its text is mostly {what}: was it saved in another encoding?")
