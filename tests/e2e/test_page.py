"""The page of the real stack in a real browser: ask a question, open what the answer cites."""

import pytest

pytest.importorskip("playwright", reason="the page's tests need playwright")

from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

QUESTION = "Where do I report a lost laptop?"
ANSWER_SECONDS = 60


def ask(page: Page, api_key: str) -> None:
    """Types the question, and the key if the page asks for one, with the keyboard alone."""
    page.locator("#question").focus()
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    ended = page.locator("#answer article:not([data-state=running])")
    ended.wait_for(timeout=ANSWER_SECONDS * 1000)
    if page.get_by_label("API key").is_visible():
        page.keyboard.type(api_key)
        page.keyboard.press("Enter")
    expect(page.locator("#answer article")).to_have_attribute(
        "data-state", "answered", timeout=ANSWER_SECONDS * 1000
    )


def test_a_question_is_answered_and_its_citation_opens_in_the_document(page_of_each_width, stack):
    page = page_of_each_width
    page.goto(stack.application_url)
    ask(page, stack.api_key)
    quote = page.locator("#answer ol.sources blockquote").first.text_content()
    page.locator("#answer .marker").first.click()
    expect(page.locator("mark")).to_have_text(quote)
    expect(page.locator("mark")).to_be_in_viewport()


def test_a_citation_can_be_reached_and_left_with_the_keyboard_alone(page, stack):
    page.goto(stack.application_url)
    ask(page, stack.api_key)
    focused = page.locator("#answer .marker:focus")
    page.locator("#question").focus()  # it is on the button, where a key was asked for
    page.keyboard.press("Tab")  # the button
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # go to the latest answer
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(focused).to_have_count(1)
