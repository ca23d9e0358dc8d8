"""Text of a page that no reader sees, by an attribute, its style, or the page's own styles."""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

_NOTHING = r"(?:0|0?\.0+)(?:px|pt|em|rem|%)?(?:\s*!important)?\s*(?:;|$)"
_HIDDEN_STYLE = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    rf"|(?:opacity|font-size)\s*:\s*{_NOTHING}|font-size\s*:\s*(?:1|0?\.\d+)p[xt]\b"
    rf"|content-visibility\s*:\s*hidden|transform\s*:\s*scale\(\s*0\s*[,)]"
    r"|clip\s*:\s*rect\(\s*([01])(?:px)?[\s,]+\1(?:px)?[\s,]+\1(?:px)?[\s,]+\1(?:px)?\s*\)"
    r"|clip-path\s*:\s*inset\(\s*(?:50|100)%"
    r"|(?:left|top|right|text-indent|margin-left)\s*:\s*-\d{3,}(?:\.\d+)?(?:px|em|rem|pt|%))",
    re.IGNORECASE,
)
_FLAT = re.compile(rf"(?:^|;)\s*(?:max-)?(?:height|width)\s*:\s*{_NOTHING}", re.IGNORECASE)
_CUT_OFF = re.compile(r"overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.IGNORECASE)
_WHITE = (
    r"(?:#fff(?:f|fff|fffff)?\b|white\b|rgba?\(\s*255[\s,]+255[\s,]+255|transparent\b"
    r"|rgba?\([^)]*[,/]\s*0(?:\.0+)?%?\s*\)|hsla?\([^)]*\b100%\s*[,/)])"
)
_WHITE_TEXT = re.compile(rf"(?:^|;)\s*color\s*:\s*{_WHITE}", re.IGNORECASE)
_BACKGROUND = re.compile(r"background(?:-color|-image)?\s*:\s*([^;]+)", re.IGNORECASE)
_NAME = re.compile(r"[.#][\w-]+")
_PLAIN_SELECTOR = re.compile(r"(?=.*[.#])[\w\s.#>-]{2,100}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STYLE_ATTRIBUTE = re.compile(r"""\sstyle\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_HIDDEN_ATTRIBUTE = re.compile(
    r"\shidden(?:\s*=\s*(?:\"(?:hidden)?\"|'(?:hidden)?'|hidden))?[\s/>]", re.I
)
MAX_STYLES = 50_000  # characters of the page's own styles that are looked at


def drop_hidden(page: LexborHTMLParser) -> int:
    """Remove what readers do not see; how many elements with text that was.

    What stands in `details` stays: a reader opens it with a click.
    """
    count = 0
    for node in [*_hidden_by_rule(page), *page.css("[hidden]"), *page.css("[style]")]:
        if node.tag in ("html", "body") or not _is_hidden(node):
            continue
        count += bool(node.text(deep=True).strip())
        node.decompose()
    return count


def is_hidden_markup(html: str) -> bool:
    """Whether a piece of HTML opens with an element that readers do not see."""
    tag, end, _ = html.lstrip().partition(">")
    if not tag.startswith("<") or not end:
        return False
    if re.match(r"<(?:template|script|style)\b", tag, re.IGNORECASE):
        return True
    style = _STYLE_ATTRIBUTE.search(tag)
    if style and hides(style[1] or style[2] or ""):
        return True
    return bool(_HIDDEN_ATTRIBUTE.search(tag + ">"))


def hides(style: str) -> bool:
    """Whether a style hides what stands in its element."""
    is_flat = _FLAT.search(style) and _CUT_OFF.search(style)
    return bool(_HIDDEN_STYLE.search(style) or is_flat)


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if attributes.get("data-hidden-by-rule") is not None:
        return True
    if "hidden" in attributes and (attributes["hidden"] or "").lower() != "until-found":
        return True
    style = attributes.get("style") or ""
    return hides(style) or (bool(_WHITE_TEXT.search(style)) and not _has_background(node))


def _has_background(node: LexborNode | None) -> bool:
    """Whether an element, or one around it, is painted in another colour than white."""
    while node is not None and node.tag != "-undef":
        attributes = node.attributes
        if attributes.get("bgcolor") or attributes.get("class") or attributes.get("background"):
            return True  # a class may paint it: a doubt keeps the text
        found = _BACKGROUND.search(attributes.get("style") or "")
        if found and not re.match(rf"\s*(?:{_WHITE}|none|inherit)", found[1], re.IGNORECASE):
            return True
        node = node.parent
    return False


def _hidden_by_rule(page: LexborHTMLParser) -> Iterator[LexborNode]:
    """Elements of a class or id that the page's own styles hide and nothing shows again."""
    styles = "\n".join(style.text() for style in page.css("style"))[:MAX_STYLES]
    if "none" not in styles and "hidden" not in styles:
        return
    plain = re.sub(r"@[^@{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", _COMMENT.sub("", styles))
    hiding, showing = set[str](), set[str]()
    for rule in plain.split("}"):
        selectors, _, body = rule.partition("{")
        is_hiding = hides(body)
        for selector in (each.strip() for each in selectors.split(",")):
            if is_hiding and _PLAIN_SELECTOR.fullmatch(selector):
                hiding.add(selector)
            elif not is_hiding and re.search(r"(?:display|visibility)\s*:", body):
                showing.update(_NAME.findall(selector))
    for selector in sorted(hiding):
        if showing & {*_NAME.findall(selector)}:
            continue
        try:
            nodes = page.css(selector)
        except SelectolaxError:
            continue
        for node in nodes:
            node.attrs["data-hidden-by-rule"] = ""
            yield node
