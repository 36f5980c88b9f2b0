"""Lines over two logarithmic axes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from .svg import COLOURS, LEFT, RIGHT, TOP, WIDTH, Labels, Picture, line, picture, short, text
from .words import three_digits

#: Lines have the colours of systems in their order, and differ without them: dashes, and dots that are hollow behind the first.
_KINDS = tuple(COLOURS)
_DASHES = ("", "7 4", "2 4")


@dataclass(frozen=True)
class Line:
    """`points` are x, median, least and most, all above 0 and in the order of x."""

    name: str
    points: list[tuple[float, float, float, float]]


@dataclass(frozen=True)
class LinePlot:
    """Lines over two logarithmic axes, where what grows in proportion rises by as much on both."""

    title: str
    #: Of all values; it stands above the axis.
    unit: str
    lines: list[Line]
    #: What is on the other axis, below which it stands, and how one of it is written.
    x_title: str
    x_label: Callable[[float], str]
    height: int = field(default=360, kw_only=True)

    def draw(self) -> Picture:
        points = [point for one in self.lines for point in one.points]
        xs = sorted({point[0] for point in points})
        low, high = math.log10(xs[0]), math.log10(xs[-1])
        bottom = math.floor(math.log10(min(point[2] for point in points)))
        top = max(bottom + 1, math.ceil(math.log10(max(point[3] for point in points))))
        base = self.height - 58.0

        def x(value: float) -> float:
            share = (math.log10(value) - low) / (high - low) if high > low else 0.5
            return LEFT + 40 + share * (WIDTH - LEFT - RIGHT - 80)

        def y(value: float) -> float:
            return base - (math.log10(value) - bottom) / (top - bottom) * (base - TOP)

        parts = [text(LEFT, 22, self.title, "title"), text(8, TOP - 14, self.unit, "small")]
        if len(self.lines) > 1:
            parts += self._legend()
        for power in range(bottom, top + 1):
            value = 10.0**power
            parts.append(line(LEFT, y(value), WIDTH - RIGHT, y(value), "axis" if power == bottom else "grid"))
            parts.append(text(LEFT - 8, y(value) + 4, short(value), "small", "end"))
        labels = Labels(base + 20)
        parts += [labels.place(self.x_label(value), x(value), base + 20) for value in xs]
        parts.append(text(LEFT + (WIDTH - LEFT - RIGHT) / 2, base + 44, self.x_title, "small", "middle"))
        values = Labels(base - 2)
        for number, one in enumerate(self.lines):
            parts += self._line(number, one, x, y, values)
        return picture(self._said, self.height, [part for part in parts if part])

    def _line(
        self, number: int, one: Line, x: Callable[[float], float], y: Callable[[float], float], values: Labels
    ) -> list[str]:
        path = " ".join(f"{x(point[0]):.1f},{y(point[1]):.1f}" for point in one.points)
        parts = [f'<polyline class="{_KINDS[number]}-line"{_dashes(number)} points="{path}"/>']
        for at, median, least, most in one.points:
            said = f"{one.name}, {self.x_label(at)}: {short(median)} ({short(least)} to {short(most)})"
            parts.append(line(x(at), y(least), x(at), y(most), "whisker"))
            parts.append(_dot(number, x(at), y(median), said))
            parts.append(values.place(short(median), x(at), y(most) - 6, y(least) + 16))
        return parts

    def _legend(self) -> list[str]:
        parts, x = [], float(LEFT + 40)
        for number, one in enumerate(self.lines):
            parts.append(
                f'<polyline class="{_KINDS[number]}-line"{_dashes(number)} points="{x:.0f},42 {x + 30:.0f},42"/>')
            parts.append(_dot(number, x + 15, 42, "", tag="ellipse"))
            parts.append(text(x + 36, 46, one.name, "small"))
            x += 60 + 6.4 * len(one.name)
        return parts

    @property
    def _said(self) -> str:
        lines = "; ".join(
            (f"{one.name}: " if one.name else "")
            + ", ".join(f"{three_digits(median)} at {self.x_label(at)}" for at, median, _, _ in one.points)
            for one in self.lines)
        return f"{self.title}, medians in {self.unit}. {lines}."


def _dashes(number: int) -> str:
    dashes = _DASHES[number % len(_DASHES)]
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _dot(number: int, x: float, y: float, said: str, *, tag: str = "circle") -> str:
    """Filled for the first line, hollow for others. Those of the legend are ellipses: they are no measured point."""
    kind = _KINDS[number] if number == 0 else f"{_KINDS[number]}-line"
    radius = 'r="3.5"' if tag == "circle" else 'rx="3.5" ry="3.5"'
    return f'<{tag} class="{kind}" cx="{x:.1f}" cy="{y:.1f}" {radius}><title>{escape(said)}</title></{tag}>'
