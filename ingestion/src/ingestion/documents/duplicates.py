"""How many documents of a source say the same: counted for the run report, never acted upon.

Why they stay documents of their own: docs/adr/0015. Near-duplicates are found by MinHash over
shingles of words, among the documents that one run read: no texts of the others are at hand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rensa import RMinHash, RMinHashDeduplicator  # type: ignore[import-untyped]  # it ships no types

from contracts.index import DocumentManifest
from ingestion.state.runs import Run

SIMILAR = 0.8  # of the shingles of two documents are the same: Jaccard, as estimated
SHINGLE_WORDS = 3
PERMUTATIONS, SEED = 128, 42  # of MinHash: its error is about .04 at SIMILAR


@dataclass
class Duplicates:
    """Takes the texts of a run, as batches read them, and keeps a signature of 512 bytes each."""

    _signatures: dict[str, RMinHash] = field(default_factory=dict)  # by path

    def add(self, path: str, text: str) -> None:
        """Take a text; one that is read again in another try of its batch counts once."""
        words = re.findall(r"\w+", text.casefold())
        size = min(SHINGLE_WORDS, len(words)) or 1
        signature = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
        shingles = zip(*(words[i:] for i in range(size)), strict=False)
        signature.update([" ".join(shingle) for shingle in shingles])
        self._signatures[path] = signature

    def count(self, committed: Mapping[str, DocumentManifest], run: Run) -> None:
        """Put the numbers into the account of a run, and a pair of each as a note."""
        written = {path for path, what in run.outcomes.items() if what in ("added", "modified")}
        firsts: dict[str, str] = {}  # by text, its first path
        copies, similar = [], []
        for path in sorted(committed):
            first = firsts.setdefault(committed[path].text_sha256, path)
            if first != path:
                copies.append((path, first))
        seen = RMinHashDeduplicator(threshold=SIMILAR, num_perm=PERMUTATIONS, use_lsh=True)
        for path in sorted(written & set(firsts.values())):
            signature = self._signatures[path]
            if not seen.add(path, signature):
                similar.append((path, min(seen.get_duplicates(signature))))
        run.exact_duplicates, run.near_duplicates = len(copies), len(similar)
        for pairs, what in ((copies, "an exact duplicate"), (similar, "a near-duplicate")):
            new = [pair for pair in pairs if pair[0] in written]
            if new:
                run.notes.append(
                    f"{len(new)} of the documents written are {what} of another, e.g. "
                    f"{new[0][0]} of {new[0][1]}"
                )
