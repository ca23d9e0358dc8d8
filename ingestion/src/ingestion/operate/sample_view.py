"""A sample side by side: each chunk and its raw source, as a table for a terminal or as a page."""

from html import escape

from rich.table import Table
from rich.text import Text

from ingestion.sync.sample import Sample, SampledChunk

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 2rem; }}
section {{ display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin-bottom: 2rem; }}
h2 {{ grid-column: 1 / 3; font-size: 1rem; margin: 0; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; padding: .8rem; }}
pre {{ background: #8882; }}
</style>
<h1>{title}</h1>
<p>Left what readers are given, right the raw source: is anything lost, added or garbled?</p>
{sections}
</html>
"""
_SECTION = "<section><h2>{heading}</h2><pre>{text}</pre><pre>{raw}</pre></section>"


def title(sample: Sample) -> str:
    """What was sampled, in a line."""
    return (
        f"{len(sample.chunks)} of {sample.chunks_written} chunks that run {sample.run_id} wrote "
        f"from {sample.source} into {sample.index}"
    )


def table(sample: Sample) -> Table:
    """The sample for a terminal."""
    shown = Table(title=title(sample), show_lines=True, expand=True)
    shown.add_column("chunk, as readers are given it", ratio=1)
    shown.add_column("raw source", ratio=1)
    for each in sample.chunks:
        shown.add_row(
            Text(f"{_heading(each)}\n\n{printable(each.text)}"), Text(printable(_raw(each)))
        )
    return shown


def page(sample: Sample) -> str:
    """The sample as one HTML file that loads nothing and runs no script."""
    sections = [
        _SECTION.format(
            heading=escape(_heading(each)),
            text=escape(printable(each.text)),
            raw=escape(printable(_raw(each))),
        )
        for each in sample.chunks
    ]
    return _PAGE.format(title=escape(title(sample)), sections="\n".join(sections))


def printable(text: str) -> str:
    """Text without what could steer a terminal or turn the reading direction: shown as escapes."""
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode()
        for character in text.replace("\r\n", "\n")
    )


def _heading(each: SampledChunk) -> str:
    page = f", page {each.page}" if each.page else ""
    trail = " > ".join(each.headings)
    return printable(
        f"{each.document_id}#{each.ordinal}, characters {each.start}-{each.end}{page}"
        + (f"\n{trail}" if trail else "")
    )


def _raw(each: SampledChunk) -> str:
    return each.raw or f"({each.note})"
