"""Rows of dots, one for each time that something was measured."""

import math
from dataclasses import dataclass, field

from .svg import RIGHT, WIDTH, Picture, line, picture, short, text
from .words import plain

_LEFT = 200


@dataclass(frozen=True)
class Dots:
    """One row of dots, and their median as a line."""

    kind: str
    name: str
    values: tuple[float, ...]
    median: float


@dataclass(frozen=True)
class DotPlot:
    """Rows over a logarithmic axis: for values of very different sizes."""

    title: str
    #: Of all values; it stands below the axis.
    unit: str
    rows: list[Dots]
    row_height: int = field(default=52, kw_only=True)

    def draw(self) -> Picture:
        values = [value for row in self.rows for value in row.values if value > 0]
        low = math.floor(math.log10(min(values, default=1)))
        high = max(low + 1, math.ceil(math.log10(max(values, default=10))))

        def x(value: float) -> float:
            share = (math.log10(max(value, 10**low)) - low) / (high - low)
            return _LEFT + share * (WIDTH - _LEFT - RIGHT - 24)

        base = 44 + self.row_height * len(self.rows)
        parts = [text(24, 22, self.title, "title")]
        for power in range(low, high + 1):
            parts.append(line(x(10**power), 40, x(10**power), base, "grid"))
            parts.append(text(x(10**power), base + 18, short(10**power), "small", "middle"))
        parts.append(text(_LEFT - 12, base + 18, f"{self.unit}, logarithmic", "small", "end"))
        for number, row in enumerate(self.rows):
            parts += self._row(row, 44 + self.row_height * (number + 0.5), x)
        return picture(self._said, base + 30, parts)

    def _row(self, row: Dots, y: float, x) -> list[str]:
        parts = [text(_LEFT - 12, y + 4, row.name, "small", "end")]
        for index, value in enumerate(row.values):
            # A little apart, so that equal ones can be counted.
            offset = (index * 7 % 5 - 2) * 3
            parts.append(
                f'<circle class="{row.kind}" cx="{x(value):.1f}" cy="{y + offset:.1f}" r="4" fill-opacity="0.65">'
                f"<title>{short(value)}</title></circle>")
        parts.append(line(x(row.median), y - 17, x(row.median), y + 17, "whisker"))
        parts.append(text(x(row.median), y - 19, short(row.median), "small", "middle"))
        return parts

    @property
    def _said(self) -> str:
        rows = "; ".join(
            f"{row.name} {plain(row.median)} ({plain(min(row.values))} to {plain(max(row.values))})" for row in self.rows)
        return f"{self.title}, medians in {self.unit}. {rows}."
