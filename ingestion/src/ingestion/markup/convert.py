"""HTML -> Markdown: tables as grids, marks in place, links only where they leave the site."""

from typing import Any

from bs4 import BeautifulSoup, Comment, Tag
from markdownify import ATX, MarkdownConverter

from ingestion.markup.marks import set_marks
from ingestion.markup.spans import set_tables
from ingestion.markup.table import cell

_BACK_TO_THE_TEXT = ("↑", "↩", "↩︎", "^")


class _Converter(MarkdownConverter):
    def convert_td(self, el: Any, text: str, parent_tags: Any) -> str:
        return f" {cell(text)} |"

    convert_th = convert_td


_converter = _Converter(
    heading_style=ATX,
    strip=["img"],
    escape_asterisks=False,
    escape_underscores=False,
    escape_misc=False,
    table_infer_header=True,
)


def markdown_of(html: str) -> str:
    """A piece of HTML as Markdown."""
    soup = BeautifulSoup(html, "html.parser")
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for tag in soup.find_all(["summary", "legend"]):
        tag.name = "p"  # or it would run into the text below it
    for tag in soup.find_all(["rt", "rp"]):
        tag.decompose()  # how a word is pronounced
    set_marks(soup)
    for link in soup.find_all("a"):
        if link.get_text(strip=True) in _BACK_TO_THE_TEXT:
            link.decompose()
        elif not str(link.get("href") or "").startswith(("http:", "https:", "mailto:")):
            link.unwrap()
    _set_boxes(soup)
    set_tables(soup)
    return str(_converter.convert_soup(soup))


def _set_boxes(soup: BeautifulSoup) -> None:
    """Show what stands in the fields of a page: a tick, a chosen option, a value."""
    for box in soup.find_all("input"):
        kind = str(box.get("type") or "text").lower()
        if kind in ("checkbox", "radio"):
            gap = "" if str(box.next_sibling or " ")[:1].isspace() else " "
            box.replace_with(f"[{'x' if box.has_attr('checked') else ' '}]{gap}")
        elif kind in ("text", "number", "date", "email", "tel", "url") and box.get("value"):
            box.replace_with(f" {box['value']} ")
    for select in soup.find_all("select"):
        chosen = [o.get_text(strip=True) for o in select.find_all("option", selected=True)]
        select.replace_with(f" {', '.join(chosen)} " if chosen else f" {_options(select)} ")


def _options(select: Tag) -> str:
    return ", ".join(filter(None, (o.get_text(strip=True) for o in select.find_all("option"))))
