"""Folders to sync: seeded Markdown pages, or the files of a real set."""

import random
import shutil
from pathlib import Path

WORDS = 350  # of a generated page: two to four chunks


def page(seed: int) -> str:
    """A page with sections and a table: the same seed gives the same page."""
    choose = random.Random(seed)
    vocabulary = [f"{a}{b}" for a in _SYLLABLES for b in _SYLLABLES]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]  # as words are in a language

    def sentence() -> str:
        return " ".join(choose.choices(vocabulary, weights, k=12)).capitalize() + "."

    sections = [f"# Page {seed}\n"]
    for number in range(WORDS // 60):
        sections.append(f"## {sentence()[:40]}\n\n" + "\n".join(sentence() for _ in range(5)))
        if number == 1:
            rows = "".join(f"| {seed}-{i} | {choose.choice(vocabulary)} |\n" for i in range(4))
            sections.append(f"| code | place |\n| --- | --- |\n{rows}")
    return "\n\n".join(sections)


_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def fill(folder: Path, count: int, data: Path | None) -> list[Path]:
    """A new folder of so many documents, generated or copied from the set at `data`, by path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if data is None:
        for seed in range(count):
            file = folder / f"{seed % 100:02}" / f"{seed}.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(page(seed))
    else:
        originals = sorted(file for file in data.rglob("*") if file.is_file())[:count]
        for original in originals:
            copy = folder / original.relative_to(data)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(original, copy)
    return sorted(file for file in folder.rglob("*") if file.is_file())


def edit(files: list[Path], share: float) -> int:
    """Add a line to a share of the text documents, the same ones each time; their number."""
    texts = [file for file in files if file.suffix in (".md", ".html", ".txt")]
    chosen = random.Random(4).sample(texts, max(1, round(share * len(texts))))
    for file in chosen:
        file.write_bytes(file.read_bytes() + b"\n\nThis line was added.\n")
    return len(chosen)
