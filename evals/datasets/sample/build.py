"""Render the PDF and DOCX documents of the sample corpus, and list what changed between revisions.

    .venvs/dev/bin/python evals/datasets/sample/build.py [FOLDER]

Without FOLDER the committed files are replaced; their bytes do not depend on day or machine.
"""

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from docx import Document
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

HERE = Path(__file__).parent
DATED = {"r1": datetime(2026, 3, 2, tzinfo=UTC), "r2": datetime(2026, 9, 7, tzinfo=UTC)}

# The rendered form of each source, by revision: a document may change its format.
DOCX = {
    "r1": {
        "handbook/onboarding/checklist.md",
        "handbook/pension.md",
        "products/lockkeeper/admin-guide.md",
        "products/sluice-8/wiring.md",
    },
    "r2": {
        "handbook/onboarding/checklist.md",
        "products/lockkeeper/admin-guide.md",
        "products/sluice-8/wiring.md",
    },
}

# Renames are the one thing that hashes alone cannot tell.
RENAMED = {
    "handbook/learning-budget.md": "handbook/growth/learning-budget.md",
    "handbook/performance-reviews.md": "handbook/growth/performance-reviews.md",
    "handbook/pay-dates.html": "handbook/pay-dates.md",
    "handbook/pension.docx": "handbook/pension.pdf",
    "products/reedling/battery.md": "products/reedling/maintenance/battery.md",
}


def render(out: Path) -> None:
    """Write every PDF and DOCX of both revisions below `out`."""
    for revision, dated in DATED.items():
        folder = HERE / "source" / revision
        for source in sorted(folder.rglob("*.md")):
            name = source.relative_to(folder)
            as_docx = name.as_posix() in DOCX[revision]
            write = write_docx if as_docx else write_pdf
            target = out / revision / name.with_suffix(".docx" if as_docx else ".pdf")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(write(source.read_text(encoding="utf-8"), dated))


def blocks(markdown: str) -> Iterator[SyntaxTreeNode]:
    """Headings, paragraphs, lists and tables of a source, in order."""
    parser = MarkdownIt("commonmark").enable("table")
    yield from SyntaxTreeNode(parser.parse(markdown)).children


def inline(node: SyntaxTreeNode) -> str:
    """The text of a block without its Markdown marks."""
    leaves = (leaf for leaf in node.walk() if leaf.type in ("text", "code_inline", "softbreak"))
    return "".join(" " if leaf.type == "softbreak" else leaf.content for leaf in leaves)


def rows(table: SyntaxTreeNode) -> list[list[str]]:
    """The cells of a table, header first."""
    return [[inline(cell) for cell in row.children] for row in table.walk() if row.type == "tr"]


def write_pdf(markdown: str, dated: datetime) -> bytes:
    """A4 pages with page numbers; tables repeat their header on each page."""
    styles = getSampleStyleSheet()
    cell = ParagraphStyle("cell", parent=styles["BodyText"], fontSize=9, leading=11)
    story: list[Flowable] = []
    for block in blocks(markdown):
        if block.type == "heading":
            story.append(Paragraph(escape(inline(block)), styles[f"Heading{block.tag[1]}"]))
        elif block.type == "table":
            cells = [[Paragraph(escape(text), cell) for text in row] for row in rows(block)]
            story += [Table(cells, repeatRows=1, style=GRID, hAlign="LEFT"), Spacer(1, 4 * mm)]
        elif block.type in ("ordered_list", "bullet_list"):
            for number, item in enumerate(block.children, start=1):
                mark = f"{number}." if block.type == "ordered_list" else "\u2022"
                story.append(Paragraph(f"{mark} {escape(inline(item))}", styles["BodyText"]))
        else:
            story.append(Paragraph(escape(inline(block)), styles["BodyText"]))
    title = inline(next(blocks(markdown)))
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=title,
        author="Quillmere Controls",
        invariant=1,  # fixed dates and document id
        pageCompression=0,  # zlib's bytes differ between builds of zlib
    )

    def footer(canvas: Canvas, page: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(25 * mm, 12 * mm, f"{title}, as of {dated:%Y-%m-%d}, page {page.page}")

    page.build(story, onFirstPage=footer, onLaterPages=footer)
    return out.getvalue()


GRID = TableStyle(
    [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)


def write_docx(markdown: str, dated: datetime) -> bytes:
    """Real headings, lists and tables in the styles of Word's own template."""
    document = Document()
    properties = document.core_properties
    properties.author = "Quillmere Controls"
    properties.created = properties.modified = dated.replace(tzinfo=None)
    for block in blocks(markdown):
        if block.type == "heading":
            document.add_heading(inline(block), level=int(block.tag[1]))
        elif block.type == "table":
            cells = rows(block)
            table = document.add_table(rows=0, cols=len(cells[0]), style="Table Grid")
            for row in cells:
                for target, text in zip(table.add_row().cells, row, strict=True):
                    target.text = text
        elif block.type in ("ordered_list", "bullet_list"):
            style = "List Number" if block.type == "ordered_list" else "List Bullet"
            for item in block.children:
                document.add_paragraph(inline(item), style=style)
        else:
            document.add_paragraph(inline(block))
    saved = io.BytesIO()
    document.save(saved)
    return undated(saved)


def undated(archive: io.BytesIO) -> bytes:
    """The same zip archive with the time of day taken out of its entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def changes() -> list[dict[str, str | None]]:
    """What an incremental sync from r1 to r2 has to find, in gov-kb's vocabulary."""
    old, new = digests("r1"), digests("r2")
    found = []
    for path in sorted(old):
        target = RENAMED.get(path, path)
        if target not in new:
            op = "deleted"
        elif Path(target).suffix != Path(path).suffix:
            op = "format_changed"
        elif target != path:
            op = "moved" if new[target] == old[path] else "moved+modified"
        else:
            op = "unchanged" if new[path] == old[path] else "modified"
        found.append((op, path, None if op == "deleted" else target))
    expected = {target for _, _, target in found}
    found += [("added", None, path) for path in sorted(new) if path not in expected]
    return [
        {
            "from": "r1",
            "to": "r2",
            "op": op,
            "old_path": path and f"r1/{path}",
            "new_path": target and f"r2/{target}",
        }
        for op, path, target in found
    ]


def digests(revision: str) -> dict[str, str]:
    """sha256 of each file of a revision, by path."""
    folder = HERE / revision
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    render(out)
    lines = [json.dumps(change) + "\n" for change in changes()]
    (out / "changes.jsonl").write_text("".join(lines), encoding="utf-8")
