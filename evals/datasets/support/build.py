"""Builds pairs.jsonl from texts/: each sentence with a paraphrase and an altered statement.

A text is a list of blocks: `S:` a source sentence (`||` sets a table's header behind it), `Q:` a
question, `P:` a true paraphrase and `A WAY:` a statement altered in one of ten ways. The first line
names the split. Every pair has two more sentences of its text beside the true one, drawn by a fixed
seed, as an answer has other passages beside the right one.

    python evals/datasets/support/build.py
"""

import json
import random
from pathlib import Path

HERE = Path(__file__).parent
SEED = 18
BESIDE = 2  # other sentences shown with the true one
WAYS = (
    "negation", "modality", "scope", "limit", "roles", "direction", "number", "unit", "subject",
    "date",
)  # fmt: skip


def blocks(text: str) -> list[dict[str, str]]:
    """The blocks of a text, by the letter of each line; the altered one is `A`, its way `way`."""
    found = []
    for block in text.split("\n\n")[1:]:
        lines: dict[str, str] = {}
        for line in block.strip().splitlines():
            mark, _, said = line.partition(": ")
            letter, _, way = mark.partition(" ")
            lines[letter] = said.strip()
            if way:
                lines["way"] = way
        if lines["way"] not in WAYS:
            raise ValueError(f"{lines['way']} is none of the ten ways: {lines['S']}")
        found.append(lines)
    return found


def source(written: str) -> dict[str, str]:
    """A sentence, and the header behind `||` that it hangs on."""
    text, _, lead = written.partition(" || ")
    return {"text": text, "lead": lead}


def pairs(path: Path) -> list[dict[str, object]]:
    """The pairs of one text."""
    text = path.read_text(encoding="utf-8")
    split = text.split("|", 1)[0].strip("# ")
    rng = random.Random(f"{SEED} {path.stem}")  # noqa: S311 - it only has to be the same again
    found = blocks(text)
    rows: list[dict[str, object]] = []
    for number, block in enumerate(found, start=1):
        others = [other["S"] for other in found if other is not block]
        shown = [block["S"], *rng.sample(others, BESIDE)]
        rng.shuffle(shown)
        for kind, letter in (("paraphrase", "P"), (block["way"], "A")):
            rows.append(
                {
                    "id": f"{path.stem}-{number:02}-{letter.lower()}",
                    "split": split,
                    "corpus": path.stem,
                    "way": kind,
                    "supported": letter == "P",
                    "question": block.get("Q", ""),
                    "statement": block[letter],
                    "sources": [source(written) for written in shown],
                }
            )
    return rows


def main() -> None:
    """Write pairs.jsonl beside this file."""
    rows = [row for path in sorted((HERE / "texts").glob("*.txt")) for row in pairs(path)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (HERE / "pairs.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
