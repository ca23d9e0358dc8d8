"""Takes a reasoning model's thoughts out of its reply; they are counted, and never shown."""

import re

# Opening mark, in small letters -> the mark that closes it.
MARKS = {f"<{tag}>": f"</{tag}>" for tag in ("think", "thinking", "thought", "reasoning")} | {
    "[think]": "[/think]"
}
OPENING = re.compile("|".join(map(re.escape, MARKS)), re.IGNORECASE)
ORPHAN = "</think>"


class ThoughtFilter:
    """Fed with pieces of a reply, cut anywhere, even within a mark."""

    def __init__(self, *, starts_thinking: bool = False) -> None:
        self._closing = ORPHAN if starts_thinking else ""  # "" outside of a thought
        self._held = ""  # may be the beginning of a mark
        self._said = False
        self.characters = 0  # of thoughts

    def feed(self, text: str) -> str:
        """What of `text`, and of what was held back, is no thought.

        Raises ValueError where a thought ends that was not seen to begin.
        """
        if not (self._closing or self._held or "<" in text or "[" in text):
            return self._shown(text)
        self._held += text
        shown = ""
        while True:
            if self._closing:
                end = self._held.lower().find(self._closing)
                if end < 0:
                    kept = _begun(self._held, [self._closing])
                    self.characters += len(self._held) - kept
                    self._held = self._held[len(self._held) - kept :]
                    return self._shown(shown)
                self.characters += end
                self._held = self._held[end + len(self._closing) :]
                self._closing = ""
            elif opening := OPENING.search(self._held):
                shown += self._held[: opening.start()]
                self._held = self._held[opening.end() :]
                self._closing = MARKS[opening.group().lower()]
            else:
                if ORPHAN in self._held.lower():
                    raise ValueError("a thought ends that never began")
                kept = _begun(self._held, [*MARKS, ORPHAN])
                shown += self._held[: len(self._held) - kept]
                self._held = self._held[len(self._held) - kept :]
                return self._shown(shown)

    def end(self) -> str:
        """What was held back, at the end of the reply."""
        held, self._held = self._held, ""
        if self._closing:
            self.characters += len(held)
            return ""
        return self._shown(held)

    def _shown(self, text: str) -> str:
        if not self._said and self.characters:
            text = text.lstrip()  # the blank lines between thought and answer
        self._said = self._said or bool(text.strip())
        return text


def _begun(text: str, marks: list[str]) -> int:
    """Length of the longest end of `text` that begins one of `marks`."""
    low = text.lower()
    longest = max(map(len, marks)) - 1
    for size in range(min(longest, len(low)), 0, -1):
        if any(mark.startswith(low[-size:]) for mark in marks):
            return size
    return 0
