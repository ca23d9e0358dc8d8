"""A source of documents that changes by a seed, and what an index of it must hold."""

import random
from dataclasses import dataclass, field
from pathlib import Path

STABLE = 20  # documents that never change, so that a reader must always find them
MARK = "edition{}"  # in every sentence: a text of two editions is a mixture


@dataclass
class Corpus:
    """A folder of Markdown files; `change` edits, adds, deletes and moves some of them."""

    folder: Path
    seed: int
    documents: int
    edition: int = 0
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.folder.mkdir(parents=True)
        for number in range(STABLE):
            self._write(f"stable{number}")
        for number in range(self.documents - STABLE):
            self.names.append(f"page{number}")
            self._write(self.names[-1])

    def change(self, share: float = 0.1) -> None:
        """The next edition of some documents."""
        self.edition += 1
        some = max(1, int(len(self.names) * share))
        for name in self._random.sample(self.names, some):
            self._write(name)
        for number in range(some // 4 + 1):
            gone = self.names.pop(self._random.randrange(len(self.names)))
            self._file(gone).unlink()
            self.names.append(f"page{self.edition}x{number}")
            self._write(self.names[-1])
        moved = self._random.randrange(len(self.names))
        name = f"moved{self.edition}"
        self._file(self.names[moved]).rename(self._file(name))
        self.names[moved] = name

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.md"

    def _write(self, name: str) -> None:
        mark = MARK.format(self.edition)
        sentence = f"{name} says in {mark} that the key {self._random.randrange(10**9)} is kept. "
        text = "".join(f"{sentence * 6}\n\n" for _ in range(self._random.randrange(1, 6)))
        self._file(name).write_text(f"# {name}\n\n{text}", encoding="utf-8")
