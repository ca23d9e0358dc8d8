"""The Layers page in a real browser, over made-up verdicts (tests/fakes/layers_app.py)."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the page's tests need playwright")

from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venvs" / "evals" / "bin" / "python"
STATES = ("fault", "double", "serving", "ok", "stale", "empty")


@pytest.fixture(scope="module")
def layers() -> Iterator[Callable[[str], str]]:
    """Base URL of the page in a state; it runs in the evals environment."""
    if not PYTHON.exists():
        pytest.skip("the evals environment is not installed: run `make install`")
    running: dict[str, tuple[subprocess.Popen[str], str]] = {}

    def url(state: str) -> str:
        if state not in running:
            command = [PYTHON, "-P", ROOT / "tests" / "fakes" / "layers_app.py", state]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            running[state] = process, process.stdout.readline().strip()
        return running[state][1]

    yield url
    for process, _ in running.values():
        with process:
            process.terminate()


@pytest.mark.parametrize("state", STATES)
def test_no_state_scrolls_sideways_or_asks_another_origin(page_of_each_width, layers, state):
    page: Page = page_of_each_width
    foreign, complaints = [], []
    url = layers(state)
    page.on("request", lambda r: None if r.url.startswith(url) else foreign.append(r.url))
    page.on("console", lambda message: complaints.append(message.text))
    for path in ("/", "/history/20261123T160000Z") if state != "empty" else ("/",):
        page.goto(url + path)
        width = page.viewport_size["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert foreign == []
    assert complaints == []  # the policy refused nothing that the page needs
    assert page.evaluate("typeof window.ran") == "undefined"


def test_the_layer_at_fault_is_named_by_words_not_by_colour_alone(page_of_each_width, layers):
    page = page_of_each_width
    page.goto(layers("fault"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("The application broke 50%")
    expect(page.get_by_role("region", name="Application")).to_contain_text("AT FAULT")
    expect(page.get_by_role("region", name="Data")).to_contain_text("NO HARM SEEN")
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.last).to_contain_text("✗ wrong")
    expect(rows.last).to_contain_text("what users get")


def test_a_stale_page_says_no_data_in_every_box(page, layers):
    page.goto(layers("stale"))
    for name in ("Data", "Serving", "Application"):
        expect(page.get_by_role("region", name=name)).to_contain_text("NO DATA")
    expect(page).to_have_title("NO DATA · Faultline layers")


def test_both_prompts_of_an_example_open_with_the_keyboard_alone(page, layers):
    page.goto(layers("fault"))
    link = page.get_by_role("link", name="Both prompts of each")
    link.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Both prompts").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Before").first).to_be_visible()
    expect(page.locator("pre").nth(2)).to_contain_text("Briefly.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_paper_in_light_and_dark(page, layers, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(layers("fault"))
    ratios = page.evaluate(CONTRAST)
    assert ratios
    assert min(ratios.values()) >= 4.5, ratios


CONTRAST = """() => {
  const light = (colour) => {
    const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.match(/\\d+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const paper = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
  };
  const found = {};
  const words = "h1, h2, p, dt, dd, th, td, a, code, .state, strong, .hint";
  for (const node of document.querySelectorAll(words)) {
    const [a, b] = [light(getComputedStyle(node).color), light(paper(node))];
    const key = `${node.tagName}.${node.className}`;
    found[key] = Math.min(found[key] ?? 99, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return found;
}"""
