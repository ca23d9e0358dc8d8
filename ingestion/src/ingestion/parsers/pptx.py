"""Slides as Markdown: a heading per slide, its texts, tables and charts' data, then its notes."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pptx import Presentation
from pptx.util import Emu

from ingestion.markup.marks import mark_of
from ingestion.markup.structure import structured
from ingestion.markup.table import table
from ingestion.parsers import package
from ingestion.parsers.document import Parsed
from ingestion.text import normalised


def parse(raw: bytes, name: str) -> Parsed:
    """Every slide that is shown, in order; hidden ones are left out and counted."""
    package.opened(raw).close()
    slides = Presentation(io.BytesIO(raw)).slides
    parts, hidden = [], 0
    for number, slide in enumerate(slides, 1):
        if slide._element.get("show") in ("0", "false"):
            hidden += 1
            continue
        title = slide.shapes.title
        heading = " ".join(title.text_frame.text.split()) if title is not None else ""
        parts.append(f"## {heading or f'Slide {number}'}")
        title_id = title.shape_id if title is not None and heading else None
        shapes = sorted(
            _flat(slide.shapes), key=lambda shape: (shape.top or Emu(0), shape.left or 0)
        )
        parts += [text for shape in shapes if shape.shape_id != title_id for text in _said(shape)]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            parts += [f"Notes: {notes}"] if notes else []
    parsed = structured(normalised("\n\n".join(filter(None, parts))), "", name)
    return replace(parsed, notes=(f"hidden slides left out: {hidden}",) if hidden else ())


def _flat(shapes: Iterable[Any]) -> Iterator[Any]:
    for shape in shapes:
        if shape._element.xpath("boolean(./*/p:cNvPr[@hidden='1' or @hidden='true'])"):
            continue
        if hasattr(shape, "shapes"):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _said(shape: Any) -> Iterator[str]:
    if getattr(shape, "has_table", False):
        yield table([[_covering(shape.table, r, c) for c in range(len(shape.table.columns))]
                     for r in range(len(shape.table.rows))])  # fmt: skip
    elif getattr(shape, "has_chart", False):
        yield _chart(shape.chart)
    elif shape.has_text_frame:
        lines = [f"{'  ' * each.level}{_text(each)}" for each in shape.text_frame.paragraphs]
        yield "\n\n".join(line for line in lines if line.strip())


def _text(paragraph: Any) -> str:
    """A paragraph's text; raised and lowered runs never join a number."""
    pieces = [_piece(each) for each in paragraph._p]
    said = ""
    for number, (text, baseline) in enumerate(pieces):
        if baseline and text.strip():
            after = "".join(each for each, _ in pieces[number + 1 :])
            said += mark_of("sup" if baseline > 0 else "sub", text.strip(), said, after)
        else:
            said += text
    return " ".join(said.split())


def _piece(element: Any) -> tuple[str, int]:
    """The text of a run, a field or a break, and by how much it is raised."""
    if element.tag.endswith("}br"):
        return " ", 0
    texts = element.xpath("./a:t/text()")
    found = element.xpath("./a:rPr/@baseline")
    height = str(found[0]).rstrip("%") if found else "0"
    return "".join(texts), int(height) if height.lstrip("-").isdecimal() else 0


def _covering(grid: Any, row: int, column: int) -> str:
    """The text of a cell, or of the merged cell that covers it."""
    cell = grid.cell(row, column)
    if cell.is_spanned:
        for top in range(row, -1, -1):
            for left in range(column, -1, -1):
                origin = grid.cell(top, left)
                if origin.is_merge_origin and (
                    top + origin.span_height > row and left + origin.span_width > column
                ):
                    return str(origin.text_frame.text)
    return " ".join(filter(None, map(_text, cell.text_frame.paragraphs)))


def _chart(chart: Any) -> str:
    """The numbers of a chart: a row per category."""
    plots = [plot for plot in chart.plots if plot.categories]
    if not plots:
        return ""
    series = list(plots[0].series)
    rows = [["", *(each.name for each in series)]]
    for i, category in enumerate(plots[0].categories):
        values = (each.values[i] if i < len(each.values) else None for each in series)
        rows.append([str(category), *("" if value is None else f"{value:g}" for value in values)])
    return table(rows)
