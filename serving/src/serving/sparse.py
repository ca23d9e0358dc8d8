"""BM25 sparse vectors by qdrant-edge: no corpus statistics, and the index applies the IDF."""

from qdrant_edge import Bm25, Bm25Config
from qdrant_edge import SparseVector as EdgeVector

from contracts.endpoints import SparseVector

K = 1.2
B = 0.75
AVERAGE_LENGTH = 100  # terms of a chunk of 200 tokens; fixed, so no vector depends on others
LANGUAGE = "english"  # stop words and stems

SETTINGS = f"bm25:k={K},b={B},avg_len={AVERAGE_LENGTH},language={LANGUAGE}"


class SparseEncoder:
    """Weighs the terms of a text; documents and queries differ, as BM25 has it."""

    def __init__(self) -> None:
        self._bm25 = Bm25(Bm25Config(k=K, b=B, avg_len=AVERAGE_LENGTH, language=LANGUAGE))

    def encode(self, texts: list[str], kind: str) -> list[SparseVector]:
        """One vector per text, its indices ascending; `kind` is "document" or "query"."""
        embed = self._bm25.embed_query if kind == "query" else self._bm25.embed_document
        return [_ascending(embed(text)) for text in texts]


def _ascending(vector: EdgeVector) -> SparseVector:
    pairs = sorted(zip(vector.indices, vector.values, strict=True))
    return SparseVector(indices=[index for index, _ in pairs], values=[value for _, value in pairs])
