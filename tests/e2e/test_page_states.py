"""Every state of the page, in a real browser, over recorded answers (tests/fakes/replay_app.py)."""

import pytest

pytest.importorskip("playwright", reason="the page's tests need playwright")

from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

QUOTE = "Full-time staff take up to 26 weeks of paid parental leave"
MARKERS = "#answer .marker"


def ask(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")


def test_a_citation_opens_its_document_with_the_cited_span_marked(page_of_each_width, replay):
    page = page_of_each_width
    page.goto(replay)
    ask(page, "answered")
    page.locator(MARKERS).first.click()
    expect(page.get_by_role("dialog", name="Parental leave")).to_be_visible()
    expect(page.locator("mark")).to_have_text(QUOTE)  # emoji before it: offsets are code points
    expect(page.locator("mark")).to_be_in_viewport()
    expect(page.locator("#document-place")).to_contain_text("version 9f2b6a0c4d1e")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_everything_can_be_done_with_the_keyboard(page, replay):
    page.goto(replay)
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("answered")
    page.keyboard.press("Enter")
    marker = page.locator(MARKERS).first
    expect(marker).to_be_visible()
    page.keyboard.press("Tab")  # the button
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # go to the latest answer
    expect(page.get_by_role("heading", name="answered")).to_be_focused()
    page.keyboard.press("Tab")
    expect(marker).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(marker).to_be_focused()


def test_the_final_answer_replaces_the_pieces_and_names_what_answered(page, replay):
    page.goto(replay)
    ask(page, "answered")
    expect(page.locator("#answer .text")).to_have_text(
        f"{QUOTE} [1]. They give eight weeks of notice in Zürich and six in Porto [2]."
    )
    expect(page.locator("#answer ol.sources").first.locator("li")).to_have_count(2)
    page.get_by_text("Which versions answered").click()
    facts = page.locator("#answer .facts")
    for fact in (
        "faultline-5d0c1e7a9b3f2468",
        "run-2026-11-22",
        "a1b2c3d4e5f60718",
        "temperature 0",
    ):
        expect(facts).to_contain_text(fact)


def test_a_screen_reader_hears_the_answer_once_and_not_each_piece(page, replay):
    page.goto(replay)
    page.evaluate(
        """() => {
            window.heard = [];
            const region = document.getElementById("announcement");
            new MutationObserver(() => heard.push(region.textContent))
                .observe(region, {childList: true});
        }"""
    )
    ask(page, "answered")
    expect(page.locator("#announcement")).to_contain_text(QUOTE)
    searching, answer = page.evaluate("window.heard")
    assert searching == "Searching the documents"
    assert answer.startswith("Answered from the documents")


@pytest.mark.parametrize(
    ("question", "headline", "words"),
    [
        ("abstained", "Not found in the documents", "below the bar"),
        ("empty", "Not found in the documents", "make sync"),
        ("degraded", "Passages only", "The chat model did not reply within 10 s."),
        ("error", "Retrieval unavailable", "The vector store does not reply"),
        ("busy", "Too many questions", "You can ask again in 12 seconds."),
        ("late error", "Retrieval unavailable", "start it, then ask again"),
        ("cut", "Cut short", "closed before the answer was complete"),
    ],
)
def test_a_question_without_an_answer_says_why(page, replay, question, headline, words):
    page.goto(replay)
    ask(page, question)
    expect(page.locator("#answer .headline")).to_contain_text(headline)
    expect(page.locator("#answer")).to_contain_text(words)


def test_escape_stops_the_generation_at_the_server(page, replay):
    page.goto(replay)
    ask(page, "slow")
    expect(page.locator("#answer .text")).to_contain_text("Full-time staff")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#answer .headline")).to_contain_text("Stopped: unfinished")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    assert page.request.get(f"{replay}/stopped").json() is True


def test_a_deep_link_works_on_reload_and_with_back(page, replay):
    page.goto(replay)
    ask(page, "answered")
    page.locator(MARKERS).nth(1).click()
    expect(page.locator("tr:has(mark)").first).to_have_text("Zürich268 weeks")
    page.reload()
    expect(page.locator("tr:has(mark)").first).to_have_text("Zürich268 weeks")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert "#doc" not in page.url
    page.go_back()
    expect(page.locator("mark").first).to_be_visible()


def test_a_link_to_another_version_or_a_missing_document_says_so(page, replay):
    page.goto(f"{replay}/#doc=handbook/people/parental leave.md&start=2&end=10&version=older")
    expect(page.locator("#document-note")).to_contain_text("has changed since the answer")
    page.goto(f"{replay}/#doc=handbook/gone.md&start=0&end=9")
    expect(page.locator("#document-note")).to_contain_text("may have been deleted since")


def test_a_key_is_asked_for_only_when_the_application_wants_one(page, replay):
    page.goto(replay)
    expect(page.get_by_label("API key")).to_be_hidden()
    ask(page, "locked")
    expect(page.get_by_label("API key")).to_be_focused()
    page.keyboard.type("replay-key")
    page.keyboard.press("Enter")
    expect(page.locator(MARKERS)).to_have_count(2)
    expect(page.get_by_label("API key")).to_be_hidden()
    kept = page.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert "replay-key" not in kept


def test_a_key_in_the_links_fragment_is_used_and_leaves_the_address(page, replay):
    page.goto(f"{replay}/#key=replay-key")
    ask(page, "locked")
    expect(page.locator(MARKERS)).to_have_count(2)
    expect(page.get_by_label("API key")).to_be_hidden()
    assert "key" not in page.url


def test_hostile_texts_run_no_script_and_reach_no_other_origin(page, replay):
    foreign = []
    page.on(
        "request", lambda sent: None if sent.url.startswith(replay) else foreign.append(sent.url)
    )
    page.goto(replay)
    ask(page, "hostile error")
    expect(page.locator("#answer .headline")).to_contain_text("<script>")
    ask(page, "hostile")
    expect(page.locator("#answer .headline")).to_contain_text("Answered")
    payloads = page.locator(MARKERS).count()
    places = page.evaluate(
        """[...document.querySelectorAll("#answer .marker")].map((a) => a.hash)"""
    )
    for number, place in enumerate(places, start=1):
        page.evaluate("(place) => { location.hash = place; }", place)
        expect(page.locator("#document-place")).to_contain_text("version")
        expect(page.locator("#document-text")).to_contain_text("<script>")
        assert f"hostile%2F{number}&" in page.url
    made = "script:not([src^='static/']), iframe, object, embed, video, base, [onerror], [onload]"
    assert payloads >= 30
    assert (
        page.locator(f"{made}, body img:not([src^='static/']), a[href^='javascript']").count() == 0
    )
    assert page.evaluate("typeof window.ran") == "undefined"
    assert foreign == []


@pytest.mark.parametrize("question", ["answered", "hostile"])
def test_nothing_scrolls_sideways_on_the_narrowest_phone(page, replay, question):
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(replay)
    ask(page, question)
    expect(page.locator("#answer .headline")).to_contain_text("Answered")
    for summary in page.locator("#answer summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_header_tells_which_layer_is_not_ready(page, replay):
    page.goto(replay)
    page.get_by_role("button", name="Degraded: model").click()
    expect(page.locator("#checks")).to_contain_text("No usable answer; is it running?")
    layers = page.get_by_role("link", name="Layers")
    expect(layers).to_have_attribute("href", "http://127.0.0.1:8090/layers")


def test_an_application_that_is_gone_is_told_from_one_that_is_down(page, replay):
    page.goto(replay)
    page.route("**/health/ready", lambda route: route.abort())
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page, "answered")
    expect(page.locator("#answer")).to_contain_text("Check that it is running, then try again.")
    expect(page.get_by_role("button", name="Down: application")).to_be_visible()


def test_everything_down_is_read_from_a_reply_with_status_503(page, replay):
    down = {name: {"ok": False, "detail": "gone"} for name in ("embedder", "index", "model")}
    readiness = {"status": "down", "checks": down}
    page.route("**/health/ready", lambda route: route.fulfill(status=503, json=readiness))
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(replay)
    expect(page.get_by_role("button", name="Down: embedder, index, model")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
