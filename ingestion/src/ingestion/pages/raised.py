"""Small raised or lowered text of a PDF page -> text that never joins the number before it."""

from collections.abc import Sequence
from dataclasses import replace

from ingestion.markup.marks import mark_of
from ingestion.pages.chars import Char

SMALL = 0.8  # of the height of the text beside it
APART = 0.15  # of that height, by which its middle is higher or lower
MOST = 6  # characters; a longer piece is a line of its own
AROUND = 40  # characters beside it that say what it is


def with_marks(chars: Sequence[Char]) -> list[Char]:
    """The characters, with each small raised or lowered piece as one that says so."""
    out: list[Char] = []
    i = 0
    while i < len(chars):
        place = _place(out, chars, i)
        end = i
        while place and end < len(chars) and end - i <= MOST and _place(out, chars, end) == place:
            end += 1
        if not place or end - i > MOST:
            out.append(chars[i])
            i += 1
            continue
        piece = chars[i:end]
        while out and not out[-1].text.strip() and out[-1].box[2] - out[-1].box[0] < 1:
            out.pop()  # a gap or a break that PDFium put before it
        line = out[-1]
        text = "".join(each.text for each in piece).strip()
        while end < len(chars) and chars[end].text in "\r\n" and _goes_on(line, chars, end):
            end += 1  # a break after it, within the line
        before = "".join(each.text for each in out[-AROUND:]).rpartition("\n")[2]
        after = "".join(each.text for each in chars[end : end + AROUND]).partition("\n")[0]
        shown = mark_of(place, text, before, after)
        if end < len(chars) and chars[end].box[0] - piece[-1].box[2] > APART * line.height:
            shown += "" if after[:1].isspace() else " "
        out.append(
            replace(
                piece[0],
                text=shown,
                box=(piece[0].box[0], line.box[1], piece[-1].box[2], line.box[3]),
            )
        )
        i = end
    return out


def _place(out: Sequence[Char], chars: Sequence[Char], i: int) -> str:
    """ "sup" or "sub" if a character is smaller than the one before it and off its line."""
    char = chars[i]
    if not char.text.strip() or char.is_hidden:
        return ""
    before = next((each for each in out[:-4:-1] if each.text.strip()), None)
    if before is None or before.is_hidden or char.height >= SMALL * before.height:
        return ""
    if (
        not -0.5 * before.height
        < char.box[0] - before.box[2]
        < 0.6 * before.height + _width(chars, i)
    ):
        return ""
    rise = (char.middle[1] - before.middle[1]) / before.height
    if abs(rise) > 0.75:
        return ""
    return "sup" if rise > APART else "sub" if rise < -APART else ""


def _width(chars: Sequence[Char], i: int) -> float:
    """The room of the characters of the same piece that stand before this one."""
    start = i
    while start > 0 and i - start < MOST and abs(chars[start - 1].height - chars[i].height) < 0.1:
        start -= 1
    return chars[i].box[0] - chars[start].box[0] if start < i else 0.0


def _goes_on(line: Char, chars: Sequence[Char], at: int) -> bool:
    """Whether the next character with ink stands on the same line."""
    following = next((each for each in chars[at : at + 4] if each.text.strip()), None)
    return (
        following is not None
        and abs(following.middle[1] - line.middle[1]) < APART * line.height
        and following.box[0] > line.box[0]
    )
