"""The zipped package of an Office file or a book, opened with limits."""

import io
import zipfile

from ingestion.errors import DocumentError

MAX_UNZIPPED_BYTES = 200_000_000


def opened(raw: bytes, doctypes: bool = False) -> zipfile.ZipFile:
    """The package; DocumentError if it is encrypted, unpacks to too much, or has XML entities."""
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentError(
            "it is encrypted, or of an old format: "
            "save it as .docx, .xlsx or .pptx without a password"
        )
    package = zipfile.ZipFile(io.BytesIO(raw))
    if sum(part.file_size for part in package.infolist()) > MAX_UNZIPPED_BYTES:
        raise DocumentError(f"it unpacks to more than {MAX_UNZIPPED_BYTES:,} bytes")
    for part in package.namelist():
        xml = package.read(part) if part.endswith((".xml", ".rels", ".opf")) else b""
        refuse_entities(xml, doctypes)
    return package


def refuse_entities(xml: bytes, doctypes: bool = False) -> None:
    """DocumentError if XML declares entities, or any document type unless `doctypes` allows it."""
    for form in (xml, xml.replace(b"\0", b"")):  # the second is for UTF-16
        if b"<!ENTITY" in form or (b"<!DOCTYPE" in form and not doctypes):
            raise DocumentError("it declares XML entities, which are not read")
