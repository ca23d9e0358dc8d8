"""The characters of a PDF page with their places, in PDFium's order; coordinates as displayed."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium  # type: ignore[import-untyped]  # it ships no types

INVISIBLE_MODES = (3, 7)  # text render modes that paint nothing
LINE_END_HYPHEN = 2  # PDFium's code for it; its own texts have U+FFFE
WHITE = 250  # of 255; a lighter colour is not seen on paper
LEAST_HEIGHT = 1.0  # points; smaller text cannot be read
SCAN_SHARE = 0.5  # of the page under pictures, from which invisible text is an OCR's
THIN = 3.0  # points; a painted bar of this width is a rule
MAX_SHAPES = 4000  # of a page; a drawing with more has no tables

Box = tuple[float, float, float, float]  # left, bottom, right, top in points


@dataclass(frozen=True)
class Char:
    """A character, or the value of a form field, and where it stands."""

    text: str
    box: Box
    is_hidden: bool = False

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def height(self) -> float:
        """Of its box, in points."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True)
class Shape:
    """A painted path or picture."""

    box: Box
    is_picture: bool
    is_white: bool
    lines: tuple[Box, ...] = ()  # its straight edges, level or upright


class Page:
    """A page of an open PDF: its shapes and characters."""

    def __init__(self, page: Any) -> None:
        self.raw = page
        self._size = page.get_size()
        self._turned = page.get_rotation()
        self._frame = page.get_cropbox()
        self._is_unsure = False  # whether a painted shape's place is not known
        self.shapes = tuple(self._shapes())

    def placed(self, box: Box) -> Box:
        """A box in the page's own coordinates -> as the page is displayed."""
        left, bottom, right, top = self._frame
        x0, y0, x1, y1 = box[0] - left, box[1] - bottom, box[2] - left, box[3] - bottom
        width, height = right - left, top - bottom
        match self._turned:
            case 90:
                return y0, width - x1, y1, width - x0
            case 180:
                return width - x1, height - y1, width - x0, height - y0
            case 270:
                return height - y1, x0, height - y0, x1
        return x0, y0, x1, y1

    @property
    def picture_share(self) -> float:
        """How much of the page lies under its largest picture."""
        area = self._size[0] * self._size[1] or 1
        return (
            max((_area(shape.box) for shape in self.shapes if shape.is_picture), default=0) / area
        )

    def shows_something(self) -> bool:
        """Whether anything is painted that could hold text; a thin rule is none."""
        return any(
            shape.is_picture
            or (
                not shape.is_white and min(_sides(shape.box)) > THIN and max(_sides(shape.box)) > 12
            )
            for shape in self.shapes
        )

    def chars(self) -> list[Char]:
        """Every character, hidden ones marked; those that PDFium adds have no extent."""
        text = self.raw.get_textpage()
        try:
            return list(self._chars(text.raw, text.count_chars()))
        finally:
            text.close()

    def _chars(self, text: Any, count: int) -> Iterator[Char]:
        is_scan = self.picture_share >= SCAN_SHARE
        hidden: dict[int, str] = {}
        box = pdfium.FS_RECTF()
        for i in range(count):
            said = _text(pdfium.FPDFText_GetUnicode(text, i))
            pdfium.FPDFText_GetLooseCharBox(text, i, box)
            placed = self.placed((box.left, box.bottom, box.right, box.top))
            if pdfium.FPDFText_IsGenerated(text, i):
                yield Char(said, placed)
                continue
            target = pdfium.FPDFText_GetTextObject(text, i)
            address = ctypes.cast(target, ctypes.c_void_p).value or 0
            if address not in hidden:
                hidden[address] = _ink(target)
            ink = hidden[address]
            is_hidden = (
                (ink == "none" and not is_scan)
                or (ink == "white" and not self._is_painted_under(placed))
                or (ink == "tiny" and said.strip() != "")
                or not self._is_on_page(placed)
            )
            yield Char(said, placed, is_hidden)

    def _is_on_page(self, box: Box) -> bool:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return bool(-1 <= x <= self._size[0] + 1 and -1 <= y <= self._size[1] + 1)

    def _is_painted_under(self, box: Box) -> bool:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return self._is_unsure or any(
            not shape.is_white
            and shape.box[0] <= x <= shape.box[2]
            and shape.box[1] <= y <= shape.box[3]
            for shape in self.shapes
        )

    def _shapes(self) -> Iterator[Shape]:
        kinds = [pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING]
        for number, each in enumerate(self.raw.get_objects(filter=kinds, max_depth=4)):
            if number >= MAX_SHAPES:
                self._is_unsure = True
                return
            if each.level:  # a form's shapes have the coordinates of the form
                self._is_unsure = True
            box = self.placed(each.get_bounds())
            if each.type != pdfium.FPDF_PAGEOBJ_PATH:
                yield Shape(box, each.type == pdfium.FPDF_PAGEOBJ_IMAGE, False)
                continue
            mode, stroked = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDFPath_GetDrawMode(each.raw, mode, stroked)
            if not mode.value and not stroked.value:
                continue  # it paints nothing
            is_white = not stroked.value and _is_white(each.raw)
            is_rule = stroked.value or min(_sides(box)) <= THIN
            yield Shape(box, False, is_white, tuple(self._edges(each, box)) if is_rule else ())

    def _edges(self, path: Any, box: Box) -> Iterator[Box]:
        """The straight edges of a path; a thin bar is one."""
        if min(_sides(box)) <= THIN:
            yield box
            return
        matrix, last, start = path.get_matrix(), (0.0, 0.0), (0.0, 0.0)
        x, y = ctypes.c_float(), ctypes.c_float()
        for i in range(min(pdfium.FPDFPath_CountSegments(path.raw), MAX_SHAPES)):
            segment = pdfium.FPDFPath_GetPathSegment(path.raw, i)
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            point = matrix.on_point(x.value, y.value)
            kind = pdfium.FPDFPathSegment_GetType(segment)
            if kind == pdfium.FPDF_SEGMENT_MOVETO:
                start = point
            elif kind == pdfium.FPDF_SEGMENT_LINETO:
                yield self._edge(last, point)
            if pdfium.FPDFPathSegment_GetClose(segment) and kind != pdfium.FPDF_SEGMENT_BEZIERTO:
                yield self._edge(point, start)
            last = point

    def _edge(self, one: tuple[float, float], other: tuple[float, float]) -> Box:
        xs, ys = sorted((one[0], other[0])), sorted((one[1], other[1]))
        return self.placed((xs[0], ys[0], xs[1], ys[1]))


def _text(code: int) -> str:
    if code == LINE_END_HYPHEN:
        return "\ufffe"
    return chr(code) if code and code < 0x110000 else ""


def _ink(text_object: Any) -> str:
    """How a piece of text is painted: "none", "white", "tiny", or "" where it can be read."""
    if not text_object:
        return ""
    if pdfium.FPDFTextObj_GetTextRenderMode(text_object) in INVISIBLE_MODES:
        return "none"
    sides = [ctypes.c_float() for _ in range(4)]
    if pdfium.FPDFPageObj_GetBounds(text_object, *sides):
        left, bottom, right, top = (side.value for side in sides)
        if 0 < max(top - bottom, 0) < LEAST_HEIGHT and right - left < 40 * LEAST_HEIGHT:
            size = ctypes.c_float()
            pdfium.FPDFTextObj_GetFontSize(text_object, size)
            if size.value <= 2:
                return "tiny"
    if pdfium.FPDFTextObj_GetTextRenderMode(text_object) == 0 and _is_white(text_object):
        return "white"
    return ""


def _is_white(thing: Any) -> bool:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFPageObj_GetFillColor(thing, red, green, blue, alpha):
        return False
    return alpha.value == 0 or min(red.value, green.value, blue.value) >= WHITE


def _sides(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _area(box: Box) -> float:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])
