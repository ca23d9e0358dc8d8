"""A drawing of coverage against correctness as SVG, small enough to need no library. Pure."""

from collections.abc import Mapping, Sequence
from html import escape

from evals.suite.coverage import Point

WIDTH, HEIGHT = 640, 420
LEFT, TOP, RIGHT, BOTTOM = 60, 40, 170, 50  # margins; the right one holds the names
COLOURS = ("#1b6ca8", "#c8553d", "#2f8f5b", "#8a5fa3", "#8a7a1f", "#555555")
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_TEXT = 'font-family="sans-serif" font-size="12" fill="#222"'


def svg(title: str, runs: Mapping[str, Sequence[Point]]) -> str:
    """A line for each run of more than one point, else a dot; named at the right.

    The horizontal axis is the share of questions answered, the vertical one the share of these
    answers that are correct.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}: correctness against coverage</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 22, f"{title}: how right the answers are, the more questions are answered"),
        *_axes(),
    ]
    for number, (name, points) in enumerate(runs.items()):
        parts += _run(name, points, COLOURS[number % len(COLOURS)], number)
    return "\n".join([*parts, "</svg>", ""])


def _run(name: str, points: Sequence[Point], colour: str, number: int) -> list[str]:
    path = " ".join(f"{_x(p.coverage):.1f},{_y(p.correct):.1f}" for p in points)
    last = points[-1]
    row = TOP + 16 + number * 20
    line = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    return [
        *([line] if len(points) > 1 else []),
        f'<circle cx="{_x(last.coverage):.1f}" cy="{_y(last.correct):.1f}" r="4" fill="{colour}"/>',
        f'<circle cx="{WIDTH - RIGHT + 20}" cy="{row - 4}" r="4" fill="{colour}"/>',
        _text(WIDTH - RIGHT + 30, row, name),
    ]


def _axes() -> list[str]:
    left, bottom = _x(0), _y(0)
    parts = []
    for tick in TICKS:
        x, y = _x(tick), _y(tick)
        parts.append(f'<path d="M{left} {y:.1f}H{_x(1):.1f}" stroke="#ddd"/>')
        parts.append(_text(left - 8, y + 4, f"{tick:.1f}", "end"))
        parts.append(_text(x, bottom + 18, f"{tick:.1f}", "middle"))
    parts.append(f'<path d="M{left} {_y(1)}V{bottom}H{_x(1)}" fill="none" stroke="#222"/>')
    parts.append(_text(_x(0.5), HEIGHT - 10, "coverage: share of questions answered", "middle"))
    turned = f"rotate(-90 16 {_y(0.5)})"
    parts.append(
        f'<text x="16" y="{_y(0.5)}" text-anchor="middle" transform="{turned}" {_TEXT}>'
        "share of answers that are correct</text>"
    )
    return parts


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {_TEXT}>{escape(text)}</text>'


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
