"""Which of a run's documents are in a language that the embedder does not know.

Vectors of such documents are close to noise, and nothing else would say so. Only prose is judged:
code, numbers, addresses and short cells of tables have no language, and would be guessed at.
"""

import hashlib
import heapq
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache
from threading import Lock

from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # no types

DOCUMENTS = 500  # of a run, at most: chosen by their paths, so the same ones each time
WINDOW = 4000  # characters, from the beginning and from the middle of a document
SAMPLE_BYTES = 2000  # of a document's prose, in UTF-8: what the identifier counts by
ENOUGH_BYTES = 200  # below which a language is a guess
PIECE_BYTES = 20  # of letters in a line or a cell: below it is a label, a name or a code
POOLED = 20  # samples that are judged again, as one text
CERTAINTY = 0.9
FEWEST = 0.02  # share of the judged documents below which a language is a slip of the identifier

_FENCED = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1|\Z)", re.M | re.S)
_MARKED = re.compile(r"`[^`\n]*`|<[^<>\n]*>|\]\([^()\n]*\)")  # inline code, tags, links' targets
_NAME = re.compile(r"[\d@/\\_=#]|\w\.\w")  # in a word: it is a number, an address or an identifier
_CODE = re.compile(r"[{}()\[\]=;<>$&*+^~]")
CODE_SHARE = 0.04  # of a piece's characters
_WORDS = re.compile(r"[^\W\d_]+")

# Languages that an identifier takes for another, and that an embedder of the other reads too.
_KIN = {
    **dict.fromkeys(("nn", "da"), "no"),
    **dict.fromkeys(("bs", "sr"), "hr"),
    **dict.fromkeys(("ms", "jv", "ace"), "id"),
    **dict.fromkeys(("wuu", "yue"), "zh"),
    **dict.fromkeys(("ary", "arz"), "ar"),
    **dict.fromkeys(("ext", "an", "gl"), "es"),
    **dict.fromkeys(("vec", "lij"), "it"),
    **dict.fromkeys(("wa", "gcf", "gcr"), "fr"),
    **{"pcm": "en", "lb": "de", "fy": "nl", "oc": "ca", "hbo": "he", "grc": "el", "uzs": "uz"},
}
_NONE = "zxx"  # the identifier's own code for text that is no language


class Languages:
    """Takes the texts of a run, as batches read them; `known` are the embedder's, in ISO 639-1.

    Where the embedder tells no languages, nothing is kept and nothing is said.
    """

    def __init__(self, known: Collection[str], embedder: str) -> None:
        self._known = sorted({re.split("[-_]", code.lower())[0] for code in known})
        self._embedder = embedder
        self._lock = Lock()  # batches are prepared in threads
        self._kept: list[tuple[int, str, str]] = []  # a heap; the path with the highest hash first

    def add(self, path: str, text: str) -> None:
        """Take a text; one that is read again in another try of its batch counts once."""
        if not self._known:
            return
        place = -int.from_bytes(hashlib.blake2b(path.encode("utf-8", "replace")).digest()[:8])
        with self._lock:
            if any(kept == path for _, kept, _ in self._kept):
                return
            if len(self._kept) < DOCUMENTS:
                heapq.heappush(self._kept, (place, path, prose(text)))
            elif place > self._kept[0][0]:
                heapq.heapreplace(self._kept, (place, path, prose(text)))

    def unknown(self) -> list[str]:
        """One sentence on the documents that the embedder does not understand, if there are any."""
        pools: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for _, path, sample in sorted(self._kept, key=lambda kept: kept[1]):
            if sample:
                pools[_language(sample)[0]].append((path, sample))
        foreign = {
            language: [path for path, _ in pool]
            for language, pool in pools.items()
            if self._is_unknown(language, [sample for _, sample in pool])
        }
        judged = sum(map(len, pools.values()))
        least = FEWEST * judged
        foreign = {language: paths for language, paths in foreign.items() if len(paths) >= least}
        if not foreign:
            return []
        counts = sorted(foreign.items(), key=lambda item: (-len(item[1]), item[0]))
        told = ", ".join(f"{len(paths)} in {code} (e.g. {paths[0]})" for code, paths in counts)
        return [
            f"the embedder {self._embedder} does not know the language of some documents. Of "
            f"{judged} whose language was judged: {told}; it knows {', '.join(self._known)}. "
            "Questions find such documents by their exact words at best. Serve an embedder that "
            "knows the language, e.g. SERVING_EMBED_MODEL=multilingual-e5-small, and sync again"
        ]

    def _is_unknown(self, language: str, samples: list[str]) -> bool:
        """Whether texts that were taken for this language are in it, all of them together."""
        if language in (_NONE, *(_KIN.get(code, code) for code in self._known)):
            return False
        pooled = "\n".join(samples[:POOLED])
        again, certainty = _language(pooled)
        enough = len(pooled.encode()) >= ENOUGH_BYTES
        return enough and again == language and certainty >= CERTAINTY


def prose(text: str) -> str:
    """A sample of a text's sentences: of 2,000 bytes at most, and "" where there are none."""
    middle = len(text) // 2
    windows = [text] if len(text) <= 2 * WINDOW else [text[:WINDOW], text[middle : middle + WINDOW]]
    share = SAMPLE_BYTES // len(windows)
    samples = ("\n".join(_pieces(window)).encode("utf-8", "replace")[:share] for window in windows)
    return "\n".join(sample.decode(errors="ignore") for sample in samples).strip()


def _pieces(text: str) -> Iterator[str]:
    for line in _FENCED.sub("\n", text).splitlines():
        for piece in line.split("|"):
            if len(_CODE.findall(piece)) > CODE_SHARE * len(piece):
                continue
            words = (word for word in _MARKED.sub(" ", piece).split() if not _NAME.search(word))
            letters = " ".join(_WORDS.findall(" ".join(words)))
            if len(letters.encode("utf-8", "replace")) >= PIECE_BYTES:
                yield letters


def _language(text: str) -> tuple[str, float]:
    language, certainty = identifier().classify(text)
    return _KIN.get(language, language), certainty


@cache
def identifier() -> LanguageIdentifier:
    """The identifier of languages, loaded once: that takes a second, and 100 MB for a moment."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
