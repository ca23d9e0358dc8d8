"""What is known of a document beside its text: its URL, its tags, and who may read it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ingestion.errors import DocumentError
from ingestion.parsers.document import Parsed
from ingestion.sources.settings import NAMESPACE, SourceSettings

MOST_TAGS, TAG_CHARACTERS = 50, 100
URL_KEYS = ("url", "canonical_url", "source_url")


@dataclass(frozen=True)
class Described:
    """The facts of one document that go into its manifest and its chunks."""

    namespace: str
    url: str | None
    tags: tuple[str, ...]  # sorted, in lower case


def described(path: str, parsed: Parsed, reads: SourceSettings, namespace: str) -> Described:
    """The document's own facts first, then those that the source's settings give it.

    `namespace` is the source's. Raises: DocumentError if the document names a namespace that
    cannot be one: it must not become readable to others by a mistake in writing.
    """
    return Described(
        _namespace(path, parsed, reads, namespace),
        _url(path, parsed, reads),
        _tags([*reads.tags, *_listed(parsed.metadata.get("tags"))]),
    )


def _namespace(path: str, parsed: Parsed, reads: SourceSettings, namespace: str) -> str:
    if reads.group_key and (stated := parsed.metadata.get(reads.group_key.lower())) is not None:
        if not isinstance(stated, str) or not re.fullmatch(NAMESPACE, stated):
            raise DocumentError(
                f"its {reads.group_key} is {str(stated)[:40]!r}, and a namespace has letters, "
                "digits, '.', '_' and '-': mend it, or it could be read by others"
            )
        return stated
    below = [
        prefix for prefix in reads.groups if path == prefix or path.startswith(_folder(prefix))
    ]
    return reads.groups[max(below, key=len)] if below else namespace


def _folder(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/"


def _url(path: str, parsed: Parsed, reads: SourceSettings) -> str | None:
    stated = (parsed.metadata.get(key) for key in URL_KEYS)
    for url in stated:
        if isinstance(url, str) and _is_web(url):
            return url
    return reads.url.replace("{path}", quote(path)) if reads.url else None


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and url.isprintable()


def _listed(tags: object) -> Iterable[object]:
    if isinstance(tags, str):
        return tags.split(",")
    return tags if isinstance(tags, list | tuple) else ()


def _tags(tags: Iterable[object]) -> tuple[str, ...]:
    clean = {str(tag).strip().casefold()[:TAG_CHARACTERS] for tag in tags} - {""}
    return tuple(sorted(clean)[:MOST_TAGS])
