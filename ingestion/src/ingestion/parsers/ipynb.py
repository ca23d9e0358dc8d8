"""A Jupyter notebook: its text as written, its code in fences, and what the code printed."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ingestion.markup.structure import structured
from ingestion.parsers import parser_of
from ingestion.parsers.document import Parsed
from ingestion.parsers.markdown import without_hidden
from ingestion.text import decoded, normalised

MAX_OUTPUT = 20_000  # characters of one output
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def parse(raw: bytes, name: str) -> Parsed:
    """The cells in order; images are left out."""
    notebook = json.loads(decoded(raw))
    sheets = notebook.get("worksheets") or [notebook]  # version 3 has worksheets
    cells = [cell for sheet in sheets for cell in sheet["cells"]]
    language = _language(notebook.get("metadata") or {})
    parts = [text for cell in cells for text in _cell(cell, language)]
    text, hidden = without_hidden(normalised("\n\n".join(filter(None, parts))))
    notes = (f"hidden parts left out: {hidden}",) if hidden else ()
    return replace(structured(text.strip(), "", name), notes=notes)


def _language(metadata: Mapping[str, Any]) -> str:
    info, kernel = metadata.get("language_info") or {}, metadata.get("kernelspec") or {}
    return str(info.get("name") or kernel.get("language") or "")


def _cell(cell: Mapping[str, Any], language: str) -> Iterator[str]:
    source = _joined(cell.get("source", cell.get("input", ""))).strip("\n")
    kind = cell.get("cell_type")
    if kind == "heading":
        yield f"{'#' * int(cell.get('level', 1))} {source}"
    elif kind != "code":
        yield source
    else:
        yield _fenced(source, language)
        for output in cell.get("outputs") or []:
            yield _output(output)


def _output(output: Mapping[str, Any]) -> str:
    data = output.get("data") or output
    if markdown := _joined(data.get("text/markdown", "")):
        return markdown
    html = _joined(data.get("text/html", ""))
    if "<table" in html or (html and not data.get("text/plain")):
        return parser_of("html").parse(html.encode(), "").text
    if output.get("output_type") in ("error", "pyerr"):
        return _fenced(f"{output.get('ename', '')}: {output.get('evalue', '')}", "")
    text = _joined(output.get("text") or data.get("text/plain", ""))
    return _fenced(_ANSI.sub("", text)[:MAX_OUTPUT].strip("\n"), "")


def _joined(lines: object) -> str:
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}" if text.strip() else ""
