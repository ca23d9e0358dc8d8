"""BM25 sparse vectors by qdrant-edge: no corpus statistics, and the index applies the IDF.

The engine splits words at spaces. Scripts without spaces are cut into pairs of characters before.
"""

import re
import unicodedata

from qdrant_edge import Bm25, Bm25Config
from qdrant_edge import SparseVector as EdgeVector

from contracts.endpoints import SparseVector

K = 1.2
B = 0.75
AVERAGE_LENGTH = 100  # terms of a chunk of 200 tokens; fixed, so no vector depends on others
LANGUAGE = "english"  # stop words and stems

TEXT = "nfc+pairs"  # how a text is prepared: another way gives other vectors

SETTINGS = f"bm25:k={K},b={B},avg_len={AVERAGE_LENGTH},language={LANGUAGE},text={TEXT}"

SPACELESS = re.compile(  # Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean, whose endings stick
    r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    r"\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003134f]+"
)


class SparseEncoder:
    """Weighs the terms of a text; documents and queries differ, as BM25 has it."""

    def __init__(self) -> None:
        self._bm25 = Bm25(Bm25Config(k=K, b=B, avg_len=AVERAGE_LENGTH, language=LANGUAGE))

    def encode(self, texts: list[str], kind: str) -> list[SparseVector]:
        """One vector per text, its indices ascending; `kind` is "document" or "query"."""
        embed = self._bm25.embed_query if kind == "query" else self._bm25.embed_document
        return [_ascending(embed(prepared(text))) for text in texts]


def prepared(text: str) -> str:
    """`text` in NFC, with its scripts without spaces cut into pairs; English stays as it is."""
    if text.isascii():
        return text
    return SPACELESS.sub(_pairs, unicodedata.normalize("NFC", text))


def _pairs(run: re.Match[str]) -> str:
    characters = run[0]
    pairs = [characters[i : i + 2] for i in range(len(characters) - 1)] or [characters]
    return f" {' '.join(pairs)} "


def _ascending(vector: EdgeVector) -> SparseVector:
    pairs = sorted(zip(vector.indices, vector.values, strict=True))
    return SparseVector(indices=[index for index, _ in pairs], values=[value for _, value in pairs])
