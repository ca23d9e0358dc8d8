"""What a web site brings in, what keeps its last good version, and where we are never led."""

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingestion.errors import DocumentError, UsageError
from ingestion.sources import Found
from ingestion.sources.hosts import Forbidden, GuardedTransport, HostGuard
from ingestion.sources.http import HttpSource

SITE = "https://www.example.com"
PUBLIC = "93.184.216.34"
HTML = {"Content-Type": "text/html; charset=utf-8"}


class Site:
    """A web site in memory: answers by path, and what it was asked."""

    def __init__(self, kept: Path) -> None:
        self.kept = kept
        self.answers: dict[str, Any] = {}
        self.asked: list[httpx.Request] = []
        self.notes: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.get(request.url.raw_path.decode(), 404)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        if isinstance(answer, httpx.Response):
            return answer
        etag = f'"{answer}"'
        if request.headers.get("If-None-Match") == etag:
            return httpx.Response(304)
        return httpx.Response(200, text=answer, headers={**HTML, "ETag": etag})

    def source(self, *paths: str, limit: int = 1000) -> HttpSource:
        transport = httpx.MockTransport(self)
        urls = [f"{SITE}{path}" for path in paths]
        guard = HostGuard(frozenset({"www.example.com"}))
        return HttpSource(urls, guard, self.kept, limit, self.notes.append, transport)

    def scan(self, *paths: str, **options: int) -> dict[str, Found]:
        entries = self.source(*paths, **options).scan()
        return {found.path.removeprefix("www.example.com"): found for found in entries}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "pages")


def sitemap(*paths: str, kind: str = "urlset") -> httpx.Response:
    rows = "".join(f"<url><loc> {SITE}{path} </loc></url>" for path in paths)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return httpx.Response(200, text=f'<{kind} xmlns="{space}">{rows}</{kind}>')


def test_pages_are_documents_with_hash_size_and_the_format_that_the_host_names(
    site: Site,
) -> None:
    plain = {"Content-Type": "text/plain"}
    site.answers = {
        "/leave?lang=en": "<p>thirty days</p>",
        "/a.md": httpx.Response(200, text="# A", headers=plain),
        "/terms": httpx.Response(200, text="Terms", headers=plain),
    }

    entries = site.scan("/leave?lang=en", "/a.md", "/terms", "/terms#top")

    formats = {path: found.format for path, found in entries.items()}
    assert formats == {"/leave?lang=en": "html", "/a.md": "markdown", "/terms": "text"}
    assert entries["/a.md"].raw_bytes == 3
    assert site.source().read("www.example.com/leave?lang=en") == b"<p>thirty days</p>"


def test_an_unchanged_page_is_not_sent_again_and_stays_the_same_document(site: Site) -> None:
    site.answers = {"/a": "<p>one</p>", "/b": "<p>two</p>"}
    before = site.scan("/a", "/b")
    site.answers["/b"] = "<p>edited</p>"

    after = site.scan("/a", "/b")

    assert after["/a"] == before["/a"]
    assert after["/b"].sha256 != before["/b"].sha256
    assert site.notes == ["2 pages fetched", "1 pages unchanged, 1 pages fetched"]


def test_last_modified_is_sent_back_where_a_host_gives_no_etag(site: Site) -> None:
    date = "Wed, 01 Jul 2026 12:00:00 GMT"
    site.answers = {"/a": httpx.Response(200, text="x", headers={**HTML, "Last-Modified": date})}
    site.scan("/a")

    site.answers["/a"] = 304
    [found] = site.scan("/a").values()

    assert site.asked[-1].headers["If-Modified-Since"] == date
    assert found.problem is None
    assert f"{site.source().changed_at(found.path):%Y-%m-%d %H}" == "2026-07-01 12"


@pytest.mark.parametrize("gone", [404, 410])
def test_a_page_that_is_gone_is_no_longer_listed(site: Site, gone: int) -> None:
    site.answers = {"/a": "one", "/b": "two"}
    site.scan("/a", "/b")
    site.answers["/a"] = gone

    assert set(site.scan("/a", "/b")) == {"/b"}
    with pytest.raises(DocumentError, match="never fetched"):
        site.source().read("www.example.com/a")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (503, "it answered 503"),
        (429, "it answered 429"),
        (403, "it answered 403"),
        (204, "it answered 204"),
        (304, "it answered 304"),
        (httpx.ReadTimeout("slow"), "it did not answer in 30 s"),
        (httpx.ConnectError("refused"), "it cannot be fetched: refused"),
        ("x" * 1001, "it is over the limit of 1,000 bytes"),
        (httpx.Response(200, headers={"Content-Type": "image/png"}), "format without a suffix"),
        (httpx.Response(302, headers={"Location": f"{SITE}/a"}), "Exceeded maximum"),
    ],
)
def test_a_page_that_cannot_be_fetched_now_has_a_problem_and_is_not_gone(
    site: Site, answer: Any, says: str
) -> None:
    site.answers = {"/a": answer}

    [found] = site.scan("/a").values()

    assert says in str(found.problem)
    assert found.sha256 == ""


def test_a_page_that_fails_keeps_its_last_good_version_in_the_index_and_comes_back(
    world: Any, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.answers = {"/a": "<h1>Leave</h1><p>Thirty days.</p>", "/b": "<p>Keys</p>"}
    monkeypatch.setattr("ingestion.sync.run.source_of", lambda *_: site.source("/a", "/b"))
    world.sync()
    good, site.answers["/a"] = site.answers["/a"], 503

    failed = [world.sync() for _ in range(4)][-1]

    assert failed.outcomes["www.example.com/a"] == "quarantined"
    [entry] = failed.quarantined
    assert entry.reason == "it answered 503; its last good version stays in the index"
    assert any("Thirty days" in text for text in world.visible_texts())
    site.answers["/a"] = good
    assert world.sync().outcomes["www.example.com/a"] == "unchanged"
    site.answers["/a"] = 404
    assert world.sync().outcomes["www.example.com/a"] == "deleted"


def test_a_host_that_does_not_answer_is_soon_left_alone(site: Site) -> None:
    site.answers = {f"/{n}": httpx.ConnectTimeout("") for n in range(9)}

    problems = [str(found.problem) for found in site.scan(*site.answers).values()]

    assert len(site.asked) == 5
    assert problems[5:] == ["not asked: www.example.com failed 5 times"] * 4


def test_a_sitemap_stands_for_its_pages_and_a_page_that_leaves_it_is_gone(site: Site) -> None:
    site.answers = {
        "/sitemap.xml": sitemap("/one.xml", "/two.xml", kind="sitemapindex"),
        "/one.xml": sitemap("/a", "/b"),
        "/two.xml": sitemap("/b", "/c"),
        **{"/a": "a", "/b": "b", "/c": "c"},
    }
    assert set(site.scan("/sitemap.xml")) == {"/a", "/b", "/c"}
    site.answers["/one.xml"] = sitemap("/b")

    assert set(site.scan("/sitemap.xml")) == {"/b", "/c"}
    assert len(list(site.kept.iterdir())) == 2


@pytest.mark.parametrize(
    "answer",
    [
        404,
        500,
        httpx.ConnectError("refused"),
        httpx.Response(200, text="<html>Sign in"),
        httpx.Response(200, text='<!DOCTYPE a [<!ENTITY b "c">]><urlset/>'),
    ],
)
def test_a_sitemap_that_cannot_be_read_stops_the_scan(site: Site, answer: Any) -> None:
    site.answers = {"/sitemap.xml": answer}

    with pytest.raises(UsageError, match="Nothing was changed, since its pages would have looked"):
        site.scan("/sitemap.xml")


def guarded(
    addresses: dict[str, list[str]], hosts: set[str], answer: Any = None, private: bool = False
) -> tuple[httpx.Client, list[httpx.Request]]:
    """A client behind a guard, with a resolver of our own, and what went out."""
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer or httpx.Response(200)

    transport = GuardedTransport(
        HostGuard(frozenset(hosts), private),
        lambda host, port: addresses[host],
        lambda: httpx.MockTransport(handle),
    )
    return httpx.Client(transport=transport, follow_redirects=True), sent


def test_the_connection_goes_to_the_address_that_was_checked_in_the_name_of_the_host() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    client, sent = guarded({}, {"www.example.com"})
    resolving: Callable[[str, int], list[str]] = lambda host, port: next(answers)  # noqa: E731
    client._transport._resolve = resolving  # type: ignore[attr-defined]

    client.get(f"{SITE}/a?b=c")

    assert str(sent[0].url) == f"https://{PUBLIC}/a?b=c"
    assert sent[0].headers["Host"] == "www.example.com"
    assert sent[0].extensions["sni_hostname"] == "www.example.com"
    with pytest.raises(Forbidden):
        client.get(f"{SITE}/a")  # the name now leads to ourselves
    assert len(sent) == 1


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
        "2001:0:53aa:64c:0:0:80ff:fffe",
    ],
)
def test_no_private_loopback_link_local_or_metadata_address_is_asked(address: str) -> None:
    client, sent = guarded({"www.example.com": [PUBLIC, address]}, {"www.example.com"})

    with pytest.raises(Forbidden, match="is private, or serves machines' metadata"):
        client.get(SITE)

    assert sent == []


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "fe80::1", "0.0.0.0"])
def test_an_intranet_may_be_allowed_but_never_metadata(address: str) -> None:
    hosts = {"wiki.intranet"}
    client, sent = guarded({"wiki.intranet": ["10.0.0.1"]}, hosts, private=True)
    assert client.get("http://wiki.intranet/").status_code == 200
    client, sent = guarded({"wiki.intranet": [address]}, hosts, private=True)

    with pytest.raises(Forbidden):
        client.get("http://wiki.intranet/")

    assert sent == []


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest", "http://internal.example/", "http://2130706433/", "ftp://x/"],
)
def test_a_redirect_is_checked_like_any_other_request(target: str) -> None:
    addresses = {"www.example.com": [PUBLIC], "internal.example": ["10.0.0.1"]}
    redirect = httpx.Response(302, headers={"Location": target})
    client, sent = guarded(addresses, {"www.example.com"}, redirect)

    with pytest.raises(httpx.HTTPError):
        client.get(SITE)

    assert len(sent) == 1


def test_a_redirect_to_an_allowed_host_with_a_private_address_is_refused() -> None:
    addresses = {"www.example.com": [PUBLIC], "internal.example": ["10.0.0.1"]}
    redirect = httpx.Response(302, headers={"Location": "http://internal.example/"})
    client, sent = guarded(addresses, set(addresses), redirect)

    with pytest.raises(Forbidden):
        client.get(SITE)

    assert len(sent) == 1


@pytest.fixture
def port() -> Iterator[int]:
    """A real server on this machine, which tells the Host that it was asked as."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(str(self.headers["Host"]).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_real_page_is_fetched_by_address_and_a_private_one_only_where_that_is_wanted(
    tmp_path: Path, port: int
) -> None:
    def scan(private: bool) -> list[Found]:
        guard = HostGuard(frozenset({"wiki.intranet"}), private)
        transport = GuardedTransport(guard, lambda host, port: ["127.0.0.1"])
        url = f"http://wiki.intranet:{port}/a"
        return list(HttpSource([url], guard, tmp_path, 100, transport=transport).scan())

    [refused] = scan(private=False)
    [found] = scan(private=True)

    assert "127.0.0.1 is private" in str(refused.problem)
    assert (found.problem, found.raw_bytes) == (None, len(f"wiki.intranet:{port}"))


def test_a_page_edited_twice_within_a_second_is_fetched_again(site: Site) -> None:
    date = "Wed, 01 Jul 2026 12:00:00 GMT"
    headers = {**HTML, "Last-Modified": date, "Date": date}
    site.answers = {"/a": httpx.Response(200, text="one", headers=headers)}
    site.scan("/a")

    site.scan("/a")

    assert "If-Modified-Since" not in site.asked[-1].headers


def test_a_page_that_another_run_is_writing_is_left_alone(site: Site) -> None:
    site.answers = {"/a": "<p>one</p>"}
    site.scan("/a")
    theirs = site.kept / "0123.partial"
    theirs.write_bytes(b"half")

    site.scan("/a")
    was_left = theirs.exists()
    os.utime(theirs, (0, 0))
    site.scan("/a")

    assert was_left
    assert not theirs.exists()
