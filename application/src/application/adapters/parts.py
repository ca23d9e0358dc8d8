"""Cuts a text that is too long into parts: at sentences, else at spaces, else anywhere."""

import re

PART_SIZES = (1000, 500, 250, 120, 60, 30)  # characters, tried in this order
SENTENCE = re.compile(r"(?<=[.!?\n])\s+|(?<=[。！？])")
WORD = re.compile(r"\s+")


def parts_of(text: str, size: int) -> list[str]:
    """Parts of at most `size` characters that hold all words of `text`, in order."""
    if len(text) <= size:
        return [text]
    parts: list[str] = []
    for sentence in SENTENCE.split(text):
        if len(sentence) <= size:
            _append(parts, sentence, size)
            continue
        for word in WORD.split(sentence):
            for start in range(0, len(word), size):
                _append(parts, word[start : start + size], size)
    return parts or [text[:size]]


def _append(parts: list[str], piece: str, size: int) -> None:
    """Adds to the last part while both fit."""
    if not piece.strip():
        return
    if parts and len(parts[-1]) + 1 + len(piece) <= size:
        parts[-1] += f" {piece}"
    else:
        parts.append(piece)
