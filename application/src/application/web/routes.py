"""Serves the page and its static files; everything else the page does goes through `/v1`."""

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from contracts.urls import without_user

WEB = Path(__file__).parent
EXAMPLES: list[str] = json.loads((WEB / "examples.json").read_text(encoding="utf-8"))
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",  # the browser refuses innerHTML with a string
            "trusted-types 'none'",
        )
    ),
}

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(WEB / "templates")


class PageFiles(StaticFiles):
    """Static files under names without hashes, so the browser asks each time if they changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Add the page's headers to the file."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response


static_files = PageFiles(directory=WEB / "static")


@router.get("/")
def page(request: Request) -> Response:
    """The page, with example questions and a link to the Layers page where one is set."""
    layers = without_user(request.app.state.settings.layers_url)
    context = {"examples": EXAMPLES, "layers_url": layers}
    return templates.TemplateResponse(request, "page.html", context, headers=HEADERS)
