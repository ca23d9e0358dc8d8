"""Draws docs/screenshots/: the real page over the answers of tests/fakes/sample_answers.py.

Run it: make screenshots
"""

import subprocess
import sys

from playwright.sync_api import Browser, Route, sync_playwright
from tests.e2e.conftest import APPLICATION_PYTHON, CHROMIUM, ROOT
from tests.e2e.test_conversation import TABLE, THREE_SOURCES, ask

FOLDER = ROOT / "docs" / "screenshots"
SIZE = {"width": 1440, "height": 810}
MOST_BYTES = 300_000
READY = {
    name: {"ok": True, "detail": "answers"}
    for name in ("embedder", "index", "model", "bundle", "events")
}


def draw(browser: Browser, url: str, name: str, colours: str, question: str, opened: bool) -> None:
    """Asks the question, opens what [1] cites where `opened`, and keeps the picture."""
    with browser.new_context(viewport=SIZE, color_scheme=colours) as context:
        page = context.new_page()
        page.route("**/health/ready", ready)
        page.goto(url)
        ask(page, question)
        if opened:
            page.locator("#answer .marker").first.click()
            page.locator("#document mark").first.wait_for()
        path = FOLDER / f"{name}.png"
        page.screenshot(path=path)
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")
        if path.stat().st_size > MOST_BYTES:
            sys.exit(f"{name}.png is larger than {MOST_BYTES} bytes: make SIZE smaller.")


def ready(route: Route) -> None:
    """Every layer ready: what the replay app says of itself is a test's state."""
    route.fulfill(json={"status": "ready", "checks": READY})


def main() -> None:
    """Draws both pictures."""
    if CHROMIUM is None:
        sys.exit("No chromium found: install it, or set CHROMIUM to its path.")
    app = ROOT / "tests" / "fakes" / "replay_app.py"
    command = [APPLICATION_PYTHON, "-P", app]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        sync_playwright() as playwright,
    ):
        url = process.stdout.readline().strip()
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        draw(browser, url, "answer", "light", THREE_SOURCES, opened=False)
        draw(browser, url, "document", "dark", TABLE, opened=True)
        browser.close()
        process.terminate()


if __name__ == "__main__":
    main()
