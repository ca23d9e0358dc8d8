"""The perfect reader, a test model: it answers whenever the value stands in what it was shown.

An OpenAI-compatible server. It knows golden sets by heart, finds the question in the last user
message, and replies with the first accepted value that stands in the passages there, or refuses.
Whatever a figure loses with it, the application has lost before or after the model. It is for
measurements and tests only, and it names itself `perfect-reader`; it is never part of a stack
that answers people.

Run it: python tests/fakes/perfect_reader.py --golden evals/datasets/sample/golden.jsonl --port 9001
(`--golden` also takes a folder in the form of SQuAD 2.0; standard library only)
"""

import argparse
import json
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "evals" / "src")]  # as a script, it needs no environment

from tests.fakes import openai_server  # noqa: E402

from evals.suite import squad  # noqa: E402 - the path is set above
from evals.suite.labels import contains, overlaps  # noqa: E402

MODEL = "perfect-reader"
REFUSAL = "Not found in the documents."
_NUMBERED = re.compile(r"^\[(\d+)\] ", re.M)


@dataclass(frozen=True)
class Known:
    """A question's truth: by revision, the accepted values and the spans that hold them."""

    golds: list[tuple[list[str], list[str]]]  # values, best first, and spans of text
    always: bool  # answerable in every revision


@dataclass(frozen=True)
class Shown:
    """A passage as the prompt shows it; without a number, where the prompt numbers none."""

    number: int | None
    text: str


def known(paths: Iterable[Path], revision: str | None = None) -> dict[str, Known]:
    """Questions by their words, from golden sets and folders in the form of SQuAD 2.0.

    Of a golden set, only the named revision counts, if it has it; else all of them do.
    """
    found: dict[str, Known] = {}
    for row in (row for path in paths for row in _rows(path)):
        words, new = _words(row["question"]), _known(row, revision)
        old = found.get(words, Known([], True))  # two rows may ask the same
        found[words] = Known([*old.golds, *new.golds], old.always and new.always)
    return found


def reply(messages: list[dict[str, Any]], questions: Mapping[str, Known]) -> str:
    """What the perfect reader says to a chat."""
    last = _words(_last_user(messages))
    asked = max(
        (question for question in questions if question in last),
        key=lambda question: (last.rfind(question) + len(question), len(question)),
        default="",
    )
    if not asked:
        return REFUSAL
    passages = _shown(messages, asked)
    value, passage = _found(questions[asked], passages)
    if not value or not passage:
        return REFUSAL
    return f"{value} [{passage.number}]." if passage.number is not None else value


def _found(gold: Known, passages: list[Shown]) -> tuple[str, Shown | None]:
    """An accepted value and the passage to cite: best one that also holds the gold span."""
    standing = [
        (value, passage, any(overlaps(passage.text, span) for span in spans))
        for values, spans in gold.golds
        for value in values
        for passage in passages
        if contains(passage.text, value)
    ]
    # Where the question has no answer in another revision, a value elsewhere is a coincidence.
    sure = [found for found in standing if found[2]] or (standing if gold.always else [])
    return sure[0][:2] if sure else ("", None)


def _shown(messages: list[dict[str, Any]], question: str) -> list[Shown]:
    """The passages of the last user message without its question.

    Where that message is the question alone, the system's message holds them.
    """
    last = _last_user(messages)
    pattern = r"\s+".join(re.escape(word) for word in question.split())
    *_, place = re.finditer(pattern, last)
    text = f"{last[: place.start()]}\n{last[place.end() :]}"
    if not re.search(r"\w", text):
        text = "\n".join(_content(m) for m in messages if m["role"] == "system")
    marks = _in_order(list(_NUMBERED.finditer(text)))
    if not marks:
        return [Shown(None, text)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        Shown(int(mark[1]), text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)
    ]


def _in_order(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """The marks that count on from the first: a passage's own `[7] ` is part of its text."""
    kept: list[re.Match[str]] = []
    for mark in marks:
        if not kept or int(mark[1]) == int(kept[-1][1]) + 1:
            kept.append(mark)
    return kept


def _known(row: dict[str, Any], revision: str | None) -> Known:
    golds = row["gold"]
    golds = {revision: golds[revision]} if revision in golds else golds
    return Known(
        golds=[
            ([gold["answer"], *gold.get("accept", [])], [d["span"] for d in gold["documents"]])
            for gold in golds.values()
            if gold["answerable"]
        ],
        always=all(gold["answerable"] for gold in golds.values()),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.is_dir():
        return squad.everything(path)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _last_user(messages: list[dict[str, Any]]) -> str:
    return next((_content(m) for m in reversed(messages) if m["role"] == "user"), "")


def _content(message: dict[str, Any]) -> str:
    """A message's text; parts of other kinds are left out."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or [])


def _words(text: str) -> str:
    return " ".join(text.split())


def main(wait: Callable[[], object] = threading.Event().wait) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=Path, action="append", required=True)
    parser.add_argument("--revision", help="the revision that counts; else all of them do")
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--key")
    options = parser.parse_args()
    questions = known(options.golden, options.revision)

    def answer(body: dict[str, Any]) -> str:
        return reply(body["messages"], questions)

    script = {"key": options.key, "reply": answer, "model": MODEL}
    with openai_server.running(options.port, **script) as server:
        print(f"perfect reader of {len(questions)} questions at {server.url}", flush=True)
        wait()


if __name__ == "__main__":
    main()
