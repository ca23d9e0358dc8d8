"""An e-mail: its subject as title, its headers, its text, and the attachments by name."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from os.path import splitext
from typing import cast

from ingestion.markup.structure import structured
from ingestion.parsers import FORMATS, PLAIN_TEXT, parser_of
from ingestion.parsers.document import Parsed
from ingestion.text import decoded, normalised

HEADERS = ("From", "To", "Cc", "Date")
MAX_ATTACHED = 50  # attachments whose text is read


def parse(raw: bytes, name: str) -> Parsed:
    """Headers and text; attachments of plain text formats are read, others are named."""
    mail = message_from_bytes(raw, policy=default)
    subject = normalised(str(mail["Subject"] or "")).replace("\n", " ")
    if not any(mail[header] for header in (*HEADERS, "Subject")):
        raise ValueError("it has none of the headers of an e-mail")
    heads = [f"{header}: {normalised(str(mail[header]))}" for header in HEADERS if mail[header]]
    parts = ["\n\n".join(heads), *map(_body, _bodies(mail))]
    attached = [
        part for part in mail.iter_attachments() if part.get_filename() or part.is_multipart()
    ]
    unread = []
    for number, part in enumerate(attached):
        file = part.get_filename() or "attached message"
        text = _attached(part, file) if number < MAX_ATTACHED else ""
        parts.append(f"## Attachment: {file}" + (f"\n\n{text}" if text else ""))
        unread += [] if text else [file]
    parsed = structured(normalised("\n\n".join(filter(None, parts))), subject, name)
    sent = getattr(mail["Date"], "datetime", None)
    notes = (f"attachments named but not read: {', '.join(unread)}",) if unread else ()
    stated_at = sent.astimezone(UTC) if sent is not None and sent.tzinfo else None
    metadata: dict[str, object] = {
        h.lower(): str(mail[h]) for h in (*HEADERS, "Subject") if mail[h]
    }
    return replace(parsed, stated_at=stated_at, metadata=metadata, notes=notes)


def _bodies(mail: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that a mail program shows: of two forms of one text, the plain one with words."""
    for kind in ("plain", "html"):
        body = cast(EmailMessage | None, mail.get_body((kind,)))
        if body is not None and _body(body).strip():
            yield body
            break
    if mail.get_content_type() == "multipart/mixed":
        for part in [*mail.iter_parts()][1:]:
            is_file = part.get_filename() or part.get_content_disposition() == "attachment"
            if not is_file and part.get_content_type() in ("text/plain", "text/html"):
                yield cast(EmailMessage, part)


def _body(body: EmailMessage) -> str:
    raw = cast(bytes, body.get_payload(decode=True) or b"")
    charset = body.get_content_charset()
    if body.get_content_type() == "text/html":
        if charset:
            raw = _as_utf8(raw, charset)
        return parser_of("html").parse(raw, "").text
    text = decoded(_as_utf8(raw, charset) if charset else raw)
    if str(body.get_param("format", "")).lower() == "flowed":
        text = re.sub(r"(?<=[^-\s] )\r?\n(?!>)", "", text)  # a space at its end joins a line
    return text


def _as_utf8(raw: bytes, charset: str) -> bytes:
    """Bytes that are in the declared encoding, in UTF-8 with its mark; else as they are."""
    try:
        return raw.decode(charset).encode("utf-8-sig")
    except (LookupError, UnicodeDecodeError):
        return raw


def _attached(part: EmailMessage, file: str) -> str:
    """The text of an attachment of a plain format, or of an attached message."""
    if part.get_content_type() == "message/rfc822":
        return "\n\n".join(parse(inner.as_bytes(), "").text for inner in part.iter_parts())
    format = FORMATS.get(splitext(file)[1].lower())
    content = part.get_payload(decode=True)
    if format not in PLAIN_TEXT or not isinstance(content, bytes):
        return ""
    return parser_of(format).parse(content, file).text
