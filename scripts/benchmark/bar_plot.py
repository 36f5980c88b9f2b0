"""Bars in groups, each with its name below it and its value above."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from .svg import LEFT, RIGHT, TOP, WIDTH, Picture, line, nice_step, picture, short, text
from .words import plain

#: Below the axis: titles of groups, and names of bars above them where a group has more than one.
_TITLES, _NAMES, _NOTE = 40, 50, 18


@dataclass(frozen=True)
class Bar:
    """`kind` is a key of the colours; `name` stands below the bar, `long_name` in what is read aloud."""

    kind: str
    name: str
    value: float
    low: float
    high: float
    long_name: str = ""

    @property
    def spoken(self) -> str:
        return self.long_name or self.name


@dataclass(frozen=True)
class BarPlot:
    """Groups of bars from zero on, so that lengths compare as values do."""

    title: str
    #: Of all values; it stands above the axis.
    unit: str
    groups: list[tuple[str, list[Bar]]]
    note: str = field(default="", kw_only=True)
    #: Of the bars and what is above them.
    height: int = field(default=300, kw_only=True)

    @property
    def _has_names(self) -> bool:
        """A group of one bar is called as its bar is."""
        return any(len(bars) > 1 for _, bars in self.groups)

    def draw(self) -> Picture:
        top = max((bar.high for _, bars in self.groups for bar in bars), default=0) or 1
        step = nice_step(top / 5)
        limit = math.ceil(top / step) * step
        base, names = float(self.height), _NAMES if self._has_names else 0
        span = base - TOP

        def y(value: float) -> float:
            return base - span * value / limit

        parts = [text(LEFT, 22, self.title, "title"), text(8, TOP - 14, self.unit, "small")]
        for index in range(round(limit / step) + 1):
            value = index * step
            parts.append(line(LEFT, y(value), WIDTH - RIGHT, y(value), "axis" if index == 0 else "grid"))
            parts.append(text(LEFT - 8, y(value) + 4, short(value), "small", "end"))
        place = (WIDTH - LEFT - RIGHT) / max(1, len(self.groups))
        for number, (title, bars) in enumerate(self.groups):
            left = LEFT + place * number
            width = min(56.0, place * 0.84 / max(1, len(bars)))
            begin = left + (place - width * len(bars)) / 2
            for index, bar in enumerate(bars):
                parts += self._bar(bar, begin + width * index, width, y)
            parts.append(text(left + place / 2, base + names + 20, title, "", "middle"))
        height = base + names + _TITLES
        if self.note:
            parts.append(text(LEFT, height, self.note, "small"))
            height += _NOTE
        return picture(self._said, height, parts)

    def _bar(self, bar: Bar, x: float, width: float, y: Callable[[float], float]) -> list[str]:
        middle = x + width / 2
        said = f"{bar.spoken}: {short(bar.value)} ({short(bar.low)} to {short(bar.high)})"
        height = max(0.5, y(0) - y(bar.value))
        parts = [
            f'<rect class="{bar.kind}" x="{x + 1:.1f}" y="{y(0) - height:.1f}" width="{width - 2:.1f}" '
            f'height="{height:.1f}" rx="1.5"><title>{escape(said)}</title></rect>',
            line(middle, y(bar.low), middle, y(bar.high), "whisker"),
            text(middle, y(bar.high) - 5, short(bar.value), "small", "middle"),
        ]
        if self._has_names:
            parts.append(text(middle + 4, y(0) + 14, bar.name, "small", "end", turned=-40))
        return parts

    @property
    def _said(self) -> str:
        groups = []
        for title, bars in self.groups:
            if self._has_names:
                groups.append(f"{title}: " + ", ".join(f"{bar.spoken} {plain(bar.value)}" for bar in bars))
            else:
                groups += [f"{bar.spoken} {plain(bar.value)}" for bar in bars]
        return f"{self.title}, medians in {self.unit}. {'; '.join(groups)}."
