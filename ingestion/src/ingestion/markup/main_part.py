"""The part of a page that is its content, without navigation and frame."""

from selectolax.lexbor import LexborHTMLParser, LexborNode

NOT_CONTENT = (
    "script, style, noscript, template, svg, iframe, nav, body > footer,"
    "body > header:not(:has(h1)),"
    "[role=navigation], [role=banner]:not(:has(h1)), [role=contentinfo],"
    "#table_of_contents, #toc, .toc, .table-of-contents"
)
_MAIN = ("main, [role=main]", "article", "#content, #main")
# What stands beside an article and is read with it; a `div` or an `aside` may be a frame.
_SIBLINGS = frozenset(
    "section article main h2 h3 h4 h5 h6 p ul ol dl table blockquote pre figure details".split()  # noqa: SIM905  # short
)


def main_part(page: LexborHTMLParser) -> str:
    """The HTML of the elements with the page's content: marked ones with most text, or the body.

    Elements of one kind stay together, and so do the sections beside them and the page's `h1`.
    """
    for node in page.css(NOT_CONTENT):
        node.decompose()
    body = page.body
    if body is None:
        return ""
    enough = len(body.text()) / 2
    for selector in _MAIN:
        found = _outermost(page.css(selector))
        if found and sum(len(node.text()) for node in found) >= enough:
            return _in_order(page, body, found)
    return body.html or ""


def _outermost(nodes: list[LexborNode]) -> list[LexborNode]:
    ids = {node.mem_id for node in nodes}
    return [node for node in nodes if not any(outer.mem_id in ids for outer in _above(node))]


def _above(node: LexborNode) -> list[LexborNode]:
    above, parent = [], node.parent
    while parent is not None:
        above.append(parent)
        parent = parent.parent
    return above


def _in_order(page: LexborHTMLParser, body: LexborNode, found: list[LexborNode]) -> str:
    """The chosen elements with what belongs to them, in the order of the page."""
    wanted = {node.mem_id for node in found}
    parents = {node.parent.mem_id for node in found if node.parent is not None}
    for node in page.css(f"h1, header:has(h1), {', '.join(sorted(_SIBLINGS))}"):
        is_beside = node.parent is not None and node.parent.mem_id in parents
        if node.tag in ("h1", "header") or (node.tag in _SIBLINGS and is_beside):
            wanted.add(node.mem_id)
    kept = [node for node in body.traverse() if node.mem_id in wanted]
    return "\n".join(node.html or "" for node in _outermost(kept))
