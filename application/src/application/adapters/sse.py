"""Server-sent events from bytes, by the rules of the WHATWG, however the bytes are cut.

Our own, because httpx-sse reads httpx's responses only and costs more for each token than our whole
client (docs/adr/0004).
"""

from collections.abc import Iterator
from typing import NamedTuple

LONGEST_EVENT = 1 << 20  # bytes; a server that ends no event is broken
BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event: its name, "" where it has none, and its data lines, joined by line ends."""

    name: str
    data: bytes


class EventParser:
    """Fed with bytes as they come; raises ValueError for an event without an end."""

    def __init__(self) -> None:
        self._rest = b""  # a line that has not ended
        self._after_cr = False  # a line feed that comes next belongs to that line end
        self._data: list[bytes] = []
        self._name = ""
        self._size = 0
        self._began = False

    def feed(self, received: bytes) -> Iterator[Event]:
        """Events that end in `received`."""
        if self._after_cr and received.startswith(b"\n"):
            received = received[1:]
            self._after_cr = False
        if not received:
            return
        self._after_cr = received.endswith(b"\r")
        if b"\r" in received:
            received = received.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = (self._rest + received).split(b"\n")
        if len(self._rest) > LONGEST_EVENT:
            raise ValueError("an event has no end")
        for line in lines:
            yield from self._line(line)

    def end(self) -> Iterator[Event]:
        """The last event, from a server that closes without the blank line."""
        for line in (self._rest, b""):
            yield from self._line(line)
        self._rest = b""

    def _line(self, line: bytes) -> Iterator[Event]:
        if not self._began:
            self._began, line = True, line.removeprefix(BOM)
        if not line:
            if self._data:
                yield Event(self._name, b"\n".join(self._data))
            self._data, self._name, self._size = [], "", 0
            return
        field, _, value = line.partition(b":")  # a comment has an empty field
        value = value.removeprefix(b" ")
        if field == b"data":
            self._size += len(value)
            if self._size > LONGEST_EVENT:
                raise ValueError("an event has no end")
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode(errors="replace")
