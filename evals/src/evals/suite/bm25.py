"""The plain BM25 arm that every retrieval figure is shown beside. Pure."""

from collections.abc import Sequence

import bm25s  # type: ignore[import-untyped]  # ships no type information
import Stemmer  # type: ignore[import-not-found]  # a C extension without stubs


class BM25:
    """Lucene's BM25 with English stop words and Snowball stems, as in published SciFact tables."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index the texts; a search names them by position."""
        self._stemmer = Stemmer.Stemmer("english")
        self._size = len(texts)
        self._index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
        self._index.index(self._tokens(texts), show_progress=False)

    def search(self, query: str, limit: int) -> list[int]:
        """Positions of the best texts, best first; none that shares no word with the query."""
        positions, scores = self._index.retrieve(
            self._tokens([query]), k=min(limit, self._size), show_progress=False
        )
        return [int(p) for p, s in zip(positions[0], scores[0], strict=True) if s > 0]

    def _tokens(self, texts: Sequence[str]) -> object:
        return bm25s.tokenize(
            list(texts), stopwords="en", stemmer=self._stemmer, show_progress=False
        )
