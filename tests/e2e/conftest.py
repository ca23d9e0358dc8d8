"""A headless browser, and the page over recorded answers."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the page's tests need playwright")

from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=30_000)  # milliseconds: a browser on a busy machine is slow

ROOT = Path(__file__).resolve().parents[2]
APPLICATION_PYTHON = ROOT / ".venvs" / "application" / "bin" / "python"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
DEVICES = {
    name: {"viewport": {"width": width, "height": 844}, "is_mobile": touch, "has_touch": touch}
    for name, width, touch in (("desktop", 1280, False), ("phone", 390, True))
}


@pytest.fixture(scope="module")  # its event loop must not outlive these tests: others have theirs
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium found: install it, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--disable-gpu"]
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(**DEVICES["desktop"]) as context:
        yield context.new_page()


@pytest.fixture(params=DEVICES)
def page_of_each_width(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    with browser.new_context(**DEVICES[request.param]) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def replay() -> Iterator[str]:
    """Base URL of the replay app, which runs in the application's environment."""
    if not APPLICATION_PYTHON.exists():
        pytest.skip("the application's environment is not installed: run `make install`")
    app = ROOT / "tests" / "fakes" / "replay_app.py"
    command = [APPLICATION_PYTHON, "-P", app]  # its neighbours there bear the layers' names
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.terminate()
