"""axe-core over every state of the page, light and dark, wide and narrow: no serious fault."""

import pytest

pytest.importorskip("playwright", reason="the page's tests need playwright")
pytest.importorskip("axe_playwright_python", reason="the page's tests need axe-playwright-python")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.e2e.test_conversation import FOLLOW_UP, TABLE, THREE_SOURCES, UNSUPPORTED, ask

pytestmark = pytest.mark.e2e
SERIOUS = {"serious", "critical"}
STATES = {
    "start": [],
    "three sources": [THREE_SOURCES],
    "table": [TABLE],
    "abstained": ["What is the capital of Australia?"],
    "degraded": ["How long is the warranty on a Sluice 8?"],
    "unsupported": [UNSUPPORTED],
    "conversation": [THREE_SOURCES, FOLLOW_UP],
    "no key": ["locked"],
    "error": ["error"],
}


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("state", STATES)
def test_no_state_of_the_page_has_a_serious_accessibility_fault(page_of_each_width, replay, state):
    page = page_of_each_width
    page.goto(replay)
    for question in STATES[state]:
        ask(page, question)
    found = {}
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        found[colours] = faults(page)
    assert found == {"light": [], "dark": []}


def test_an_opened_document_and_the_panels_have_no_serious_fault(page_of_each_width, replay):
    page = page_of_each_width
    page.goto(replay)
    ask(page, TABLE)
    page.locator("#answer .marker").first.click()
    page.locator("#document mark").first.wait_for()
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Degraded: model").click()
    assert faults(page) == []


def test_axe_does_find_a_serious_fault(page, replay):
    page.goto(replay)
    for name in ("aria-label", "title"):
        page.evaluate(f"document.getElementById('theme').removeAttribute('{name}')")
    assert any(fault.startswith("button-name") for fault in faults(page))
