"""300 payloads in every place of the page, in a real browser: no script, no other origin.

The texts are answers of the application's own page, given by the browser's interception.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.conftest import browser, page, replay
from tests.security.noted import note
from tests.security.payloads import PAYLOADS

pytest.importorskip("playwright", reason="the page's tests need playwright")

from playwright.sync_api import Page, Route, expect

__all__ = ["browser", "page", "replay"]  # fixtures
pytestmark = pytest.mark.e2e
PER_PAGE = 60
BATCHES = [PAYLOADS[n : n + PER_PAGE] for n in range(0, len(PAYLOADS), PER_PAGE)]
MADE = (
    "script:not([src^='static/']), iframe, object, embed, video, audio, base, form:not([id]), "
    "body style, body link, body img:not([src^='static/']), [onerror], [onload], [style*=url], "
    "a[href^='javascript' i], a[href^='data' i], a[href*='outside.example']:not([href^='#'])"
)


def answer_of(payloads: list[str], pattern: dict[str, Any]) -> dict[str, Any]:
    """The replay's answer with a payload in each text of it."""
    places = [{"title": p, "path": p, "document_id": p or "x"} for p in payloads]
    return pattern | {
        "text": "\n".join(f"{p} [{n}]" for n, p in enumerate(payloads, start=1)),
        "reason": " ".join(payloads),
        "notes": payloads,
        "citations": [
            pattern["citations"][0] | place | {"number": n, "quote": place["title"]}
            for n, place in enumerate(places, start=1)
        ],
        "passages": [
            pattern["passages"][0] | place | {"text": place["title"], "source": place["title"]}
            for place in places
        ],
        "provenance": pattern["provenance"] | {"model": " ".join(payloads)},
    }


def events_of(answer: dict[str, Any]) -> str:
    parts = [("passages", answer["passages"])]
    parts += [("token", {"text": piece}) for piece in answer["text"].split("\n")]
    parts += [("answer", answer)]
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in parts)


@pytest.fixture(scope="module")
def ran() -> Iterator[dict[str, int]]:
    """Sums of all batches, noted at the end."""
    sums = {"payloads": 0, "scripts": 0, "requests": 0}
    yield sums
    n = sums["payloads"]
    note("browser_scripts", "payloads that ran a script in a real browser", sums["scripts"], n)
    note("browser_requests", "requests of them to another origin", sums["requests"], n)


@pytest.mark.parametrize("payloads", BATCHES, ids=range(len(BATCHES)))
def test_no_payload_runs_a_script_or_reaches_another_origin(
    page: Page, replay: str, payloads: list[str], ran: dict[str, int]
) -> None:
    foreign: list[str] = []
    dialogs: list[str] = []

    def intercept(route: Route) -> None:
        url = route.request.url
        if not url.startswith((replay, "data:")):
            foreign.append(url)
            route.abort()
        elif "/v1/documents/" in url:
            document = {"document_id": "x", "version": "v", "source": payloads[0]}
            text = " ".join(payloads)
            route.fulfill(
                json=document | {"title": text, "path": text, "format": text, "text": text}
            )
        else:
            route.fallback()

    page.route("**/*", intercept)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(replay)
    with page.expect_response("**/v1/ask") as asked:
        page.locator("#question").fill("answered")
        page.locator("#question").press("Enter")
    said = asked.value.text().replace("\r", "")
    pattern = json.loads(said.split("event: answer\ndata: ")[1].split("\n")[0])
    body = events_of(answer_of(payloads, pattern))
    page.route(
        "**/v1/ask", lambda r: r.fulfill(status=200, content_type="text/event-stream", body=body)
    )
    page.locator("#question").fill(" ".join(payloads)[:4000])  # a question is shown, too
    page.locator("#question").press("Enter")
    expect(page.locator("#answer .headline")).to_contain_text("Answered")
    expect(page.locator("#answer .marker")).not_to_have_count(2)
    for summary in page.locator("#answer summary").all():
        summary.click()
    page.locator("#answer .marker").first.click()
    expect(page.locator("#document-text")).not_to_be_empty()
    page.keyboard.press("Escape")
    for name in ("mouseover", "focus", "click"):
        page.locator("#answer article").first.dispatch_event(name)
    made = page.locator(MADE).evaluate_all("(all) => all.map((one) => one.outerHTML)")
    scripts = len(dialogs) + (page.evaluate("typeof window.ran") != "undefined")
    ran["payloads"] += len(payloads)
    ran["scripts"] += scripts
    ran["requests"] += len(foreign)
    assert (scripts, foreign, dialogs, made) == (0, [], [], [])
    assert page.url.startswith(replay)


def test_a_page_that_renders_the_payloads_as_markup_does_run_them(page: Page) -> None:
    page.route("**/*", lambda route: route.abort())
    page.set_content("".join(PAYLOADS[:60]))
    page.wait_for_function("window.ran === 1")
