"""Four times the text takes about four times the work, whatever the text is built of.

Work is counted in calls of functions, which is the same on each machine. It does not see a slow
regular expression, which is one call.
"""

import json
import sys
from collections.abc import Callable

import pytest
from tests.fakes.hash_embedder import MAX_TOKENS, word_tokenizer

from ingestion.documents.chunk import TokenChunker
from ingestion.documents.languages import prose
from ingestion.documents.validate import validate
from ingestion.parse import parse
from ingestion.raw import extract

FEW, MANY = 75, 300
MOST = 5.5  # times the calls for four times the text; n log n is 5 here, n squared 16

Built = Callable[[int], str]
MARKDOWN: dict[str, Built] = {
    "headings": lambda n: "".join(f"# H{i}\n\ntext {i}\n\n" for i in range(n)),
    "headings of six levels": lambda n: "".join("#" * (i % 6 + 1) + f" H{i}\n\n" for i in range(n)),
    "a list": lambda n: "".join(f"- item {i}\n" for i in range(n)),
    "nested lists": lambda n: "- a\n  - b\n    - c\n" * n,
    "a wide table": lambda n: "|" + " a |" * n + "\n|" + "---|" * n + "\n|" + " b |" * n + "\n",
    "a long table": lambda n: "| a | b |\n|---|---|\n" + "| 1 | x |\n" * n,
    "a long line": lambda n: "word " * n,
    "one long word": lambda n: "a" * n * 5,
    "paragraphs": lambda n: "".join(f"p{i}.\n\n" for i in range(n)),
    "spaces": lambda n: f"a{' ' * n * 5}b",
    "empty lines": lambda n: "a" + "\n" * n * 5 + "b",
    "quoted lines": lambda n: "> a\n" * n,
    "emphasis": lambda n: "*a* _b_ " * n,
    "links": lambda n: "[a](b) " * n,
    "open brackets": lambda n: "[a " * n,
    "open tags": lambda n: "<b> a " * n,
    "fences": lambda n: "```\na\n```\n\n" * n,
    "an open fence": lambda n: "```\n" + "a\n" * n,
    "front matter": lambda n: "---\n" + "".join(f"k{i}: v\n" for i in range(n)) + "---\ntext\n",
    "link definitions": lambda n: "".join(f"[r{i}]: http://a/{i}\n" for i in range(n)) + "text",
}
HTML: dict[str, Built] = {
    "headings": lambda n: "".join(f"<h1>H{i}</h1><p>t {i}</p>" for i in range(n)),
    "a list": lambda n: "<ul>" + "<li>a</li>" * n + "</ul>",
    # Each element looks at those around it; nesting has a limit, so the depth is fixed here.
    "nested divisions": lambda n: ("<div>" * 25 + "x" + "</div>" * 25) * (n // 25),
    "a long table": lambda n: "<table>" + "<tr><td>a</td><td>b</td></tr>" * n + "</table>",
    "a wide table": lambda n: "<table><tr>" + "<td>a</td>" * n + "</tr></table>",
    "paragraphs": lambda n: "<p>a</p>" * n,
    "line breaks": lambda n: "a<br>" * n,
    "spaces": lambda n: f"<p>a{'&nbsp;' * n}b</p>",
    "hidden parts": lambda n: "<p hidden>a</p>" * n + "<p>b</p>",
    "links": lambda n: "<a href=x>a</a> " * n,
    "raised print": lambda n: "<p>" + "a<sup>2</sup>" * n + "</p>",
}
OTHERS: dict[str, dict[str, Built]] = {
    "json": {
        "depth": lambda n: "[" * (n // 10) + "1" + "]" * (n // 10),
        "a list": lambda n: json.dumps([f"item {i}" for i in range(n)]),
        "objects": lambda n: json.dumps([{"a": i, "b": "x"} for i in range(n)]),
        "keys": lambda n: json.dumps({f"k{i}": i for i in range(n)}),
    },
    "xml": {
        "elements": lambda n: "<r>" + "<a>t</a>" * n + "</r>",
        "depth": lambda n: "<r>" * (n // 10) + "x" + "</r>" * (n // 10),
    },
    "csv": {
        "rows": lambda n: "a,b\n" + "1,x\n" * n,
        "columns": lambda n: ",".join(["c"] * n) + "\n" + ",".join(["x"] * n) + "\n",
    },
    "rst": {
        "headings": lambda n: "".join(f"H{i}\n=====\n\ntext\n\n" for i in range(n)),
        "a list": lambda n: "- a\n" * n,
    },
    "eml": {"lines": lambda n: "Subject: s\n\n" + "line\n" * n},
    "text": MARKDOWN,
}
EVERY = [
    pytest.param(format, built, id=f"{format}: {name}")
    for format, kinds in {"markdown": MARKDOWN, "html": HTML, **OTHERS}.items()
    for name, built in kinds.items()
]


def calls(work: Callable[[], object]) -> int:
    """How many functions, of Python and of C, are called."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.fixture(scope="module")
def chunker() -> TokenChunker:
    return TokenChunker(word_tokenizer(), MAX_TOKENS, 200, 24)


@pytest.mark.parametrize(("format", "built"), EVERY)
def test_four_times_the_text_takes_about_four_times_the_work(
    chunker: TokenChunker, format: str, built: Built
) -> None:
    def work(size: int) -> Callable[[], object]:
        raw = built(size).encode()

        def read() -> None:
            parsed = parse(raw, format, "a")
            validate(parsed)
            chunker.chunks(parsed)
            prose(parsed.text)
            extract(raw, format)

        return read

    work(FEW)()  # what is loaded once is not counted
    few, many = calls(work(FEW)), calls(work(MANY))
    assert many < MOST * few, (few, many)
