"""The page and its files as the server sends them, without a browser."""

import hashlib
import re
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from application.web.routes import EXAMPLES, WEB, router, static_files


def client_for(layers_url: str) -> TestClient:
    app = FastAPI()
    app.state.settings = SimpleNamespace(layers_url=layers_url)
    app.include_router(router)
    app.mount("/static", static_files)
    return TestClient(app)


def test_the_page_allows_no_inline_script_no_markup_from_strings_and_no_other_origin():
    page = client_for("").get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)


def test_the_layers_link_is_there_only_where_the_address_is_set():
    assert ">Layers</a>" not in client_for("").get("/").text
    linked = client_for("http://127.0.0.1:8085/?a=1&b=2").get("/").text
    assert 'href="http://127.0.0.1:8085/?a=1&amp;b=2">Layers</a>' in linked


def test_the_example_questions_are_offered():
    page = client_for("").get("/").text
    assert EXAMPLES
    assert all(example in page for example in EXAMPLES)


STATIC = WEB / "static"
FILES = sorted(p.relative_to(STATIC).as_posix() for p in STATIC.rglob("*") if p.is_file())


@pytest.mark.parametrize("path", FILES)
def test_every_file_of_the_page_is_served_under_its_policy_and_asked_for_again(path):
    reply = client_for("").get(f"/static/{path}")
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


def test_the_library_is_the_published_one_and_keeps_its_licence():
    found = hashlib.sha256((STATIC / "vendor" / "marked.esm.js").read_bytes()).hexdigest()
    assert found in (STATIC / "vendor" / "README.md").read_text(encoding="utf-8")
    assert "MarkedJS" in (STATIC / "vendor" / "marked.LICENSE.txt").read_text(encoding="utf-8")
