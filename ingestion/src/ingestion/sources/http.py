"""Pages of a web site, from a list of URLs or a sitemap; a page that has not changed stays kept.

Only an answer "not there" (404, 410) or a sitemap without it removes a page. One that cannot be
fetched now has a problem, and its last good version stays in the index.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree

import httpx
from pydantic import BaseModel

from ingestion.errors import DocumentError, UsageError
from ingestion.parsers import FORMAT_OF_TYPE, format_of
from ingestion.sources import Found
from ingestion.sources.hosts import GuardedTransport, HostGuard
from ingestion.state.files import PARTIAL, write_whole

PAGE_SECONDS = 30  # for a whole page, however slowly it drips
MAX_REDIRECTS = 5
MAX_PAGES = 50_000
MAX_SITEMAPS = 100
PARTIAL_SECONDS = 3600  # a partial file of this age was left by a run that was killed
FAILURES_OF_A_HOST = 5  # in a row; then it is asked no more in this run


class Page(BaseModel):
    """What is kept of a page beside its bytes."""

    sha256: str
    format: str
    raw_bytes: int
    changed_at: datetime
    etag: str | None = None
    last_modified: str | None = None


class HttpSource:
    """Pages by URL; the path of one is its URL without the scheme."""

    def __init__(
        self,
        urls: Sequence[str],
        guard: HostGuard,
        kept: Path,
        max_file_bytes: int,
        note: Callable[[str], None] = lambda text: None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._urls = urls
        self._transport = transport or GuardedTransport(guard)
        self._kept = kept
        self._max_file_bytes = max_file_bytes
        self._note = note

    def scan(self) -> Iterator[Found]:
        """Every page, fetched where it has changed; UsageError if a sitemap cannot be read."""
        answers: Counter[str] = Counter()
        failures: Counter[str] = Counter()  # in a row, by host
        listed = set()
        with self._client() as client:
            for url in self._pages(client):
                path = _path_of(url)
                listed.add(self._file(path))
                host = path.partition("/")[0]
                try:
                    if failures[host] >= FAILURES_OF_A_HOST:
                        raise DocumentError(f"not asked: {host} failed {failures[host]} times")
                    answer = self._refresh(client, url)
                    failures[host] = 0
                except (httpx.HTTPError, httpx.InvalidURL, DocumentError) as error:
                    failures[host] += isinstance(error, httpx.TransportError)
                    answers["failed"] += 1
                    yield Found(path, "", "", 0, _words(error))
                    continue
                answers[answer] += 1
                if page := self._page(path):
                    yield Found(path, page.format, page.sha256, page.raw_bytes)
        self._forget_all_but(listed)
        self._note(", ".join(f"{count} pages {answer}" for answer, count in answers.items()))

    def _forget_all_but(self, listed: set[Path]) -> None:
        """Remove pages that are not listed any more, and what a killed run was still writing."""
        for file in set(self._kept.glob("*")) - listed:
            with suppress(FileNotFoundError):  # another run cleans up too
                age = time.time() - file.stat().st_mtime
                if file.suffix != PARTIAL or age > PARTIAL_SECONDS:
                    file.unlink()

    def read(self, path: str) -> bytes:
        """Raw bytes of a page as they were last fetched."""
        try:
            return self._file(path).read_bytes().split(b"\n", 1)[1]
        except OSError as error:
            raise DocumentError("it was never fetched") from error

    def changed_at(self, path: str) -> datetime:
        """By its Last-Modified, or when another content was first fetched."""
        page = self._page(path)
        return page.changed_at if page else datetime.now(UTC)

    def _client(self) -> httpx.Client:
        return httpx.Client(
            transport=self._transport,
            timeout=PAGE_SECONDS,
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            trust_env=False,  # no proxy and no password of this account
            headers={"User-Agent": "faultline-ingestion"},
        )

    def _pages(self, client: httpx.Client) -> list[str]:
        """URLs of the pages, each once: those given, with those of sitemaps in place of these."""
        queue, pages, sitemaps = list(self._urls), dict[str, str](), 0
        while queue:
            url = queue.pop(0)
            if not url.partition("?")[0].endswith(".xml"):
                pages.setdefault(_path_of(url), url)
                continue
            sitemaps += 1
            queue += self._sitemap(client, url)
            if sitemaps > MAX_SITEMAPS or len(queue) + len(pages) > MAX_PAGES:
                raise UsageError(
                    f"{url} leads to over {MAX_PAGES:,} pages or {MAX_SITEMAPS} sitemaps: declare "
                    "several sources. Nothing was changed."
                )
        return list(pages.values())

    def _sitemap(self, client: httpx.Client, url: str) -> list[str]:
        try:
            with client.stream("GET", url) as response:
                response.raise_for_status()
                raw = self._body(response)
            if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
                raise DocumentError("it declares entities")
            found = ElementTree.fromstring(raw)  # noqa: S314  # no entities, and a limit on its size
        except (httpx.HTTPError, httpx.InvalidURL, DocumentError, ElementTree.ParseError) as error:
            raise UsageError(
                f"The sitemap {url} cannot be read ({_words(error)}): check it. Nothing was "
                "changed, since its pages would have looked deleted."
            ) from error
        return [loc.text.strip() for loc in found.iterfind("./{*}*/{*}loc") if loc.text]

    def _refresh(self, client: httpx.Client, url: str) -> str:
        """Bring the kept copy of a page up to date; what the host said of it."""
        path = _path_of(url)
        page = self._page(path)
        headers = {}
        if page and page.etag:
            headers["If-None-Match"] = page.etag
        if page and page.last_modified:
            headers["If-Modified-Since"] = page.last_modified
        with client.stream("GET", url, headers=headers) as response:
            if response.status_code == httpx.codes.NOT_MODIFIED and page:
                return "unchanged"
            if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
                self._file(path).unlink(missing_ok=True)
                return "gone"
            response.raise_for_status()
            if response.status_code != httpx.codes.OK:
                raise DocumentError(f"it answered {response.status_code}")
            self._keep(path, self._body(response), response)
        return "fetched"

    def _body(self, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + PAGE_SECONDS
        body = bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > self._max_file_bytes:
                raise DocumentError(f"it is over the limit of {self._max_file_bytes:,} bytes")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("it drips")
        return bytes(body)

    def _keep(self, path: str, body: bytes, response: httpx.Response) -> None:
        before = self._page(path)
        sha256 = hashlib.sha256(body).hexdigest()
        modified = response.headers.get("Last-Modified")
        is_same = before is not None and before.sha256 == sha256
        page = Page(
            sha256=sha256,
            format=_format(response.headers.get("Content-Type", ""), path),
            raw_bytes=len(body),
            changed_at=before.changed_at if before and is_same else _date(modified),
            etag=response.headers.get("ETag"),
            last_modified=modified if _tells_edits_apart(response) else None,
        )
        # One file: one commit.
        write_whole(self._file(path), page.model_dump_json().encode() + b"\n" + body)

    def _page(self, path: str) -> Page | None:
        try:
            with self._file(path).open("rb") as file:
                return Page.model_validate_json(file.readline())
        except (OSError, ValueError):
            return None

    def _file(self, path: str) -> Path:
        return self._kept / hashlib.sha256(path.encode()).hexdigest()


def _path_of(url: str) -> str:
    return url.partition("://")[2].partition("#")[0]


def _format(content_type: str, path: str) -> str:
    """By what the host says, unless that is plain text or XML and the name knows better."""
    format = FORMAT_OF_TYPE.get(content_type.partition(";")[0].strip().lower())
    if format in (None, "text", "xml"):
        try:
            return format_of(httpx.URL(f"http://{path}").path)
        except DocumentError:
            if format is None:
                raise
    return str(format)


def _date(last_modified: str | None) -> datetime:
    try:
        return parsedate_to_datetime(last_modified or "").astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _tells_edits_apart(response: httpx.Response) -> bool:
    """True if no later edit of the page can have the same Last-Modified, which counts seconds.

    A page edited in the second of its answer may be edited again in it (RFC 9110, 8.8.2.2).
    """
    sent, modified = response.headers.get("Date"), response.headers.get("Last-Modified")
    if not sent or not modified:
        return bool(modified)
    try:
        return parsedate_to_datetime(modified) < parsedate_to_datetime(sent)
    except (ValueError, TypeError):  # one is no date, or has no time zone
        return False


def _words(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return f"it did not answer in {PAGE_SECONDS} s"
    if isinstance(error, DocumentError):
        return str(error)
    return f"it cannot be fetched: {error or type(error).__name__}"
